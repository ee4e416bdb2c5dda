// What of a PUBLISH is kept beside topic and payload, so that a subscriber with MQTT 5 gets the properties as they came:
//
//     flags u8 (QoS in bits 0 and 1, 4: RETAIN was set, 8: an expiry follows, 16: sent because it is retained) | expiry u32, seconds | properties
//
// The properties are those of MQTT 5 but topic alias, subscription identifiers and message expiry.
import { ByteReader } from '../../wire/mqtt/byte-reader.ts';
import { decodeProperties, encodeProperties, type Properties } from '../../wire/mqtt/properties.ts';

export const qosMask = 3;
export const retainFlag = 4;
export const expiryFlag = 8;
/** The message is in its queue because it was retained when the client subscribed. */
export const asRetainedFlag = 16;

/** Where the properties begin behind the flags at `start`. */
export function rawStart(buffer: Buffer, start: number): number {
  return start + (((buffer[start] as number) & expiryFlag) === 0 ? 1 : 5);
}

/** Seconds until the message expires, counted from its arrival; -1: never. */
export function expirySeconds(buffer: Buffer, start: number): number {
  return ((buffer[start] as number) & expiryFlag) === 0 ? -1 : buffer.readUInt32BE(start + 1);
}

/** The stored form of a message's QoS, RETAIN flag and properties. */
export function storedProperties(qos: number, isRetained: boolean, properties: Properties): Buffer {
  const { topicAlias: _, subscriptionIds: __, messageExpirySeconds, ...kept } = properties;
  const raw = encodeProperties(kept);
  const head = Buffer.alloc(messageExpirySeconds === undefined ? 1 : 5);
  head[0] = qos | (isRetained ? retainFlag : 0);
  if (messageExpirySeconds !== undefined) {
    head[0] |= expiryFlag;
    head.writeUInt32BE(messageExpirySeconds, 1);
  }
  return Buffer.concat([head, raw]);
}

/** The properties in the stored form, without the expiry. */
export function readStored(buffer: Buffer, start: number, bytes: number): Properties {
  return decodeProperties(new ByteReader(buffer, rawStart(buffer, start), start + bytes), 'publish');
}
