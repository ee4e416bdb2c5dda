import type { FieldTable } from '../../base/field-table.ts';

/** What dead-lettering and the like change in a message's properties before it is published again. */
export interface PropertyChanges {
  /** The new headers; null takes them away. */
  readonly headers: FieldTable | null;
  /** Takes the per-message expiration away, so that the message does not expire again where it lands. */
  readonly removeExpiration: boolean;
}

/** Properties that exchanges may route by. [RabbitMQ: x-consistent-hash, hash-property] */
export type TextProperty = 'message_id' | 'correlation_id' | 'timestamp';

/**
 * How one protocol writes a message's properties. A message keeps the bytes it came with and its format's tag (architecture, D5);
 * the core asks the format only where it must look inside. Protocols understand each other's properties by `describe`: whoever delivers a
 * message of another format makes its own bytes of that (docs/adr/0005-formats.md).
 */
export interface MessageFormat {
  /** Stored with each message; below 256. */
  readonly tag: number;
  /** The headers, or null when there are none. */
  headers(properties: Buffer, start: number, bytes: number): FieldTable | null;
  /** A property as text, or null. */
  text(properties: Buffer, start: number, bytes: number, name: TextProperty): string | null;
  /** The per-message expiration as it was written, or null. */
  expiration(properties: Buffer, start: number, bytes: number): string | null;
  /** All properties under their names in AMQP 0-9-1: content_type, headers, delivery_mode ... */
  describe(properties: Buffer, start: number, bytes: number): FieldTable;
}

/** The format that can say all that properties can say: what the broker writes itself, and what it changes, is in it. */
export interface PivotFormat extends MessageFormat {
  /** Properties of what `describe` tells, or of a part of it. What has no place in the format, such as a text too long for it, is left out. */
  encode(described: FieldTable): Buffer;
  /** The same properties with changes, as new bytes. */
  rewrite(properties: Buffer, start: number, bytes: number, changes: PropertyChanges): Buffer;
  /** The value of the header x-stream-filter-value, or null. Called for every message of a stream: finds it without decoding the rest. */
  streamFilterValue(properties: Buffer, start: number, bytes: number): string | null;
  /**
   * Writes the same properties with the header x-stream-offset, in place of one that is there, to `target` at `at`, where there is room for
   * `streamOffsetBytes` more than they are long; returns where they end. Properties that cannot be read are written as they are.
   */
  writeWithStreamOffset(properties: Buffer, start: number, bytes: number, offset: number, target: Buffer, at: number): number;
  readonly streamOffsetBytes: number;
}
