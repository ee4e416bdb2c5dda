// The properties of a message: a word of flags, then the values of those that are present, in the order of their flags.
// [AMQP 0-9-1 2.3.5.2] The hot path does not decode them: it peeks, see facets.ts.
import type { FieldTable } from '../../base/field-table.ts';
import { DecodeError } from '../decode-error.ts';
import { writeText } from '../../base/text.ts';
import { ArgumentReader, shortstrBytes } from './arguments.ts';
import {
  AppIdFlag,
  ClusterIdFlag,
  ContentEncodingFlag,
  ContentTypeFlag,
  CorrelationIdFlag,
  DeliveryModeFlag,
  ExpirationFlag,
  HeadersFlag,
  MessageIdFlag,
  PriorityFlag,
  ReplyToFlag,
  TimestampFlag,
  TypeFlag,
  UserIdFlag,
} from './constants.gen.ts';
import type { TableLimits } from './table.ts';
import { tableLimits, tableSize, writeTable, writeUint64 } from './table.ts';

export { Facets, peekFacets } from './facets.ts';

export interface Properties {
  contentType?: string;
  contentEncoding?: string;
  headers?: FieldTable;
  /** 1 transient, 2 persistent. */
  deliveryMode?: number;
  priority?: number;
  correlationId?: string;
  replyTo?: string;
  /** Milliseconds in decimal digits. */
  expiration?: string;
  messageId?: string;
  /** Seconds; bigint only beyond the safe integers. */
  timestamp?: number | bigint;
  type?: string;
  userId?: string;
  appId?: string;
  clusterId?: string;
}

/** A further word of flags follows. No property needs one, so nobody sends one. */
const continuationFlag = 0x0001;

/** The properties between the flags word at `start` and `end`. Throws DecodeError, also for bytes behind the last property. */
export function decodeProperties(buffer: Buffer, start: number, end: number, limits: TableLimits = tableLimits): Properties {
  const reader = new ArgumentReader(buffer, start, end);
  const flags = reader.short();
  if ((flags & continuationFlag) !== 0) throw new DecodeError('malformed', 'property flags with a continuation');
  const properties: Properties = {};
  if ((flags & ContentTypeFlag) !== 0) properties.contentType = reader.looseShortstr();
  if ((flags & ContentEncodingFlag) !== 0) properties.contentEncoding = reader.looseShortstr();
  if ((flags & HeadersFlag) !== 0) properties.headers = reader.table(limits);
  if ((flags & DeliveryModeFlag) !== 0) properties.deliveryMode = reader.octet();
  if ((flags & PriorityFlag) !== 0) properties.priority = reader.octet();
  if ((flags & CorrelationIdFlag) !== 0) properties.correlationId = reader.looseShortstr();
  if ((flags & ReplyToFlag) !== 0) properties.replyTo = reader.looseShortstr();
  if ((flags & ExpirationFlag) !== 0) properties.expiration = reader.looseShortstr();
  if ((flags & MessageIdFlag) !== 0) properties.messageId = reader.looseShortstr();
  if ((flags & TimestampFlag) !== 0) properties.timestamp = reader.timestamp();
  if ((flags & TypeFlag) !== 0) properties.type = reader.looseShortstr();
  if ((flags & UserIdFlag) !== 0) properties.userId = reader.looseShortstr();
  if ((flags & AppIdFlag) !== 0) properties.appId = reader.looseShortstr();
  if ((flags & ClusterIdFlag) !== 0) properties.clusterId = reader.looseShortstr();
  reader.end();
  return properties;
}

/** Flags and values, as they stand behind the body size of a content header. Throws RangeError for a text over 255 bytes or a number
 * outside its type. */
export function encodeProperties(properties: Properties): Buffer {
  const writer = new PropertyWriter(propertyBytes(properties));
  writer.shortstr(ContentTypeFlag, properties.contentType);
  writer.shortstr(ContentEncodingFlag, properties.contentEncoding);
  writer.table(HeadersFlag, properties.headers);
  writer.octet(DeliveryModeFlag, properties.deliveryMode);
  writer.octet(PriorityFlag, properties.priority);
  writer.shortstr(CorrelationIdFlag, properties.correlationId);
  writer.shortstr(ReplyToFlag, properties.replyTo);
  writer.shortstr(ExpirationFlag, properties.expiration);
  writer.shortstr(MessageIdFlag, properties.messageId);
  writer.timestamp(TimestampFlag, properties.timestamp);
  writer.shortstr(TypeFlag, properties.type);
  writer.shortstr(UserIdFlag, properties.userId);
  writer.shortstr(AppIdFlag, properties.appId);
  writer.shortstr(ClusterIdFlag, properties.clusterId);
  return writer.finish();
}

function propertyBytes(properties: Properties): number {
  const texts = [
    properties.contentType,
    properties.contentEncoding,
    properties.correlationId,
    properties.replyTo,
    properties.expiration,
    properties.messageId,
    properties.type,
    properties.userId,
    properties.appId,
    properties.clusterId,
  ];
  let bytes = 2;
  for (const text of texts) if (text !== undefined) bytes += shortstrBytes(text);
  if (properties.headers !== undefined) bytes += tableSize(properties.headers);
  if (properties.deliveryMode !== undefined) bytes += 1;
  if (properties.priority !== undefined) bytes += 1;
  if (properties.timestamp !== undefined) bytes += 8;
  return bytes;
}

/** Writes the properties that are there, and remembers their flags for the word at the front. */
class PropertyWriter {
  readonly #buffer: Buffer;
  #at = 2;
  #flags = 0;

  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafe(bytes);
  }

  shortstr(flag: number, text: string | undefined): void {
    if (text === undefined) return;
    this.#flags |= flag;
    const next = writeText(text, this.#buffer, this.#at + 1);
    this.#buffer[this.#at] = next - this.#at - 1;
    this.#at = next;
  }

  octet(flag: number, value: number | undefined): void {
    if (value === undefined) return;
    this.#flags |= flag;
    this.#at = this.#buffer.writeUInt8(value, this.#at);
  }

  timestamp(flag: number, value: number | bigint | undefined): void {
    if (value === undefined) return;
    this.#flags |= flag;
    this.#at = writeUint64(this.#buffer, value, this.#at);
  }

  table(flag: number, table: FieldTable | undefined): void {
    if (table === undefined) return;
    this.#flags |= flag;
    this.#at = writeTable(table, this.#buffer, this.#at);
  }

  finish(): Buffer {
    this.#buffer.writeUInt16BE(this.#flags, 0);
    return this.#buffer;
  }
}
