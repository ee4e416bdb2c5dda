// hot path: see docs/STYLE.md
import { checksum } from '../../base/checksum.ts';
import { copyBytes } from '../../base/bytes.ts';
import type { QueueRetries } from '../retries/queue-retries.ts';
import type { Publication } from './publication.ts';
import { Slab, slabBytes, unitBytes } from './slab.ts';

/**
 * Names a message: slab id and place in the slab, as one small integer. 0 names none.
 *
 *     bits 30..16  slab id        bits 15..0  offset in the slab / 16
 */
export type MessageRef = number;

/** Bytes of a record before its envelope. */
export const recordHeaderBytes = 20;
/** Messages in memory above this live outside the slabs, their body in the pieces it came in. */
const looseBytesMin = 32 * 1024;
/** Bodies in the log above this have a file of their own; what goes before a body must not be longer either. */
export const ownFileBytesMin = 256 * 1024;
const slabCountMax = 32768;
/** Empty slabs kept for the next message: two turn over without the allocator, a few more take a burst. */
const spareSlabsMax = 8;
/** What a live record counts for besides its body. */
const recordShareBytes = 64;
export const looseFlag = 1;
const looseIdBytes = 8;

/** A message too large for a slab. */
export class LooseMessage {
  readonly envelope: Buffer;
  readonly properties: Buffer;
  readonly bodyBytes: number;
  /** Names the body's file, in the record too. */
  readonly id: number;
  /** The body in pieces; empty while it is on disk only. */
  parts: readonly Buffer[];
  /** The body could not be read back. */
  isDamaged = false;
  /** When the body was read back last: it is not put away again at once. */
  loadedMillis = 0;
  /** Nobody needs it any more, though it may be on its way from disk. */
  isReleased = false;

  constructor(id: number, envelope: Buffer, properties: Buffer, parts: readonly Buffer[], bodyBytes: number) {
    this.id = id;
    this.envelope = envelope;
    this.properties = properties;
    this.parts = parts;
    this.bodyBytes = bodyBytes;
  }
}

/** Somebody who holds message references and can have them renamed when slabs are compacted. */
export interface RefHolder {
  /** Calls `rename` for every reference held, with the entry it is part of, and takes its answer in place of it. */
  relocate(rename: Rename): void;
}

/** Whose message it is: a queue, or an exchange that holds messages for later. */
export interface RefOwner {
  /** Names it in the log. */
  readonly id: number;
  /** What the log knows of its entries besides; null for nothing. */
  readonly retries: QueueRetries | null;
}

/** Says what a reference is called from now on. The entry's facts are for the log, which records the new place. */
export type Rename = (
  ref: MessageRef,
  owner: RefOwner | null,
  meta: number,
  sequence: number,
  bodyBytes: number,
  expiryMillis: number,
) => MessageRef;

/** A message that is kept elsewhere: its bytes and their parts. */
export interface ShownMessage {
  readonly bytes: Buffer;
  readonly envelopeStart: number;
  readonly envelopeBytes: number;
  readonly propertiesStart: number;
  readonly propertiesBytes: number;
  readonly bodyStart: number;
  readonly bodyBytes: number;
  readonly format: number;
}

/** A series of slabs that are filled one after the other. */
class Region {
  readonly isLog: boolean;
  current: Slab | null = null;

  constructor(isLog: boolean) {
    this.isLog = isLog;
  }
}

/** The log's side of the store: told when a slab of the log is opened or no longer needed, and when a loose message comes or goes. */
export interface LogRegionListener {
  /** The log's next slab is needed; returns its sequence. The slab before it is full. */
  slabOpened(slab: Slab): number;
  /** First offset for records in a new slab. */
  readonly firstOffset: number;
  slabDied(slab: Slab): void;
  looseStored(message: LooseMessage): void;
  looseReleased(message: LooseMessage): void;
  /** Brings a slab's, or a loose message's, bytes into memory. */
  fetch(ref: MessageRef, slab: Slab, loaded: () => void): void;
}

/**
 * Holds the bytes of every message, each once however many queues it is in. There are two series of slabs: messages for memory only, and
 * those that are part of the log, whose slabs are images of the log's file (docs/internals/journal.md).
 *
 * A record in a slab, little-endian words, aligned to 16 bytes and at least 32 long:
 *
 *     +0  body bytes          u32
 *     +4  properties bytes    u32
 *     +8  envelope bytes      u16, format u8, flags u8 (1: the body is a LooseMessage, not here)
 *     +12 arrival             u32, milliseconds of the store's clock modulo 2^32
 *     +16 checksum            u32, of place and all other bytes; 0 for messages in memory only
 *     +20 envelope, properties, body; a loose message has its id (f64) in place of the body
 *
 * Slabs are taken back when nothing in them is alive; one with few live records left is emptied by copying them into a fresh one
 * (`compact`). Slabs that are not needed for long can be without bytes in memory (`evict`, `load`): `isResident` tells.
 */
export class MessageStore {
  readonly slabs: (Slab | null)[] = [null];
  readonly #freeIds: number[] = [];
  readonly #spareBytes: Buffer[] = [];
  readonly #loose = new Map<MessageRef, LooseMessage>();
  readonly #memory = new Region(false);
  readonly #log = new Region(true);
  #listener: LogRegionListener | null = null;

  /** Where `locate` left off: the slab's bytes and the record's parts. Read at once, never kept. */
  bytes: Buffer = Buffer.alloc(0);
  envelopeStart = 0;
  envelopeBytes = 0;
  propertiesStart = 0;
  propertiesBytes = 0;
  bodyStart = 0;
  bodyBytes = 0;
  format = 0;
  loose: LooseMessage | null = null;

  /** Body bytes of all messages alive, counted once per message. */
  liveBytes = 0;
  liveCount = 0;
  /** Bytes of loose messages' bodies in memory. */
  looseBytes = 0;
  residentSlabs = 0;
  lastLooseId = 0;
  /** Slabs whose bytes are on disk only: while there are none, everything is resident. */
  evictedSlabs = 0;
  /** Loose messages whose body is on disk only. */
  evictedLoose = 0;
  /** Resident slabs whose bytes came from disk, loose messages of which that was tried in vain, and records known to be damaged. */
  #suspectCount = 0;
  /** Records that were damaged when they were moved. */
  readonly #damaged = new Set<MessageRef>();

  /** From now on persistent messages go to slabs of the log. */
  attachLog(listener: LogRegionListener): void {
    this.#listener = listener;
  }

  get hasLog(): boolean {
    return this.#listener !== null;
  }

  /** Bytes of memory that slabs and loose messages take, alive or not. */
  get heldBytes(): number {
    return (this.residentSlabs + this.#spareBytes.length) * slabBytes + this.looseBytes;
  }

  /** The slab of the log that is being filled. */
  get logSlab(): Slab | null {
    return this.#log.current;
  }

  /**
   * Stores a message for `owners` entries, each of which is released once; `isLogged` messages go to a slab of the log.
   * @throws RangeError when the address space (32 GiB of slabs) is used up; the memory and disk alarms come long before.
   */
  append(p: Publication, owners: number, arrivalMillis: number, isLogged: boolean): MessageRef {
    const size = recordHeaderBytes + p.envelopeBytes + p.propertiesBytes + p.bodyBytes;
    if (p.parts !== null || size > looseBytesMin) {
      if (size - p.bodyBytes > ownFileBytesMin) throw new RangeError('message properties are larger than a record can be');
      if (!isLogged || p.bodyBytes > ownFileBytesMin) return this.#appendLoose(p, owners, arrivalMillis, isLogged);
      if (p.parts !== null) {
        p.body = Buffer.concat(p.parts);
        p.bodyStart = 0;
        p.parts = null;
      }
    }
    const offset = this.#claim(isLogged ? this.#log : this.#memory, size, owners, p.bodyBytes);
    const slab = (isLogged ? this.#log : this.#memory).current as Slab;
    const words = slab.words;
    const word = offset >> 2;
    words[word] = p.bodyBytes;
    words[word + 1] = p.propertiesBytes;
    words[word + 2] = p.envelopeBytes | (p.format << 16);
    words[word + 3] = arrivalMillis;
    words[word + 4] = 0;
    const target = slab.bytes;
    let at = offset + recordHeaderBytes;
    copyBytes(p.envelope, p.envelopeStart, target, at, p.envelopeBytes);
    at += p.envelopeBytes;
    copyBytes(p.properties, p.propertiesStart, target, at, p.propertiesBytes);
    at += p.propertiesBytes;
    copyBytes(p.body, p.bodyStart, target, at, p.bodyBytes);
    if (isLogged) this.#seal(slab, offset, at + p.bodyBytes);
    return (slab.id << 16) | (offset >> 4);
  }

  /** Whether all messages are in memory and sound: then nobody has to ask for each. */
  get isAllThere(): boolean {
    return this.evictedSlabs === 0 && this.evictedLoose === 0 && this.#suspectCount === 0;
  }

  /** Whether the message's bytes are in memory, so that `locate` may be called. */
  isResident(ref: MessageRef): boolean {
    if (this.evictedSlabs === 0 && this.evictedLoose === 0) return true;
    const slab = this.slabs[ref >> 16] as Slab;
    if (!slab.isResident) return false;
    if (this.#loose.size === 0) return true;
    const loose = this.#loose.get(ref);
    return loose === undefined || loose.parts.length > 0 || loose.bodyBytes === 0 || loose.isDamaged;
  }

  /** Whether the message's record is in the log. */
  isInLog(ref: MessageRef): boolean {
    return (this.slabs[ref >> 16] as Slab).logSequence >= 0;
  }

  /** Whether a resident message is what was stored. Only what was fetched from disk is looked at; elsewhere it is. */
  isIntact(ref: MessageRef): boolean {
    if (this.#suspectCount === 0) return true;
    if (!this.#isRecordIntact(ref)) return false;
    const loose = this.#loose.get(ref);
    if (loose !== undefined) return !loose.isDamaged;
    // A large message's record without its message: recovery found another one there.
    const slab = this.slabs[ref >> 16] as Slab;
    return (slab.words[((ref & 0xffff) << 2) + 2] as number) >>> 24 === 0;
  }

  /**
   * Points `bytes`, `envelopeStart` ... at the record, which must be resident. Valid until the next call of a method here. 0 stands for the
   * message that was shown last.
   */
  locate(ref: MessageRef): void {
    if (ref === 0) return;
    const slab = this.slabs[ref >> 16] as Slab;
    const offset = (ref & 0xffff) << 4;
    const words = slab.words;
    const word = offset >> 2;
    const propertiesBytes = words[word + 1] as number;
    const mixed = words[word + 2] as number;
    this.bodyBytes = words[word] as number;
    this.propertiesBytes = propertiesBytes;
    this.envelopeBytes = mixed & 0xffff;
    this.format = (mixed >> 16) & 0xff;
    if (mixed >>> 24 === 0) {
      this.bytes = slab.bytes;
      this.loose = null;
      this.envelopeStart = offset + recordHeaderBytes;
      this.propertiesStart = this.envelopeStart + this.envelopeBytes;
      this.bodyStart = this.propertiesStart + propertiesBytes;
    } else {
      this.loose = this.#loose.get(ref) as LooseMessage;
    }
  }

  /** Points the same fields at a message that is not stored here, for those who will `locate` 0. */
  show(message: ShownMessage): void {
    this.bytes = message.bytes;
    this.envelopeStart = message.envelopeStart;
    this.envelopeBytes = message.envelopeBytes;
    this.propertiesStart = message.propertiesStart;
    this.propertiesBytes = message.propertiesBytes;
    this.bodyStart = message.bodyStart;
    this.bodyBytes = message.bodyBytes;
    this.format = message.format;
    this.loose = null;
  }

  /** Arrival time of a resident message, modulo 2^32 milliseconds; -1 when it is not resident. */
  arrivalMillis(ref: MessageRef): number {
    const slab = this.slabs[ref >> 16] as Slab;
    return slab.isResident ? (slab.words[((ref & 0xffff) << 2) + 3] as number) : -1;
  }

  /** One owner lets go. The last one frees the record; returns whether it was. `bodyBytes` is the message's. */
  release(ref: MessageRef, bodyBytes: number): boolean {
    const slab = this.slabs[ref >> 16] as Slab;
    if (slab.shares !== null) {
      const index = (ref & 0xffff) >> 1;
      const owners = slab.shares[index] as number;
      if (owners > 1) {
        slab.shares[index] = owners - 1;
        return false;
      }
      slab.shares[index] = 0;
    }
    this.liveBytes -= bodyBytes;
    this.liveCount--;
    slab.liveBytes -= bodyBytes + recordShareBytes;
    slab.liveCount--;
    if (this.#loose.size > 0) this.#releaseLoose(ref, slab);
    if (this.#suspectCount > 0 && this.#damaged.delete(ref)) this.#suspectCount--;
    if (slab.liveCount > 0) return true;
    if (slab.logSequence >= 0) {
      if (slab !== this.#log.current && !slab.isPinned) this.#retire(slab);
    } else if (slab === this.#memory.current) {
      // A queue that keeps up starts over in the same, cache-warm bytes.
      slab.position = 2 * unitBytes;
    } else {
      this.#retire(slab);
    }
    return true;
  }

  /**
   * Empties the memory slabs of which less than half is alive, when they hold more than twice what is alive and `slackBytes`.
   * Every reference must be reachable through `holders`. Returns how many slabs were emptied.
   */
  compact(holders: Iterable<RefHolder>, slackBytes: number): number {
    let held = 0;
    let live = 0;
    const victims = new Set<number>();
    for (const slab of this.slabs) {
      if (slab === null || slab.logSequence >= 0 || !slab.isResident) continue;
      held += slabBytes;
      live += slab.liveBytes;
      if (slab !== this.#memory.current && slab.liveBytes < slabBytes / 2) victims.add(slab.id);
    }
    if (victims.size === 0 || held <= 2 * live + slackBytes) return 0;
    this.move(victims, holders, false, null);
    return victims.size;
  }

  /**
   * Copies every live record of the given slabs, which must be resident, to the end of its series and renames it for all holders;
   * the slabs are then free. `renamed` hears of every reference that changed, with its new name.
   */
  move(victims: ReadonlySet<number>, holders: Iterable<RefHolder>, isLog: boolean, renamed: Rename | null): void {
    const names = new Map<MessageRef, MessageRef>();
    const region = isLog ? this.#log : this.#memory;
    const rename: Rename = (ref, owner, meta, sequence, bodyBytes, expiryMillis) => {
      if (!victims.has(ref >> 16)) return ref;
      let target = names.get(ref);
      if (target === undefined) {
        target = this.#moveOne(ref, region, bodyBytes);
        names.set(ref, target);
      }
      renamed?.(target, owner, meta, sequence, bodyBytes, expiryMillis);
      return target;
    };
    // Room that is made for the copies must not be made of the originals.
    for (const id of victims) (this.slabs[id] as Slab).isPinned = true;
    for (const holder of holders) holder.relocate(rename);
    for (const id of victims) {
      const slab = this.slabs[id];
      if (slab !== null && slab !== undefined) this.#retire(slab);
    }
  }

  /** Takes the bytes of a slab out of memory; whoever calls has them on disk. */
  evict(slab: Slab): void {
    if (!slab.isResident) return;
    this.residentSlabs--;
    this.evictedSlabs++;
    if (slab.wasFetched) this.#suspectCount--;
    slab.wasFetched = false;
    this.#spare(slab.dropBytes());
  }

  /** Gives a slab its bytes back. */
  load(slab: Slab, bytes: Buffer): void {
    if (slab.isResident) return;
    this.residentSlabs++;
    this.evictedSlabs--;
    this.#suspectCount++;
    slab.wasFetched = true;
    slab.setBytes(bytes);
  }

  /** A buffer to load a slab into. */
  slabBuffer(): Buffer {
    return this.#spareBytes.pop() ?? Buffer.allocUnsafeSlow(slabBytes);
  }

  /** Recovery: a slab of the log that has live messages and whose bytes are on disk. */
  addLogSlab(logSequence: number): Slab {
    const slab = this.#newSlab(null, logSequence);
    slab.position = slabBytes;
    return slab;
  }

  /** Recovery: counts a message of a slab; `owners` more entries name it. */
  adopt(ref: MessageRef, bodyBytes: number, isFirst: boolean): void {
    const slab = this.slabs[ref >> 16] as Slab;
    if (isFirst) {
      slab.liveCount++;
      slab.liveBytes += bodyBytes + recordShareBytes;
      this.liveCount++;
      this.liveBytes += bodyBytes;
      return;
    }
    slab.shares ??= new Uint32Array(slabBytes / unitBytes / 2);
    const index = (ref & 0xffff) >> 1;
    slab.shares[index] = Math.max(1, slab.shares[index] as number) + 1;
  }

  /** Recovery: the part of a loose message that is in memory. */
  adoptLoose(ref: MessageRef, message: LooseMessage): void {
    this.#loose.set(ref, message);
    if (message.parts.length === 0 && message.bodyBytes > 0) this.evictedLoose++;
  }

  looseMessage(ref: MessageRef): LooseMessage | undefined {
    return this.#loose.get(ref);
  }

  /** Fetches what is not in memory and calls `loaded`; only for a message that is not resident. */
  fetch(ref: MessageRef, loaded: () => void): void {
    this.#listener?.fetch(ref, this.slabs[ref >> 16] as Slab, loaded);
  }

  /** Takes the body of a loose message out of memory; whoever calls has it on disk. */
  evictLoose(message: LooseMessage): void {
    if (message.parts.length === 0 || message.isReleased) return;
    message.parts = [];
    this.looseBytes -= message.bodyBytes;
    this.evictedLoose++;
  }

  /** A loose message's body is back in memory, or with null: it could not be read. */
  loadLoose(message: LooseMessage, parts: readonly Buffer[] | null): void {
    if (message.parts.length > 0 || message.isDamaged || message.isReleased) return;
    this.evictedLoose--;
    if (parts === null) {
      message.isDamaged = true;
      this.#suspectCount++;
      return;
    }
    message.parts = parts;
    this.looseBytes += message.bodyBytes;
  }

  /** Recovery: lets a slab without live messages go. */
  dropIfDead(slab: Slab): void {
    if (slab.liveCount === 0 && slab !== this.#log.current && !slab.isPinned) this.#retire(slab);
  }

  /** Opens the log's next slab, also when the current one is not full. */
  openLogSlab(): Slab {
    const full = this.#log.current;
    const slab = (this.#log.current = this.#newSlab(this.slabBuffer(), 0));
    const listener = this.#listener as LogRegionListener;
    slab.logSequence = listener.slabOpened(slab);
    slab.position = listener.firstOffset;
    slab.isPinned = true;
    if (full !== null) this.dropIfDead(full);
    return slab;
  }

  #moveOne(ref: MessageRef, region: Region, bytes: number): MessageRef {
    const slab = this.slabs[ref >> 16] as Slab;
    const offset = (ref & 0xffff) << 4;
    if (!this.#isRecordIntact(ref)) return this.#moveDamaged(ref, region, bytes);
    const word = offset >> 2;
    const mixed = slab.words[word + 2] as number;
    const bodyBytes = slab.words[word] as number;
    const isLoose = mixed >>> 24 !== 0;
    const size = recordHeaderBytes + (mixed & 0xffff) + (slab.words[word + 1] as number) + (isLoose ? looseIdBytes : bodyBytes);
    const owners = slab.shares === null ? 1 : Math.max(1, slab.shares[(ref & 0xffff) >> 1] as number);
    const to = this.#claim(region, size, owners, bodyBytes);
    const target = region.current as Slab;
    slab.bytes.copy(target.bytes, to, offset, offset + size);
    if (region.isLog) this.#seal(target, to, to + size);
    // The message is counted at its new place already.
    slab.liveCount--;
    slab.liveBytes -= bodyBytes + recordShareBytes;
    this.liveCount--;
    this.liveBytes -= bodyBytes;
    const name = (target.id << 16) | (to >> 4);
    if (isLoose) this.#renameLoose(ref, name);
    return name;
  }

  /** What is damaged stays damaged: no new checksum makes it good. Its queue finds out when it comes to it. */
  #moveDamaged(ref: MessageRef, region: Region, bodyBytes: number): MessageRef {
    const slab = this.slabs[ref >> 16] as Slab;
    const owners = slab.shares === null ? 1 : Math.max(1, slab.shares[(ref & 0xffff) >> 1] as number);
    const to = this.#claim(region, 2 * unitBytes, owners, bodyBytes);
    const target = region.current as Slab;
    target.bytes.fill(0, to, to + 2 * unitBytes);
    slab.liveCount--;
    slab.liveBytes -= bodyBytes + recordShareBytes;
    this.liveCount--;
    this.liveBytes -= bodyBytes;
    const name = (target.id << 16) | (to >> 4);
    if (this.#damaged.delete(ref)) this.#suspectCount--;
    this.#damaged.add(name);
    this.#suspectCount++;
    this.#renameLoose(ref, name);
    return name;
  }

  #renameLoose(ref: MessageRef, name: MessageRef): void {
    const loose = this.#loose.get(ref);
    if (loose === undefined) return;
    this.#loose.delete(ref);
    this.#loose.set(name, loose);
  }

  #isRecordIntact(ref: MessageRef): boolean {
    if (this.#suspectCount === 0) return true;
    const slab = this.slabs[ref >> 16] as Slab;
    if (this.#damaged.has(ref)) return false;
    if (!slab.wasFetched) return true;
    const offset = (ref & 0xffff) << 4;
    const word = offset >> 2;
    const size = recordSize(slab.words, word);
    return offset + size <= slabBytes && slab.words[word + 4] === recordChecksum(slab.words, word, size, slab.logSequence, offset);
  }

  #appendLoose(p: Publication, owners: number, arrivalMillis: number, isLogged: boolean): MessageRef {
    const body = p.parts ?? [Buffer.from(p.body.subarray(p.bodyStart, p.bodyStart + p.bodyBytes))];
    const envelope = Buffer.from(p.envelope.subarray(p.envelopeStart, p.envelopeStart + p.envelopeBytes));
    const properties = Buffer.from(p.properties.subarray(p.propertiesStart, p.propertiesStart + p.propertiesBytes));
    const message = new LooseMessage(++this.lastLooseId, envelope, properties, body, p.bodyBytes);
    // The record holds all but the body, so that the log alone tells what the message was.
    const size = recordHeaderBytes + p.envelopeBytes + p.propertiesBytes + looseIdBytes;
    const region = isLogged ? this.#log : this.#memory;
    const offset = this.#claim(region, size, owners, p.bodyBytes);
    const slab = region.current as Slab;
    const word = offset >> 2;
    slab.words[word] = p.bodyBytes;
    slab.words[word + 1] = p.propertiesBytes;
    slab.words[word + 2] = (p.envelopeBytes | (p.format << 16) | (looseFlag << 24)) >>> 0;
    slab.words[word + 3] = arrivalMillis;
    slab.words[word + 4] = 0;
    envelope.copy(slab.bytes, offset + recordHeaderBytes);
    properties.copy(slab.bytes, offset + recordHeaderBytes + envelope.length);
    slab.bytes.writeDoubleLE(message.id, offset + size - looseIdBytes);
    const ref = (slab.id << 16) | (offset >> 4);
    this.#loose.set(ref, message);
    this.looseBytes += p.bodyBytes;
    if (isLogged) {
      this.#seal(slab, offset, offset + size);
      this.#listener?.looseStored(message);
    }
    return ref;
  }

  #releaseLoose(ref: MessageRef, slab: Slab): void {
    const loose = this.#loose.get(ref);
    if (loose === undefined) return;
    this.#loose.delete(ref);
    loose.isReleased = true;
    if (loose.parts.length > 0) this.looseBytes -= loose.bodyBytes;
    else if (loose.isDamaged) this.#suspectCount--;
    else if (loose.bodyBytes > 0) this.evictedLoose--;
    if (slab.logSequence >= 0) this.#listener?.looseReleased(loose);
  }

  /** Makes room for a record; returns its offset in the region's current slab. */
  #claim(region: Region, bytes: number, owners: number, bodyBytes: number): number {
    const size = Math.max(2 * unitBytes, (bytes + unitBytes - 1) & ~(unitBytes - 1));
    let slab = region.current;
    if (slab === null || slab.position + size > slabBytes) {
      if (region.isLog) {
        slab = this.openLogSlab();
      } else {
        const full = slab;
        slab = region.current = this.#newSlab(this.slabBuffer(), -1);
        if (full !== null && full.liveCount === 0) this.#retire(full);
      }
    }
    const offset = slab.position;
    slab.position = offset + size;
    slab.liveCount++;
    slab.liveBytes += bodyBytes + recordShareBytes;
    this.liveCount++;
    this.liveBytes += bodyBytes;
    if (owners > 1) {
      slab.shares ??= new Uint32Array(slabBytes / unitBytes / 2);
      slab.shares[offset >> 5] = owners;
    }
    return offset;
  }

  /** Gives a record of the log its checksum, which covers its place too; the padding behind it is cleared. */
  #seal(slab: Slab, offset: number, end: number): void {
    const next = Math.max(offset + 2 * unitBytes, (end + unitBytes - 1) & ~(unitBytes - 1));
    slab.bytes.fill(0, end, next);
    slab.words[(offset >> 2) + 4] = recordChecksum(slab.words, offset >> 2, next - offset, slab.logSequence, offset);
  }

  #newSlab(bytes: Buffer | null, logSequence: number): Slab {
    const id = this.#freeIds.pop() ?? this.slabs.length;
    if (id >= slabCountMax) throw new RangeError('message memory: address space used up');
    const slab = new Slab();
    slab.reset(id, bytes, logSequence);
    if (bytes === null) this.evictedSlabs++;
    else this.residentSlabs++;
    this.slabs[id] = slab;
    return slab;
  }

  #retire(slab: Slab): void {
    if (this.slabs[slab.id] !== slab) return;
    this.slabs[slab.id] = null;
    this.#freeIds.push(slab.id);
    if (slab.isResident) {
      this.residentSlabs--;
      if (slab.wasFetched) this.#suspectCount--;
      this.#spare(slab.dropBytes());
    } else {
      this.evictedSlabs--;
    }
    this.#listener?.slabDied(slab);
  }

  #spare(bytes: Buffer): void {
    if (this.#spareBytes.length < spareSlabsMax) this.#spareBytes.push(bytes);
  }
}

/** Bytes a record takes in its slab, padding included. */
export function recordSize(words: Uint32Array, word: number): number {
  const mixed = words[word + 2] as number;
  const bodyBytes = mixed >>> 24 === 0 ? (words[word] as number) : looseIdBytes;
  const bytes = recordHeaderBytes + (mixed & 0xffff) + (words[word + 1] as number) + bodyBytes;
  return Math.max(2 * unitBytes, Math.ceil(bytes / unitBytes) * unitBytes);
}

/** Checksum of a record of so many bytes at `word` that belongs to an offset of a slab; its own checksum word counts as 0. */
export function recordChecksum(words: Uint32Array, word: number, bytes: number, logSequence: number, offset: number): number {
  const own = words[word + 4] as number;
  words[word + 4] = 0;
  const sum = checksum(words, word, word + (bytes >> 2), (logSequence ^ Math.imul(offset, 0x9e3779b1)) >>> 0);
  words[word + 4] = own;
  return sum;
}
