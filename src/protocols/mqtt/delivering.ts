// hot path: see docs/STYLE.md
import { copyBytes } from '../../base/bytes.ts';
import { mqttFormatTag } from '../../core/messages/format-tags.ts';
import type { MessageStore } from '../../core/messages/message-store.ts';
import type { Outbox } from '../../net/outbox.ts';
import { outboxSlabBytes } from '../../net/slab-pool.ts';
import { isMqttText } from '../../wire/mqtt/byte-reader.ts';
import { varintBytes, writeVarint } from '../../wire/mqtt/byte-writer.ts';
import { packetTypes, varintMax } from '../../wire/mqtt/constants.ts';
import { encodeProperties } from '../../wire/mqtt/properties.ts';
import type { Connection } from './connection.ts';
import { propertiesOfDescribed } from './mqtt-format.ts';
import { expirySeconds, rawStart } from './stored-properties.ts';
import { topicOfRoutingKey } from './topics.ts';

const publishByte: number = packetTypes.publish << 4;
const dot = 0x2e;
const slash = 0x2f;
const messageExpiryId = 0x02;
const topicAliasId = 0x23;

/** Bytes of variable length before the packet: one of type, up to four of length. */
const fixedHeaderMax = 5;

/** Writes a routing key as a topic. */
function writeTopic(source: Buffer, from: number, count: number, target: Buffer, to: number): void {
  for (let i = 0; i < count; i++) {
    const byte = source[from + i] as number;
    target[to + i] = byte === dot ? slash : byte;
  }
}

/** Whether a routing key from another protocol names a topic that MQTT can have. */
function isTopic(buffer: Buffer, start: number, count: number): boolean {
  for (let at = start; at < start + count; at++) {
    const byte = buffer[at] as number;
    if (byte === 0x23 || byte === 0x2b) return false;
  }
  return count > 0 && isMqttText(buffer, start, start + count);
}

/**
 * Writes a PUBLISH of the message that `store.locate` found. `flags` are those of its first byte; `packetId` counts with QoS above 0;
 * `subscriptionIds` are those of MQTT 5, encoded. Returns false when the client cannot have it: its topic is none, or it is too large.
 */
export function writePublish(
  connection: Connection,
  store: MessageStore,
  arrivalMillis: number,
  flags: number,
  packetId: number,
  subscriptionIds: Buffer,
): boolean {
  const { loose } = store;
  const envelope = loose === null ? store.bytes : loose.envelope;
  const keyLengthAt =
    loose === null ? store.envelopeStart + 1 + (store.bytes[store.envelopeStart] as number) : 1 + (loose.envelope[0] as number);
  let key = envelope;
  let keyStart = keyLengthAt + 1;
  let keyBytes = envelope[keyLengthAt] as number;
  const isOwn = store.format === mqttFormatTag;
  if (!isOwn && !isTopic(key, keyStart, keyBytes)) return false;
  if (connection.isSparkplug) {
    key = Buffer.from(topicOfRoutingKey(key.toString('utf8', keyStart, keyStart + keyBytes), true));
    keyStart = 0;
    keyBytes = key.length;
  }
  const hasId = (flags & 6) !== 0;
  const { bodyBytes } = store;
  let properties = loose === null ? store.bytes : loose.properties;
  let propertiesStart = loose === null ? store.propertiesStart : 0;
  let propertiesBytes = 0;
  let expiry = -1;
  let alias = 0;
  let isAliasKnown = false;
  let allPropertiesBytes = 0;
  if (connection.isVersion5) {
    if (isOwn) {
      expiry = expirySeconds(properties, propertiesStart);
      const start = rawStart(properties, propertiesStart);
      propertiesBytes = propertiesStart + store.propertiesBytes - start;
      propertiesStart = start;
    } else {
      const described = connection.broker.format(store.format).describe(properties, propertiesStart, store.propertiesBytes);
      const { messageExpirySeconds, ...converted } = propertiesOfDescribed(described);
      expiry = messageExpirySeconds ?? -1;
      properties = encodeProperties(converted);
      propertiesStart = 0;
      propertiesBytes = properties.length;
    }
    const aliases = connection.outgoingAliases;
    if (aliases !== null) {
      alias = aliases.find(key, keyStart, keyBytes);
      isAliasKnown = alias > 0;
      if (!isAliasKnown) alias = aliases.add(key, keyStart, keyBytes);
    }
    // How long it has waited is taken off. [MQTT 5.0 3.3.2.3.3]
    if (expiry >= 0) expiry = Math.max(0, expiry - Math.floor(((connection.broker.clock.nowMillis - arrivalMillis) >>> 0) / 1000));
    allPropertiesBytes = propertiesBytes + (expiry >= 0 ? 5 : 0) + subscriptionIds.length + (alias > 0 ? 3 : 0);
  }
  const topicBytes = isAliasKnown ? 0 : keyBytes;
  const head = 2 + topicBytes + (hasId ? 2 : 0) + (connection.isVersion5 ? varintBytes(allPropertiesBytes) + allPropertiesBytes : 0);
  const remaining = head + bodyBytes;
  if (remaining > varintMax || 1 + varintBytes(remaining) + remaining > connection.packetBytesMaxOfClient) return false;
  const { outbox } = connection;
  const isSmall = loose === null && remaining <= outboxSlabBytes / 2;
  const isHeadSmall = head <= outboxSlabBytes / 2;
  outbox.reserve(isSmall ? fixedHeaderMax + remaining : isHeadSmall ? fixedHeaderMax + head : fixedHeaderMax + head - propertiesBytes);
  const target = outbox.buffer;
  let at = outbox.position;
  target[at++] = publishByte | flags;
  at = writeVarint(target, at, remaining);
  target[at++] = topicBytes >> 8;
  target[at++] = topicBytes;
  if (connection.isSparkplug) copyBytes(key, keyStart, target, at, topicBytes);
  else writeTopic(key, keyStart, topicBytes, target, at);
  at += topicBytes;
  if (hasId) {
    target[at++] = packetId >> 8;
    target[at++] = packetId;
  }
  if (connection.isVersion5) {
    at = writeVarint(target, at, allPropertiesBytes);
    if (alias > 0) {
      target[at++] = topicAliasId;
      target[at++] = alias >> 8;
      target[at++] = alias;
    }
    if (expiry >= 0) {
      target[at++] = messageExpiryId;
      at = target.writeUInt32BE(expiry, at);
    }
    copyBytes(subscriptionIds, 0, target, at, subscriptionIds.length);
    at += subscriptionIds.length;
    if (isHeadSmall) {
      copyBytes(properties, propertiesStart, target, at, propertiesBytes);
      at += propertiesBytes;
    } else {
      outbox.position = at;
      appendCopy(outbox, properties, propertiesStart, propertiesBytes);
      at = outbox.position;
    }
  }
  if (isSmall) {
    copyBytes(store.bytes, store.bodyStart, target, at, bodyBytes);
    outbox.position = at + bodyBytes;
    return true;
  }
  outbox.position = at;
  if (loose === null) appendCopy(outbox, store.bytes, store.bodyStart, bodyBytes);
  else if (loose.body !== null) outbox.appendLent(loose.body);
  return true;
}

/** Adds bytes of a slab, which may be used for others before they are sent. */
function appendCopy(outbox: Outbox, source: Buffer, start: number, count: number): void {
  const bytes = source.subarray(start, start + count);
  if (count <= outboxSlabBytes) outbox.append(bytes);
  else outbox.appendChunk(Buffer.from(bytes));
}
