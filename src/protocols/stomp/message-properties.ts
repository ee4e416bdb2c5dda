// Headers of SEND as a message's properties, and a message's properties as headers of MESSAGE. [RabbitMQ docs: STOMP, message properties]
import { type FieldTable, int, isInteger, longstr, table, timestamp } from '../../base/field-table.ts';
import { decodeText, textBytes } from '../../base/text.ts';
import { limits } from '../../core/limits.ts';
import type { Frame, Header } from '../../wire/stomp/frame.ts';
import { destinationPrefixes } from './destination.ts';
import { booleanHeader, integerHeader } from './headers.ts';
import { invalidHeader } from './stomp-error.ts';

/** Properties that are texts: the header's name and the property's. */
const textProperties: readonly (readonly [header: string, property: string])[] = [
  ['content-type', 'content_type'],
  ['content-encoding', 'content_encoding'],
  ['correlation-id', 'correlation_id'],
  ['reply-to', 'reply_to'],
  ['expiration', 'expiration'],
  ['amqp-message-id', 'message_id'],
  ['type', 'type'],
  ['user-id', 'user_id'],
  ['app-id', 'app_id'],
];

const propertyHeaders: ReadonlySet<string> = new Set([
  ...textProperties.map(([header]) => header),
  'persistent',
  'priority',
  'timestamp',
  'destination',
]);

/** What SEND's headers say of the message, under AMQP's names. `replyTo` goes before the header. @throws StompError */
export function propertiesOf(frame: Frame, replyTo: string | undefined): FieldTable {
  const described: FieldTable = new Map();
  for (const [header, property] of textProperties) {
    const text = header === 'reply-to' ? (replyTo ?? frame.headers.get(header)) : frame.headers.get(header);
    if (text === undefined) continue;
    if (textBytes(text) > limits.nameBytesMax) throw invalidHeader(`'${header}' is longer than ${limits.nameBytesMax} bytes`);
    described.set(property, longstr(text));
  }
  if (booleanHeader(frame, 'persistent') === true) described.set('delivery_mode', int(2));
  const priority = integerHeader(frame, 'priority', 0, 255);
  if (priority !== undefined) described.set('priority', int(priority));
  const seconds = integerHeader(frame, 'timestamp');
  if (seconds !== undefined) described.set('timestamp', timestamp(seconds));
  const headers: FieldTable = new Map();
  for (const [name, value] of frame.headers) {
    if (propertyHeaders.has(name)) continue;
    if (textBytes(name) > limits.nameBytesMax) throw invalidHeader(`a header's name is longer than ${limits.nameBytesMax} bytes`);
    headers.set(name, longstr(value));
  }
  if (headers.size > 0) described.set('headers', table(headers));
  return described;
}

/** Names that say how the message came to this subscription: no header of the message itself goes for one. */
const ownHeaders: ReadonlySet<string> = new Set(['subscription', 'destination', 'message-id', 'redelivered', 'ack', 'content-length']);

/** Adds the properties' headers to those that MESSAGE has already. */
export function addHeaders(described: FieldTable, into: Header[]): void {
  for (const [header, property] of textProperties) {
    const value = described.get(property)?.value;
    if (typeof value !== 'string') continue;
    into.push([header, header === 'reply-to' ? replyDestination(value) : value]);
  }
  if (described.get('delivery_mode')?.value === 2) into.push(['persistent', 'true']);
  for (const name of ['priority', 'timestamp']) {
    const value = described.get(name)?.value;
    if (value !== undefined) into.push([name, String(value)]);
  }
  const headers = described.get('headers')?.value;
  if (!(headers instanceof Map)) return;
  for (const [name, field] of headers) {
    if (ownHeaders.has(name) || propertyHeaders.has(name)) continue;
    // Arrays, tables and the like have no form in a header. [RabbitMQ: adhoc_convert_headers]
    if (field.type === 'S') into.push([name, textOf(field.value)]);
    else if (isInteger(field)) into.push([name, String(field.value)]);
  }
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? decodeText(Buffer.from(value), 0, value.length) : String(value);
}

/** What is no destination is the name of a queue for replies. [RabbitMQ: headers_post_process] */
function replyDestination(replyTo: string): string {
  return destinationPrefixes.some(prefix => replyTo.startsWith(prefix)) ? replyTo : `/reply-queue/${replyTo}`;
}
