import type { LargeBody } from './large-body.ts';
import type { MessageRef } from './message-ref.ts';

/** Messages in memory above this live outside the slabs, their body in blocks of its own. */
export const looseBytesMin = 32 * 1024;
/** Bodies in the log above this have a file of their own; what goes before a body must not be longer either. */
export const ownFileBytesMin = 256 * 1024;

/** A message too large for a slab. */
export class LooseMessage {
  /** Its record is in the log, and its body in a file that is kept. */
  readonly isLogged: boolean;
  readonly envelope: Buffer;
  readonly properties: Buffer;
  readonly bodyBytes: number;
  /** Names the body's file, in the record too. */
  readonly id: number;
  /** Null while it is on disk only, and when there is none. */
  body: LargeBody | null;
  /** The body could not be read back. */
  isDamaged = false;
  /** When the body was read back last: it is not put away again at once. */
  loadedMillis = 0;
  /** Nobody needs it any more, though it may be on its way from disk. */
  isReleased = false;

  constructor(id: number, isLogged: boolean, envelope: Buffer, properties: Buffer, body: LargeBody | null, bodyBytes: number) {
    this.id = id;
    this.isLogged = isLogged;
    this.envelope = envelope;
    this.properties = properties;
    this.body = body;
    this.bodyBytes = bodyBytes;
  }

  /** Whether the body need not be fetched: it is in memory, or cannot be had. */
  get isThere(): boolean {
    return this.body !== null || this.bodyBytes === 0 || this.isDamaged;
  }
}

/** The loose messages alive, by the record that names each. */
export class LooseMessages {
  readonly #messages = new Map<MessageRef, LooseMessage>();
  count = 0;
  /** Bytes of bodies in memory. */
  bytes = 0;
  /** Messages whose body is on disk only. */
  evictedCount = 0;
  /** Messages whose body could not be read back. */
  damagedCount = 0;

  get(ref: MessageRef): LooseMessage | undefined {
    return this.#messages.get(ref);
  }

  /** A message that came, and holds its body, or that recovery found: then without it. */
  add(ref: MessageRef, message: LooseMessage): void {
    this.#messages.set(ref, message);
    this.count++;
    if (message.body !== null) this.bytes += message.bodyBytes;
    else if (message.bodyBytes > 0) this.evictedCount++;
  }

  /** Takes out the message of a record, if it has one. */
  remove(ref: MessageRef): LooseMessage | null {
    const message = this.#messages.get(ref);
    if (message === undefined) return null;
    this.#messages.delete(ref);
    this.count--;
    message.isReleased = true;
    if (message.body !== null) {
      this.bytes -= message.bodyBytes;
      message.body.release();
      message.body = null;
    } else if (message.isDamaged) this.damagedCount--;
    else if (message.bodyBytes > 0) this.evictedCount--;
    return message;
  }

  rename(ref: MessageRef, name: MessageRef): void {
    const message = this.#messages.get(ref);
    if (message === undefined) return;
    this.#messages.delete(ref);
    this.#messages.set(name, message);
  }

  /** Takes a body out of memory; whoever calls has it on disk. */
  evict(message: LooseMessage): void {
    if (message.body === null || message.isReleased) return;
    message.body.release();
    message.body = null;
    this.bytes -= message.bodyBytes;
    this.evictedCount++;
  }

  /** A body is back in memory, or with null: it could not be read. */
  load(message: LooseMessage, body: LargeBody | null): void {
    if (message.body !== null || message.isDamaged || message.isReleased) {
      body?.release();
      return;
    }
    this.evictedCount--;
    if (body === null) {
      message.isDamaged = true;
      this.damagedCount++;
      return;
    }
    message.body = body;
    this.bytes += message.bodyBytes;
  }
}
