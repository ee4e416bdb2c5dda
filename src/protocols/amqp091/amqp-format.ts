import type { FieldTable } from '../../base/field-table.ts';
import { amqp091FormatTag } from '../../core/messages/format-tags.ts';
import type { MessageFormat, PropertyChanges, TextProperty } from '../../core/ports/message-format.ts';
import { decodeProperties, encodeProperties, type Properties } from '../../wire/amqp091/properties.ts';

/** Properties as AMQP 0-9-1 writes them: flags word and values. */
export const amqp091Format: MessageFormat = {
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

  rewrite(properties: Buffer, start: number, bytes: number, changes: PropertyChanges): Buffer {
    const decoded: Properties = { ...decodeProperties(properties, start, start + bytes) };
    if (changes.headers === null) delete decoded.headers;
    else decoded.headers = changes.headers;
    if (changes.removeExpiration) delete decoded.expiration;
    return encodeProperties(decoded);
  },
};
