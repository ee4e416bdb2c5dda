import { ByteWriter } from './byte-writer.ts';
import { mqtt31, mqtt5, packetTypes } from './constants.ts';
import { flagsOf } from './decode.ts';
import type { ConnectPacket, Packet } from './packets.ts';
import { type Properties, writeProperties } from './properties.ts';

/** A whole packet. @throws RangeError for a text or binary above 65,535 bytes */
export function encodePacket(packet: Packet, version: number): Buffer {
  const body = new ByteWriter();
  let flags = flagsOf(packet.name);
  if (packet.name === 'publish') flags = (packet.isDuplicate ? 8 : 0) | (packet.qos << 1) | (packet.isRetained ? 1 : 0);
  writeBody(body, packet, version);
  return new ByteWriter()
    .byte((packetTypes[packet.name] << 4) | flags)
    .varint(body.bytes)
    .raw(body.finish())
    .finish();
}

function writeBody(body: ByteWriter, packet: Packet, version: number): void {
  const properties = (values: Properties): void => {
    if (version === mqtt5) writeProperties(body, values);
  };
  switch (packet.name) {
    case 'connect':
      writeConnect(body, packet);
      return;
    case 'connack':
      body.byte(packet.isSessionPresent ? 1 : 0).byte(packet.reason);
      properties(packet.properties);
      return;
    case 'publish':
      body.text(packet.topic);
      if (packet.qos > 0) body.uint16(packet.packetId);
      properties(packet.properties);
      body.raw(packet.payload);
      return;
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      body.uint16(packet.packetId);
      writeReason(body, packet.reason, packet.properties, version);
      return;
    case 'subscribe':
      body.uint16(packet.packetId);
      properties(packet.properties);
      for (const each of packet.subscriptions) {
        body.text(each.filter);
        const options = (each.isNoLocal ? 4 : 0) | (each.isRetainAsPublished ? 8 : 0) | (each.retainHandling << 4);
        body.byte(each.qos | (version === mqtt5 ? options : 0));
      }
      return;
    case 'unsubscribe':
      body.uint16(packet.packetId);
      properties(packet.properties);
      for (const filter of packet.filters) body.text(filter);
      return;
    case 'suback':
    case 'unsuback':
      body.uint16(packet.packetId);
      properties(packet.properties);
      // Before MQTT 5 an UNSUBACK tells nothing.
      if (packet.name === 'suback' || version === mqtt5) body.raw(Buffer.from(packet.reasons));
      return;
    case 'pingreq':
    case 'pingresp':
      return;
    default:
      writeReason(body, packet.reason, packet.properties, version);
  }
}

/** What says nothing is left out. */
function writeReason(body: ByteWriter, reason: number, properties: Properties, version: number): void {
  const hasProperties = Object.keys(properties).length > 0;
  if (version !== mqtt5 || (reason === 0 && !hasProperties)) return;
  body.byte(reason);
  if (hasProperties) writeProperties(body, properties);
}

function writeConnect(body: ByteWriter, packet: ConnectPacket): void {
  const { version, will } = packet;
  const willFlags = will === null ? 0 : 4 | (will.qos << 3) | (will.isRetained ? 0x20 : 0);
  body
    .text(version === mqtt31 ? 'MQIsdp' : 'MQTT')
    .byte(version)
    .byte((packet.username === null ? 0 : 0x80) | (packet.password === null ? 0 : 0x40) | willFlags | (packet.isCleanStart ? 2 : 0))
    .uint16(packet.keepAliveSeconds);
  if (version === mqtt5) writeProperties(body, packet.properties);
  body.text(packet.clientId);
  if (will !== null) {
    if (version === mqtt5) writeProperties(body, will.properties);
    body.text(will.topic).binary(will.payload);
  }
  if (packet.username !== null) body.text(packet.username);
  if (packet.password !== null) body.binary(packet.password);
}
