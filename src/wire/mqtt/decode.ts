import { ByteReader, malformed, protocolError } from './byte-reader.ts';
import { mqtt31, mqtt311, mqtt5, reasons } from './constants.ts';
import { MqttError } from './mqtt-error.ts';
import {
  type AckPacket,
  type ConnackPacket,
  type ConnectPacket,
  type EndPacket,
  type Packet,
  packetNames,
  type PublishPacket,
  type SubackPacket,
  type SubscribePacket,
  type Subscription,
  type UnsubscribePacket,
  type Will,
} from './packets.ts';
import { type Properties, readProperties, type Place } from './properties.ts';

/** Filters of one SUBSCRIBE or UNSUBSCRIBE. */
export const filtersMax = 1000;

/**
 * The packet of a first byte and what stands behind its remaining length.
 * @throws MqttError with the reason code that the sender is to be told
 */
export function decodePacket(first: number, buffer: Buffer, start: number, end: number, version: number): Packet {
  const reader = new ByteReader(buffer, start, end);
  const name = packetNames[first >> 4];
  const flags = first & 15;
  if (name === undefined || (name === 'auth' && version !== mqtt5)) throw malformed(`packet type ${first >> 4}`);
  if (name !== 'publish' && flags !== flagsOf(name) && !isRepeated(flags, name, version))
    throw malformed(`flags ${flags} of ${name.toUpperCase()}`);
  switch (name) {
    case 'connect':
      return decodeConnect(reader);
    case 'connack':
      return decodeConnack(reader, version);
    case 'publish':
      return decodePublish(flags, reader, version);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return decodeAck(name, reader, version);
    case 'subscribe':
      return decodeSubscribe(reader, version);
    case 'unsubscribe':
      return decodeUnsubscribe(reader, version);
    case 'suback':
    case 'unsuback':
      return decodeSuback(name, reader, version);
    case 'pingreq':
    case 'pingresp':
      reader.finish();
      return { name };
    default:
      return decodeEnd(name, reader, version);
  }
}

/** Flags that are fixed: 2 for those that ask for an acknowledgement by their type. [MQTT 5.0 2.1.3] */
export function flagsOf(name: string): number {
  return name === 'pubrel' || name === 'subscribe' || name === 'unsubscribe' ? 2 : 0;
}

/** What asks for an acknowledgement may be marked as sent before, in the first version only. [MQTT 3.1, DUP] */
function isRepeated(flags: number, name: string, version: number): boolean {
  return version === mqtt31 && flagsOf(name) === 2 && flags === 10;
}

function propertiesOf(reader: ByteReader, version: number, place: Place): Properties {
  return version === mqtt5 ? readProperties(reader, place) : {};
}

/** @throws MqttError; of the version that the packet names it tells in `version` of an UnsupportedVersion */
function decodeConnect(reader: ByteReader): ConnectPacket {
  const protocol = reader.text();
  const version = reader.byte();
  const isKnown = (protocol === 'MQIsdp' && version === mqtt31) || (protocol === 'MQTT' && (version === mqtt311 || version === mqtt5));
  if (!isKnown) {
    if (protocol !== 'MQTT' && protocol !== 'MQIsdp') throw malformed(`the protocol '${protocol.slice(0, 16)}'`);
    throw new UnsupportedVersion(version);
  }
  const flags = reader.byte();
  const keepAliveSeconds = reader.uint16();
  if ((flags & 1) !== 0) throw malformed('the reserved flag of CONNECT');
  const hasWill = (flags & 4) !== 0;
  const willQos = (flags >> 3) & 3;
  if (willQos === 3 || (!hasWill && (flags & 0x38) !== 0)) throw malformed('the flags of the will');
  const hasUsername = (flags & 0x80) !== 0;
  const hasPassword = (flags & 0x40) !== 0;
  if (hasPassword && !hasUsername && version !== mqtt5) throw malformed('a password without a user name');
  const properties = propertiesOf(reader, version, 'connect');
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined)
    throw protocolError('authentication data without a method');
  const clientId = reader.text();
  let will: Will | null = null;
  if (hasWill) {
    const willProperties = propertiesOf(reader, version, 'will');
    const topic = reader.text();
    will = { topic, payload: Buffer.from(reader.binary()), qos: willQos, isRetained: (flags & 0x20) !== 0, properties: willProperties };
  }
  const username = hasUsername ? reader.text() : null;
  const password = hasPassword ? Buffer.from(reader.binary()) : null;
  reader.finish();
  return { name: 'connect', version, clientId, isCleanStart: (flags & 2) !== 0, keepAliveSeconds, will, username, password, properties };
}

/** A version of the protocol that is not spoken here. */
export class UnsupportedVersion extends MqttError {
  readonly version: number;

  constructor(version: number) {
    super(reasons.unsupportedVersion, `protocol version ${version}`);
    this.version = version;
  }
}

function decodeConnack(reader: ByteReader, version: number): ConnackPacket {
  const flags = reader.byte();
  if (flags > 1) throw malformed('the flags of CONNACK');
  const reason = reader.byte();
  const properties = propertiesOf(reader, version, 'connack');
  reader.finish();
  return { name: 'connack', isSessionPresent: flags === 1, reason, properties };
}

function decodePublish(flags: number, reader: ByteReader, version: number): PublishPacket {
  const qos = (flags >> 1) & 3;
  const isDuplicate = (flags & 8) !== 0;
  if (qos === 3) throw malformed('QoS 3');
  if (qos === 0 && isDuplicate) throw malformed('a duplicate with QoS 0');
  const topic = reader.text();
  const packetId = qos === 0 ? 0 : reader.packetId();
  const properties = propertiesOf(reader, version, 'publish');
  const payload = reader.bytes(reader.end - reader.at);
  return { name: 'publish', topic, qos, isDuplicate, isRetained: (flags & 1) !== 0, packetId, payload, properties };
}

function decodeAck(name: AckPacket['name'], reader: ByteReader, version: number): AckPacket {
  const packetId = reader.packetId();
  let reason = 0;
  let properties: Properties = {};
  // Reason and properties may be left out when they say nothing. [MQTT 5.0 3.4.2.1]
  if (version === mqtt5 && !reader.isAtEnd) {
    reason = reader.byte();
    if (!reader.isAtEnd) properties = readProperties(reader, name);
  }
  reader.finish();
  return { name, packetId, reason, properties };
}

function decodeSubscribe(reader: ByteReader, version: number): SubscribePacket {
  const packetId = reader.packetId();
  const properties = propertiesOf(reader, version, 'subscribe');
  const subscriptions: Subscription[] = [];
  while (!reader.isAtEnd) {
    if (subscriptions.length >= filtersMax) throw new MqttError(reasons.quotaExceeded, `more than ${filtersMax} topic filters`);
    const filter = reader.text();
    const options = reader.byte();
    const qos = options & 3;
    if (qos === 3) throw malformed('QoS 3 of a subscription');
    const retainHandling = (options >> 4) & 3;
    if (version === mqtt5 ? (options & 0xc0) !== 0 || retainHandling === 3 : (options & 0xfc) !== 0)
      throw malformed('reserved bits of a subscription');
    const isNoLocal = (options & 4) !== 0;
    if (isNoLocal && filter.startsWith('$share/')) throw protocolError('a shared subscription with No Local');
    subscriptions.push({ filter, qos, isNoLocal, isRetainAsPublished: (options & 8) !== 0, retainHandling });
  }
  if (subscriptions.length === 0) throw protocolError('SUBSCRIBE without a topic filter');
  return { name: 'subscribe', packetId, subscriptions, properties };
}

function decodeUnsubscribe(reader: ByteReader, version: number): UnsubscribePacket {
  const packetId = reader.packetId();
  const properties = propertiesOf(reader, version, 'unsubscribe');
  const filters: string[] = [];
  while (!reader.isAtEnd) {
    if (filters.length >= filtersMax) throw new MqttError(reasons.quotaExceeded, `more than ${filtersMax} topic filters`);
    filters.push(reader.text());
  }
  if (filters.length === 0) throw protocolError('UNSUBSCRIBE without a topic filter');
  return { name: 'unsubscribe', packetId, filters, properties };
}

function decodeSuback(name: SubackPacket['name'], reader: ByteReader, version: number): SubackPacket {
  const packetId = reader.packetId();
  const properties = propertiesOf(reader, version, name);
  const codes = [...reader.bytes(reader.end - reader.at)];
  return { name, packetId, reasons: codes, properties };
}

function decodeEnd(name: EndPacket['name'], reader: ByteReader, version: number): EndPacket {
  let reason = 0;
  let properties: Properties = {};
  if (version === mqtt5 && !reader.isAtEnd) {
    reason = reader.byte();
    if (!reader.isAtEnd) properties = readProperties(reader, name);
  }
  reader.finish();
  return { name, reason, properties };
}
