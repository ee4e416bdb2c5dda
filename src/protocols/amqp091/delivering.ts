// hot path: see docs/STYLE.md
import { copyBytes } from '../../base/bytes.ts';
import { type FieldTable, long } from '../../base/field-table.ts';
import type { Consumer } from '../../core/consumer.ts';
import { shownBytes } from '../../core/messages/envelope.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { amqp091FormatTag } from '../../core/messages/format-tags.ts';
import type { Publication } from '../../core/messages/publication.ts';
import { deliveryCount, type Entry, metaRedelivered } from '../../core/queues/entry.ts';
import type { Queue } from '../../core/queues/queue.ts';
import type { Lender, Outbox } from '../../net/outbox.ts';
import { outboxSlabBytes } from '../../net/slab-pool.ts';
import { FrameBody, FrameEnd, FrameHeader, FrameMethod } from '../../wire/amqp091/constants.gen.ts';
import { amqp091Format } from './amqp-format.ts';
import { encodeBasicReturn } from '../../wire/amqp091/methods.gen.ts';

const frameHeaderBytes = 7;
/** Class, weight and body size before the properties in a content header. */
const contentPrefixBytes = 12;
const noBytes = Buffer.alloc(0);

/** The unchanging beginning of a consumer's basic.deliver: frame header, method and consumer tag. */
function deliverTemplate(consumer: Consumer, channelNumber: number): Buffer {
  const tag = Buffer.from(consumer.tag, 'utf8');
  const template = Buffer.alloc(frameHeaderBytes + 5 + tag.length);
  template[0] = FrameMethod;
  template.writeUInt16BE(channelNumber, 1);
  template.writeUInt16BE(60, 7);
  template.writeUInt16BE(60, 9);
  template[11] = tag.length;
  tag.copy(template, 12);
  return template;
}

/**
 * Writes basic.deliver with its content: three frames in one go for a message that fits one body frame. Returns nothing; the outbox
 * tells when it is full.
 */
export function writeDelivery(
  outbox: Outbox,
  broker: BrokerCore,
  consumer: Consumer,
  channelNumber: number,
  deliveryTag: number,
  entry: Entry,
  bodyFrameMax: number,
): void {
  const { store } = broker;
  const template = (consumer.template ??= deliverTemplate(consumer, channelNumber));
  store.locate(entry.ref);
  const loose = store.loose;
  const envelope = loose === null ? store.bytes : loose.envelope;
  const envelopeStart = loose === null ? store.envelopeStart : 0;
  // Behind exchange and routing key there may be keys of BCC.
  const envelopeBytes = shownBytes(envelope, envelopeStart);
  const templateBytes = template.length;
  const methodBytes = templateBytes + 9 + envelopeBytes + 1;
  const bodyBytes = store.bodyBytes;
  const count = shownCount(consumer.queue, entry);
  const isSmall =
    loose === null &&
    bodyBytes <= bodyFrameMax &&
    bodyBytes + store.propertiesBytes <= outboxSlabBytes / 2 &&
    store.format === amqp091FormatTag &&
    count === 0;
  outbox.reserve(isSmall ? methodBytes + 28 + store.propertiesBytes + bodyBytes : methodBytes);
  const target = outbox.buffer;
  let at = outbox.position;
  copyBytes(template, 0, target, at, templateBytes);
  const payloadBytes = methodBytes - frameHeaderBytes - 1;
  // No method frame of ours is longer than 1 KiB: the upper half of the size stays as the template has it.
  target[at + 5] = payloadBytes >> 8;
  target[at + 6] = payloadBytes;
  at += templateBytes;
  at = writeTag(target, at, deliveryTag);
  target[at++] = entry.meta & metaRedelivered;
  copyBytes(envelope, envelopeStart, target, at, envelopeBytes);
  at += envelopeBytes;
  target[at++] = FrameEnd;
  if (!isSmall) {
    outbox.position = at;
    writeContent(outbox, broker, channelNumber, bodyFrameMax, count);
    return;
  }
  const propertiesBytes = store.propertiesBytes;
  at = writeFrameHeader(target, at, FrameHeader, channelNumber, contentPrefixBytes + propertiesBytes);
  at = writeContentPrefix(target, at, bodyBytes);
  copyBytes(store.bytes, store.propertiesStart, target, at, propertiesBytes);
  at += propertiesBytes;
  target[at++] = FrameEnd;
  if (bodyBytes > 0) {
    at = writeFrameHeader(target, at, FrameBody, channelNumber, bodyBytes);
    copyBytes(store.bytes, store.bodyStart, target, at, bodyBytes);
    at += bodyBytes;
    target[at++] = FrameEnd;
  }
  outbox.position = at;
}

/** Writes basic.get-ok with its content. */
export function writeGetOk(
  outbox: Outbox,
  broker: BrokerCore,
  channelNumber: number,
  deliveryTag: number,
  queue: Queue,
  entry: Entry,
  bodyFrameMax: number,
): void {
  const { store } = broker;
  store.locate(entry.ref);
  const loose = store.loose;
  const envelope = loose === null ? store.bytes : loose.envelope;
  const envelopeStart = loose === null ? store.envelopeStart : 0;
  const envelopeBytes = shownBytes(envelope, envelopeStart);
  const payloadBytes = 4 + 9 + envelopeBytes + 4;
  outbox.reserve(frameHeaderBytes + payloadBytes + 1);
  const target = outbox.buffer;
  let at = writeFrameHeader(target, outbox.position, FrameMethod, channelNumber, payloadBytes);
  target[at++] = 0;
  target[at++] = 60;
  target[at++] = 0;
  target[at++] = 71;
  at = writeTag(target, at, deliveryTag);
  target[at++] = entry.meta & metaRedelivered;
  copyBytes(envelope, envelopeStart, target, at, envelopeBytes);
  at += envelopeBytes;
  at = target.writeUInt32BE(queue.readyCount, at);
  target[at++] = FrameEnd;
  outbox.position = at;
  writeContent(outbox, broker, channelNumber, bodyFrameMax, shownCount(queue, entry));
}

/** How often the message came back, for a queue that tells it. */
function shownCount(queue: Queue, entry: Entry): number {
  const count = deliveryCount(entry.meta);
  return count !== 0 && queue.countsDeliveries ? count : 0;
}

/** Writes basic.return for a message that reached no queue, with its content. [AMQP 0-9-1 basic.return] */
export function writeReturn(
  outbox: Outbox,
  channelNumber: number,
  code: number,
  text: string,
  exchange: string,
  key: string,
  p: Publication,
  bodyFrameMax: number,
): void {
  outbox.append(encodeBasicReturn(channelNumber, { replyCode: code, replyText: text, exchange, routingKey: key }));
  writeHeaderFrame(outbox, channelNumber, p.properties, p.propertiesStart, p.propertiesBytes, p.bodyBytes);
  if (p.large === null)
    writeBodyFrames(outbox, channelNumber, [p.body.subarray(p.bodyStart, p.bodyStart + p.bodyBytes)], null, bodyFrameMax);
  else writeBodyFrames(outbox, channelNumber, p.large.pieces, p.large, bodyFrameMax);
}

/** Header and body frames of the message that `store.locate` found. With `count` they tell how often it came back. */
function writeContent(outbox: Outbox, broker: BrokerCore, channelNumber: number, bodyFrameMax: number, count: number): void {
  const { store } = broker;
  const loose = store.loose;
  let properties = loose === null ? store.bytes : loose.properties;
  let propertiesStart = loose === null ? store.propertiesStart : 0;
  let propertiesBytes = store.propertiesBytes;
  if (store.format !== amqp091FormatTag) {
    properties = amqp091Format.encode(broker.format(store.format).describe(properties, propertiesStart, propertiesBytes));
    propertiesStart = 0;
    propertiesBytes = properties.length;
  }
  if (count !== 0) {
    const headers: FieldTable = new Map(amqp091Format.headers(properties, propertiesStart, propertiesBytes) ?? []);
    headers.set('x-delivery-count', long(count));
    properties = amqp091Format.rewrite(properties, propertiesStart, propertiesBytes, { headers, removeExpiration: false });
    propertiesStart = 0;
    propertiesBytes = properties.length;
  }
  writeHeaderFrame(outbox, channelNumber, properties, propertiesStart, propertiesBytes, store.bodyBytes);
  if (loose === null) {
    const bytes = store.bytes;
    const bodyStart = store.bodyStart;
    const bodyBytes = store.bodyBytes;
    if (bodyBytes > 0) writeBodyFrames(outbox, channelNumber, [bytes.subarray(bodyStart, bodyStart + bodyBytes)], null, bodyFrameMax);
    return;
  }
  if (loose.body !== null) writeBodyFrames(outbox, channelNumber, loose.body.pieces, loose.body, bodyFrameMax);
}

function writeHeaderFrame(
  outbox: Outbox,
  channelNumber: number,
  properties: Buffer,
  start: number,
  count: number,
  bodyBytes: number,
): void {
  const isCopied = count <= outboxSlabBytes / 2;
  outbox.reserve(frameHeaderBytes + contentPrefixBytes + (isCopied ? count + 1 : 0));
  let at = writeFrameHeader(outbox.buffer, outbox.position, FrameHeader, channelNumber, contentPrefixBytes + count);
  at = writeContentPrefix(outbox.buffer, at, bodyBytes);
  if (isCopied) {
    copyBytes(properties, start, outbox.buffer, at, count);
    at += count;
    outbox.buffer[at++] = FrameEnd;
    outbox.position = at;
    return;
  }
  outbox.position = at;
  appendCopy(outbox, properties.subarray(start, start + count));
  outbox.reserve(1);
  outbox.buffer[outbox.position++] = FrameEnd;
}

/** Cuts a body into frames of the receiver's size. Pieces that somebody lends are sent from where they are. */
function writeBodyFrames(
  outbox: Outbox,
  channelNumber: number,
  parts: readonly Buffer[],
  lender: Lender | null,
  bodyFrameMax: number,
): void {
  let left = 0;
  for (const part of parts) left += part.length;
  let index = 0;
  let offset = 0;
  while (left > 0) {
    let frameLeft = Math.min(left, bodyFrameMax);
    outbox.reserve(frameHeaderBytes);
    outbox.position = writeFrameHeader(outbox.buffer, outbox.position, FrameBody, channelNumber, frameLeft);
    left -= frameLeft;
    while (frameLeft > 0) {
      const part = parts[index] ?? noBytes;
      const count = Math.min(frameLeft, part.length - offset);
      const piece = count === part.length ? part : part.subarray(offset, offset + count);
      if (lender === null) appendCopy(outbox, piece);
      else outbox.appendPiece(piece, lender);
      frameLeft -= count;
      offset += count;
      if (offset === part.length) {
        index++;
        offset = 0;
      }
    }
    outbox.reserve(1);
    outbox.buffer[outbox.position++] = FrameEnd;
  }
}

/** Adds bytes of a slab, which may be used for others before they are sent. */
function appendCopy(outbox: Outbox, bytes: Buffer): void {
  if (bytes.length <= outboxSlabBytes) outbox.append(bytes);
  else outbox.appendChunk(Buffer.from(bytes));
}

function writeFrameHeader(target: Buffer, at: number, type: number, channelNumber: number, size: number): number {
  target[at] = type;
  target[at + 1] = channelNumber >> 8;
  target[at + 2] = channelNumber;
  target[at + 3] = size >>> 24;
  target[at + 4] = size >> 16;
  target[at + 5] = size >> 8;
  target[at + 6] = size;
  return at + 7;
}

/** Class basic, weight 0, body size. */
function writeContentPrefix(target: Buffer, at: number, bodyBytes: number): number {
  target[at] = 0;
  target[at + 1] = 60;
  target[at + 2] = 0;
  target[at + 3] = 0;
  target[at + 4] = 0;
  target[at + 5] = 0;
  target[at + 6] = 0;
  target[at + 7] = 0;
  target[at + 8] = bodyBytes >>> 24;
  target[at + 9] = bodyBytes >> 16;
  target[at + 10] = bodyBytes >> 8;
  target[at + 11] = bodyBytes;
  return at + 12;
}

function writeTag(target: Buffer, at: number, tag: number): number {
  const high = tag > 0xffff_ffff ? Math.floor(tag / 0x1_0000_0000) : 0;
  const low = tag >>> 0;
  target[at] = high >> 24;
  target[at + 1] = high >> 16;
  target[at + 2] = high >> 8;
  target[at + 3] = high;
  target[at + 4] = low >>> 24;
  target[at + 5] = low >> 16;
  target[at + 6] = low >> 8;
  target[at + 7] = low;
  return at + 8;
}
