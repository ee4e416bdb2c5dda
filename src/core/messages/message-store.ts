// hot path: see docs/STYLE.md
import { copyBytes } from '../../base/bytes.ts';
import type { Publication } from './publication.ts';
import { Slab, slabBytes, unitBytes } from './slab.ts';

/**
 * Names a message: slab id and place in the slab, as one small integer. 0 names none.
 *
 *     bits 30..16  slab id        bits 15..0  offset in the slab / 16
 */
export type MessageRef = number;

/** Bytes of a record before its envelope. */
export const recordHeaderBytes = 16;
/** Records above this live outside the slabs, their body in the pieces it came in. */
export const largeRecordBytes = 32 * 1024;
const slabCountMax = 32768;
/** Empty slabs kept for the next message: two turn over without the allocator, a few more take a burst. */
const spareSlabsMax = 8;
const isLargeFlag = 1;

/** A message too large for a slab. */
export class LargeMessage {
  readonly envelope: Buffer;
  readonly properties: Buffer;
  readonly parts: readonly Buffer[];
  readonly bodyBytes: number;

  constructor(envelope: Buffer, properties: Buffer, parts: readonly Buffer[], bodyBytes: number) {
    this.envelope = envelope;
    this.properties = properties;
    this.parts = parts;
    this.bodyBytes = bodyBytes;
  }
}

/** Somebody who holds message references and can have them renamed when slabs are compacted. */
export interface RefHolder {
  relocate(rename: (ref: MessageRef) => MessageRef): void;
}

/**
 * Holds the bytes of every message in memory, each once however many queues it is in.
 *
 * A record in a slab, little-endian words, aligned to 16 bytes and at least 32 long:
 *
 *     +0  body bytes          u32
 *     +4  properties bytes    u32
 *     +8  envelope bytes      u16, format u8, flags u8 (1 = large: the body is LargeMessage number `arg`, u32 at +16)
 *     +12 arrival             u32, milliseconds of the store's clock modulo 2^32
 *     +16 envelope, properties, body
 *
 * Slabs are filled from front to back and taken back when nothing in them is alive; a slab with few live records left is emptied by
 * copying them into a fresh one (`compact`).
 */
export class MessageStore {
  readonly slabs: (Slab | null)[] = [null];
  readonly #freeIds: number[] = [];
  readonly #spare: Slab[] = [];
  readonly #large = new Map<number, LargeMessage>();
  #nextLarge = 1;
  #current: Slab;

  /** Where `locate` left off: the slab's bytes and the record's parts. Read at once, never kept. */
  bytes: Buffer;
  envelopeStart = 0;
  envelopeBytes = 0;
  propertiesStart = 0;
  propertiesBytes = 0;
  bodyStart = 0;
  bodyBytes = 0;
  format = 0;
  large: LargeMessage | null = null;

  /** Bytes of all bodies and properties alive, counted once per message. */
  liveBytes = 0;
  liveCount = 0;
  largeBytes = 0;

  constructor() {
    this.#current = this.#openSlab();
    this.bytes = this.#current.bytes;
  }

  /** Bytes that the slabs and large messages take, alive or not. */
  get heldBytes(): number {
    return (this.slabs.length - 1 - this.#freeIds.length + this.#spare.length) * slabBytes + this.largeBytes;
  }

  /**
   * Stores a message for `owners` entries. Every entry is released once.
   * @throws RangeError when the address space (32 GiB of slabs) is used up; the memory alarm comes long before.
   */
  append(p: Publication, owners: number, arrivalMillis: number): MessageRef {
    const bytes = recordHeaderBytes + p.envelopeBytes + p.propertiesBytes + p.bodyBytes;
    if (bytes > largeRecordBytes || p.parts !== null) return this.#appendLarge(p, owners, arrivalMillis);
    const offset = this.#claim(bytes, owners);
    const slab = this.#current;
    const words = slab.words;
    const word = offset >> 2;
    words[word] = p.bodyBytes;
    words[word + 1] = p.propertiesBytes;
    words[word + 2] = p.envelopeBytes | (p.format << 16);
    words[word + 3] = arrivalMillis;
    const target = slab.bytes;
    let at = offset + recordHeaderBytes;
    copyBytes(p.envelope, p.envelopeStart, target, at, p.envelopeBytes);
    at += p.envelopeBytes;
    copyBytes(p.properties, p.propertiesStart, target, at, p.propertiesBytes);
    at += p.propertiesBytes;
    copyBytes(p.body, p.bodyStart, target, at, p.bodyBytes);
    this.liveBytes += p.bodyBytes + p.propertiesBytes;
    return (slab.id << 16) | (offset >> 4);
  }

  /** Points `bytes`, `envelopeStart` ... at the record. Valid until the next call of `append`, `release` or `locate`. */
  locate(ref: MessageRef): void {
    const slab = this.slabs[ref >> 16] as Slab;
    const offset = (ref & 0xffff) << 4;
    const words = slab.words;
    const word = offset >> 2;
    const bodyBytes = words[word] as number;
    const propertiesBytes = words[word + 1] as number;
    const mixed = words[word + 2] as number;
    this.bodyBytes = bodyBytes;
    this.propertiesBytes = propertiesBytes;
    this.envelopeBytes = mixed & 0xffff;
    this.format = (mixed >> 16) & 0xff;
    if (mixed >>> 24 === 0) {
      this.bytes = slab.bytes;
      this.large = null;
      this.envelopeStart = offset + recordHeaderBytes;
      this.propertiesStart = this.envelopeStart + this.envelopeBytes;
      this.bodyStart = this.propertiesStart + propertiesBytes;
    } else {
      this.large = this.#large.get(words[word + 4] as number) as LargeMessage;
    }
  }

  /** Arrival time of a message, modulo 2^32 milliseconds. */
  arrivalMillis(ref: MessageRef): number {
    return (this.slabs[ref >> 16] as Slab).words[((ref & 0xffff) << 2) + 3] as number;
  }

  /** Adds `count` owners to a message that has at least one. The caller marks all its entries as shared. */
  share(ref: MessageRef, count: number): void {
    const slab = this.slabs[ref >> 16] as Slab;
    const index = (ref & 0xffff) >> 1;
    slab.shares ??= new Uint32Array(slabBytes / unitBytes / 2);
    // 0 stands for one owner, so that a message with a single owner needs no counter.
    slab.shares[index] = Math.max(1, slab.shares[index] as number) + count;
  }

  /** One owner lets go. The last one frees the record. */
  release(ref: MessageRef): void {
    const slab = this.slabs[ref >> 16] as Slab;
    if (slab.shares !== null) {
      const index = (ref & 0xffff) >> 1;
      const owners = slab.shares[index] as number;
      if (owners > 1) {
        slab.shares[index] = owners - 1;
        return;
      }
      slab.shares[index] = 0;
    }
    this.#free(slab, (ref & 0xffff) << 4);
  }

  /**
   * Empties the slabs of which less than half is alive, when the slabs hold more than twice what is alive and `slackBytes`.
   * Every reference must be reachable through `holders`. Returns how many slabs were emptied.
   */
  compact(holders: Iterable<RefHolder>, slackBytes: number): number {
    if (this.heldBytes - this.largeBytes <= 2 * (this.liveBytes - this.largeBytes) + slackBytes) return 0;
    const victims = new Set<number>();
    for (const slab of this.slabs) {
      if (slab !== null && slab !== this.#current && slab.liveBytes < slabBytes / 2) victims.add(slab.id);
    }
    if (victims.size === 0) return 0;
    const moved = new Map<MessageRef, MessageRef>();
    const rename = (ref: MessageRef): MessageRef => {
      if (!victims.has(ref >> 16)) return ref;
      let target = moved.get(ref);
      if (target === undefined) {
        target = this.#move(ref);
        moved.set(ref, target);
      }
      return target;
    };
    for (const holder of holders) holder.relocate(rename);
    for (const id of victims) this.#retire(this.slabs[id] as Slab);
    return victims.size;
  }

  #move(ref: MessageRef): MessageRef {
    const slab = this.slabs[ref >> 16] as Slab;
    const offset = (ref & 0xffff) << 4;
    const word = offset >> 2;
    const bytes = recordBytes(slab, word);
    const owners = slab.shares === null ? 0 : (slab.shares[(ref & 0xffff) >> 1] as number);
    const to = this.#claim(bytes, Math.max(1, owners));
    const target = this.#current;
    slab.bytes.copy(target.bytes, to, offset, offset + bytes);
    slab.liveCount--;
    this.liveCount--;
    return (target.id << 16) | (to >> 4);
  }

  #appendLarge(p: Publication, owners: number, arrivalMillis: number): MessageRef {
    const body = p.parts ?? [Buffer.from(p.body.subarray(p.bodyStart, p.bodyStart + p.bodyBytes))];
    const large = new LargeMessage(
      Buffer.from(p.envelope.subarray(p.envelopeStart, p.envelopeStart + p.envelopeBytes)),
      Buffer.from(p.properties.subarray(p.propertiesStart, p.propertiesStart + p.propertiesBytes)),
      body,
      p.bodyBytes,
    );
    const number = this.#nextLarge++;
    this.#large.set(number, large);
    const offset = this.#claim(2 * unitBytes, owners);
    const slab = this.#current;
    const word = offset >> 2;
    slab.words[word] = p.bodyBytes;
    slab.words[word + 1] = p.propertiesBytes;
    slab.words[word + 2] = (p.envelopeBytes | (p.format << 16) | (isLargeFlag << 24)) >>> 0;
    slab.words[word + 3] = arrivalMillis;
    slab.words[word + 4] = number;
    this.liveBytes += p.bodyBytes + p.propertiesBytes;
    this.largeBytes += p.bodyBytes + p.propertiesBytes;
    return (slab.id << 16) | (offset >> 4);
  }

  /** Makes room for a record in the current slab; returns its offset. */
  #claim(bytes: number, owners: number): number {
    const size = Math.max(2 * unitBytes, (bytes + unitBytes - 1) & ~(unitBytes - 1));
    let slab = this.#current;
    if (slab.position + size > slabBytes) {
      const full = slab;
      slab = this.#current = this.#openSlab();
      if (full.liveCount === 0) this.#retire(full);
    }
    const offset = slab.position;
    slab.position = offset + size;
    slab.liveCount++;
    slab.liveBytes += size;
    this.liveCount++;
    if (owners > 1) {
      slab.shares ??= new Uint32Array(slabBytes / unitBytes / 2);
      slab.shares[offset >> 5] = owners;
    }
    return offset;
  }

  #free(slab: Slab, offset: number): void {
    const word = offset >> 2;
    const words = slab.words;
    const payload = (words[word] as number) + (words[word + 1] as number);
    this.liveBytes -= payload;
    this.liveCount--;
    if ((words[word + 2] as number) >>> 24 !== 0) {
      this.#large.delete(words[word + 4] as number);
      this.largeBytes -= payload;
    }
    slab.liveBytes -= recordBytes(slab, word);
    if (--slab.liveCount === 0) {
      // A queue that keeps up starts over in the same, cache-warm bytes.
      if (slab === this.#current) slab.position = 2 * unitBytes;
      else this.#retire(slab);
    }
  }

  #openSlab(): Slab {
    const spare = this.#spare.pop();
    const id = this.#freeIds.pop() ?? this.slabs.length;
    if (id >= slabCountMax) throw new RangeError('message memory: address space used up');
    const slab = spare ?? new Slab();
    slab.reset(id);
    this.slabs[id] = slab;
    return slab;
  }

  #retire(slab: Slab): void {
    this.slabs[slab.id] = null;
    this.#freeIds.push(slab.id);
    if (this.#spare.length < spareSlabsMax) this.#spare.push(slab);
  }
}

/** Bytes a record takes in its slab, padding included. */
function recordBytes(slab: Slab, word: number): number {
  const mixed = slab.words[word + 2] as number;
  if (mixed >>> 24 !== 0) return 2 * unitBytes;
  const bytes = recordHeaderBytes + (mixed & 0xffff) + (slab.words[word + 1] as number) + (slab.words[word] as number);
  return Math.max(2 * unitBytes, (bytes + unitBytes - 1) & ~(unitBytes - 1));
}
