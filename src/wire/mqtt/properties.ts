// The properties of MQTT 5. [MQTT 5.0 2.2.2]
import { ByteReader, malformed, protocolError } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { type PacketName, reasons } from './constants.ts';
import { MqttError } from './mqtt-error.ts';

export interface Properties {
  payloadFormat?: number;
  messageExpirySeconds?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Buffer;
  subscriptionIds?: number[];
  sessionExpirySeconds?: number;
  assignedClientId?: string;
  serverKeepAliveSeconds?: number;
  authenticationMethod?: string;
  authenticationData?: Buffer;
  requestProblemInformation?: number;
  willDelaySeconds?: number;
  requestResponseInformation?: number;
  responseInformation?: string;
  serverReference?: string;
  reasonString?: string;
  receiveMax?: number;
  topicAliasMax?: number;
  topicAlias?: number;
  qosMax?: number;
  retainAvailable?: number;
  userProperties?: [name: string, value: string][];
  packetBytesMax?: number;
  wildcardAvailable?: number;
  subscriptionIdAvailable?: number;
  sharedAvailable?: number;
}

type Kind = 'bit' | 'byte' | 'uint16' | 'uint32' | 'varint' | 'text' | 'binary' | 'pair';
/** Where a property may stand: a packet, or the will in CONNECT. */
export type Place = PacketName | 'will';

interface Definition {
  readonly id: number;
  readonly name: keyof Properties;
  readonly kind: Kind;
  readonly places: readonly Place[];
  /** Values that are a protocol error: 0, where that means nothing. */
  readonly isZeroAllowed: boolean;
}

const answers: readonly Place[] = ['connack', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback', 'disconnect', 'auth'];

const define = (id: number, name: keyof Properties, kind: Kind, places: readonly Place[], isZeroAllowed = true): Definition => ({
  id,
  name,
  kind,
  places,
  isZeroAllowed,
});

const definitions: readonly Definition[] = [
  define(0x01, 'payloadFormat', 'bit', ['publish', 'will']),
  define(0x02, 'messageExpirySeconds', 'uint32', ['publish', 'will']),
  define(0x03, 'contentType', 'text', ['publish', 'will']),
  define(0x08, 'responseTopic', 'text', ['publish', 'will']),
  define(0x09, 'correlationData', 'binary', ['publish', 'will']),
  define(0x0b, 'subscriptionIds', 'varint', ['publish', 'subscribe'], false),
  define(0x11, 'sessionExpirySeconds', 'uint32', ['connect', 'connack', 'disconnect']),
  define(0x12, 'assignedClientId', 'text', ['connack']),
  define(0x13, 'serverKeepAliveSeconds', 'uint16', ['connack']),
  define(0x15, 'authenticationMethod', 'text', ['connect', 'connack', 'auth']),
  define(0x16, 'authenticationData', 'binary', ['connect', 'connack', 'auth']),
  define(0x17, 'requestProblemInformation', 'bit', ['connect']),
  define(0x18, 'willDelaySeconds', 'uint32', ['will']),
  define(0x19, 'requestResponseInformation', 'bit', ['connect']),
  define(0x1a, 'responseInformation', 'text', ['connack']),
  define(0x1c, 'serverReference', 'text', ['connack', 'disconnect']),
  define(0x1f, 'reasonString', 'text', answers),
  define(0x21, 'receiveMax', 'uint16', ['connect', 'connack'], false),
  define(0x22, 'topicAliasMax', 'uint16', ['connect', 'connack']),
  define(0x23, 'topicAlias', 'uint16', ['publish']),
  define(0x24, 'qosMax', 'bit', ['connack']),
  define(0x25, 'retainAvailable', 'bit', ['connack']),
  define(0x26, 'userProperties', 'pair', ['connect', 'publish', 'will', 'subscribe', 'unsubscribe', ...answers]),
  define(0x27, 'packetBytesMax', 'uint32', ['connect', 'connack'], false),
  define(0x28, 'wildcardAvailable', 'bit', ['connack']),
  define(0x29, 'subscriptionIdAvailable', 'bit', ['connack']),
  define(0x2a, 'sharedAvailable', 'bit', ['connack']),
];

const byId: readonly (Definition | undefined)[] = definitions.reduce<(Definition | undefined)[]>((list, each) => {
  list[each.id] = each;
  return list;
}, []);

/** User properties of one packet. More are refused: they would cost many times their bytes. */
export const userPropertiesMax = 1000;

/** A packet's properties with their length in front. @throws MqttError */
export function readProperties(reader: ByteReader, place: Place): Properties {
  const bytes = reader.varint();
  if (bytes > reader.end - reader.at) throw malformed('the properties are longer than the packet');
  const inner = new ByteReader(reader.buffer, reader.at, reader.at + bytes);
  reader.at += bytes;
  return decodeProperties(inner, place);
}

/** Properties up to the reader's end. @throws MqttError */
export function decodeProperties(reader: ByteReader, place: Place): Properties {
  const properties: Properties = {};
  while (!reader.isAtEnd) {
    const definition = byId[reader.varint()];
    if (definition === undefined) throw malformed('an unknown property');
    if (!definition.places.includes(place)) throw protocolError(`the property ${definition.name} has no place in ${place.toUpperCase()}`);
    decodeOne(reader, definition, properties, place);
  }
  return properties;
}

function decodeOne(reader: ByteReader, definition: Definition, properties: Properties, place: Place): void {
  const { name } = definition;
  if (name === 'userProperties') {
    const pairs = (properties.userProperties ??= []);
    if (pairs.length >= userPropertiesMax) throw new MqttError(reasons.quotaExceeded, `more than ${userPropertiesMax} user properties`);
    pairs.push([reader.text(), reader.text()]);
    return;
  }
  if (name === 'subscriptionIds') {
    const ids = (properties.subscriptionIds ??= []);
    const id = reader.varint();
    if (id === 0) throw protocolError('subscription identifier 0');
    if (place === 'subscribe' && ids.length > 0) throw protocolError('a second subscription identifier');
    if (ids.length >= userPropertiesMax)
      throw new MqttError(reasons.quotaExceeded, `more than ${userPropertiesMax} subscription identifiers`);
    ids.push(id);
    return;
  }
  if (Object.hasOwn(properties, name)) throw protocolError(`the property ${name} stands twice`);
  const value = readValue(reader, definition.kind);
  if (value === 0 && !definition.isZeroAllowed) throw protocolError(`the property ${name} is 0`);
  if (definition.kind === 'bit' && value !== 0 && value !== 1) throw protocolError(`the property ${name} is ${String(value)}`);
  Object.assign(properties, { [name]: value });
}

function readValue(reader: ByteReader, kind: Kind): number | string | Buffer {
  switch (kind) {
    case 'uint16':
      return reader.uint16();
    case 'uint32':
      return reader.uint32();
    case 'text':
      return reader.text();
    case 'binary':
      // What it is part of may be gone when this is looked at.
      return Buffer.from(reader.binary());
    case 'varint':
      return reader.varint();
    default:
      return reader.byte();
  }
}

/** Properties without their length. */
export function encodeProperties(properties: Properties): Buffer {
  const writer = new ByteWriter();
  for (const { id, name, kind } of definitions) {
    const value = properties[name];
    if (value === undefined) continue;
    if (name === 'userProperties') for (const pair of value as [string, string][]) writer.byte(id).text(pair[0]).text(pair[1]);
    else if (name === 'subscriptionIds') for (const each of value as number[]) writer.byte(id).varint(each);
    else writeValue(writer.byte(id), kind, value as number | string | Buffer);
  }
  return writer.finish();
}

function writeValue(writer: ByteWriter, kind: Kind, value: number | string | Buffer): void {
  if (typeof value === 'string') writer.text(value);
  else if (typeof value !== 'number') writer.binary(value);
  else if (kind === 'uint32') writer.uint32(value);
  else if (kind === 'uint16') writer.uint16(value);
  else writer.byte(value);
}

export function writeProperties(writer: ByteWriter, properties: Properties): void {
  const bytes = encodeProperties(properties);
  writer.varint(bytes.length).raw(bytes);
}
