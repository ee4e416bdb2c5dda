import { type Field, type FieldTable, int, long, longstr, table } from '../../base/field-table.ts';
import { decodeText, textBytes } from '../../base/text.ts';
import { limits } from '../../core/limits.ts';
import { amqp091FormatTag } from '../../core/messages/format-tags.ts';
import type { PivotFormat, PropertyChanges, TextProperty } from '../../core/ports/message-format.ts';
import { decodeProperties, encodeProperties, type Properties } from '../../wire/amqp091/properties.ts';
import { streamFilterValue, streamOffsetBytes, writeWithStreamOffset } from '../../wire/amqp091/stream-headers.ts';

/** The properties under their names in the specification. [RabbitMQ: rabbit_trace, properties] */
const describedProperties: readonly (readonly [string, keyof Properties])[] = [
  ['content_type', 'contentType'],
  ['content_encoding', 'contentEncoding'],
  ['headers', 'headers'],
  ['delivery_mode', 'deliveryMode'],
  ['priority', 'priority'],
  ['correlation_id', 'correlationId'],
  ['reply_to', 'replyTo'],
  ['expiration', 'expiration'],
  ['message_id', 'messageId'],
  ['timestamp', 'timestamp'],
  ['type', 'type'],
  ['user_id', 'userId'],
  ['app_id', 'appId'],
  ['cluster_id', 'clusterId'],
];

function fieldOf(value: NonNullable<Properties[keyof Properties]>): Field {
  if (typeof value === 'string') return longstr(value);
  if (typeof value === 'number') return int(value);
  if (typeof value === 'bigint') return { type: 'l', value: BigInt.asIntN(64, value) };
  return table(value);
}

/** The property's value as this format has it; null when it has no place for it. */
function valueOf(property: keyof Properties, { value }: Field): NonNullable<Properties[keyof Properties]> | null {
  switch (property) {
    case 'headers':
      return value instanceof Map ? value : null;
    case 'deliveryMode':
    case 'priority':
      return typeof value === 'number' && value >= 0 && value <= 255 ? value : null;
    case 'timestamp':
      if (typeof value === 'bigint') return BigInt.asUintN(64, value);
      return typeof value === 'number' && value >= 0 ? value : null;
    default: {
      const text = value instanceof Uint8Array ? decodeText(Buffer.from(value), 0, value.length) : value;
      return typeof text === 'string' && textBytes(text) <= limits.nameBytesMax ? text : null;
    }
  }
}

/** Properties as AMQP 0-9-1 writes them: flags word and values. All that other protocols' properties mean can be said in them. */
export const amqp091Format: PivotFormat = {
  tag: amqp091FormatTag,

  headers(properties: Buffer, start: number, bytes: number): FieldTable | null {
    return decodeProperties(properties, start, start + bytes).headers ?? null;
  },

  text(properties: Buffer, start: number, bytes: number, name: TextProperty): string | null {
    const { messageId, correlationId, timestamp } = decodeProperties(properties, start, start + bytes);
    if (name === 'message_id') return messageId ?? null;
    if (name === 'correlation_id') return correlationId ?? null;
    return timestamp === undefined ? null : String(timestamp);
  },

  expiration(properties: Buffer, start: number, bytes: number): string | null {
    return decodeProperties(properties, start, start + bytes).expiration ?? null;
  },

  describe(properties: Buffer, start: number, bytes: number): FieldTable {
    const decoded = decodeProperties(properties, start, start + bytes);
    const fields: FieldTable = new Map();
    for (const [name, property] of describedProperties) {
      const value = decoded[property];
      if (value !== undefined) fields.set(name, fieldOf(value));
    }
    return fields;
  },

  encode(described: FieldTable): Buffer {
    const properties: Record<string, NonNullable<Properties[keyof Properties]>> = {};
    for (const [name, property] of describedProperties) {
      const field = described.get(name);
      if (field === undefined) continue;
      const value = valueOf(property, field);
      if (value !== null) properties[property] = value;
    }
    return encodeProperties(properties);
  },

  rewrite(properties: Buffer, start: number, bytes: number, changes: PropertyChanges): Buffer {
    const decoded: Properties = { ...decodeProperties(properties, start, start + bytes) };
    if (changes.headers === null) delete decoded.headers;
    else decoded.headers = changes.headers;
    if (changes.removeExpiration) delete decoded.expiration;
    return encodeProperties(decoded);
  },

  streamOffsetBytes,
  streamFilterValue,

  writeWithStreamOffset(properties: Buffer, start: number, bytes: number, offset: number, target: Buffer, at: number): number {
    const end = writeWithStreamOffset(properties, start, bytes, offset, target, at);
    return end >= 0 ? end : replaceStreamOffset(properties, start, bytes, offset, target, at);
  },
};

/** The slow way, for messages that come from a stream: the offset they had there is replaced. */
function replaceStreamOffset(properties: Buffer, start: number, bytes: number, offset: number, target: Buffer, at: number): number {
  let written = properties.subarray(start, start + bytes);
  try {
    const decoded = decodeProperties(properties, start, start + bytes);
    const headers: FieldTable = new Map(decoded.headers ?? []);
    headers.delete('x-stream-offset');
    headers.set('x-stream-offset', long(offset));
    const encoded = encodeProperties({ ...decoded, headers });
    if (encoded.length <= bytes + streamOffsetBytes) written = encoded;
  } catch {
    // A publisher's table that nobody can read is no reason to lose the message.
  }
  return at + written.copy(target, at);
}
