// hot path: see docs/STYLE.md
import { copyBytes } from '../../base/bytes.ts';
import { LargeBody } from './large-body.ts';
import { LooseMessage, LooseMessages, looseBytesMin, ownFileBytesMin } from './loose-message.ts';
import type { MessageRef } from './message-ref.ts';
import type { Publication } from './publication.ts';
import { looseFlag, looseIdBytes, recordChecksum, recordHeaderBytes, recordShareBytes, recordSize } from './record.ts';
import { type Slab, slabBytes, unitBytes } from './slab.ts';
import { SlabSpace } from './slab-space.ts';

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

/**
 * Holds the bytes of every message, each once however many queues it is in, as records in slabs (record.ts) or, when it is large, beside
 * them (LooseMessage). A slab with few live records left is emptied by copying them into a fresh one (compaction.ts).
 */
export class MessageStore extends SlabSpace {
  readonly looseMessages = new LooseMessages();
  lastLooseId = 0;
  /** Records that were damaged when they were moved. */
  readonly #damaged = new Set<MessageRef>();
  /** Whether there are records with something beside them: elsewhere nobody looks further. */
  #hasOddities = false;

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

  /** Bytes of memory that slabs and loose messages take, alive or not. */
  get heldBytes(): number {
    return this.slabsBytes + this.looseMessages.bytes;
  }

  /**
   * Stores a message for `owners` entries, each of which is released once; `isLogged` messages go to a slab of the log.
   * @throws RangeError when the address space (32 GiB of slabs) is used up; an alarm comes before (`isScarce`)
   */
  append(p: Publication, owners: number, arrivalMillis: number, isLogged: boolean): MessageRef {
    const size = recordHeaderBytes + p.envelopeBytes + p.propertiesBytes + p.bodyBytes;
    if (p.large !== null || size > looseBytesMin) {
      if (size - p.bodyBytes > ownFileBytesMin) throw new RangeError('message properties are larger than a record can be');
      const isInSlab = isLogged || this.listener?.wantsInSlabs === true;
      if (!isInSlab || p.bodyBytes > ownFileBytesMin) return this.#appendLoose(p, owners, arrivalMillis, isLogged);
    }
    const offset = this.claim(isLogged, size, owners, p.bodyBytes);
    const slab = (isLogged ? this.logSlab : this.memorySlab) as Slab;
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
    if (p.large === null) copyBytes(p.body, p.bodyStart, target, at, p.bodyBytes);
    else p.large.copyTo(target, at);
    if (isLogged) this.seal(slab, offset, at + p.bodyBytes);
    return (slab.id << 16) | (offset >> 4);
  }

  /** Whether all messages are in memory and sound: then nobody has to ask for each. */
  get isAllThere(): boolean {
    return this.evictedSlabs === 0 && this.fetchedSlabs === 0 && (!this.#hasOddities || this.#isAllOddThere);
  }

  /** Whether the message's bytes are in memory, so that `locate` may be called. */
  isResident(ref: MessageRef): boolean {
    const loose = this.looseMessages;
    if (this.evictedSlabs === 0 && loose.evictedCount === 0) return true;
    const slab = this.slabs[ref >> 16] as Slab;
    if (!slab.isResident) return false;
    return loose.count === 0 || loose.get(ref)?.isThere !== false;
  }

  /** Whether the message's record is in the log. */
  isInLog(ref: MessageRef): boolean {
    return (this.slabs[ref >> 16] as Slab).logSequence >= 0;
  }

  /** Whether a resident message is what was stored. Only what was fetched from disk is looked at; elsewhere it is. */
  isIntact(ref: MessageRef): boolean {
    if (!this.#hasSuspects) return true;
    if (!this.isRecordIntact(ref)) return false;
    const loose = this.looseMessages.get(ref);
    if (loose !== undefined) return !loose.isDamaged;
    // A large message's record without its message: recovery found another one there.
    const slab = this.slabs[ref >> 16] as Slab;
    return (slab.words[((ref & 0xffff) << 2) + 2] as number) >>> 24 === 0;
  }

  /** The same of a message's record, whatever became of a body beside it. */
  isRecordIntact(ref: MessageRef): boolean {
    if (!this.#hasSuspects) return true;
    const slab = this.slabs[ref >> 16] as Slab;
    if (this.#damaged.has(ref)) return false;
    if (!slab.wasFetched) return true;
    // Records for memory only have no checksum: their slab was checked as a whole, and is not what it was.
    if (slab.logSequence < 0) return false;
    const offset = (ref & 0xffff) << 4;
    const word = offset >> 2;
    const size = recordSize(slab.words, word);
    return offset + size <= slabBytes && slab.words[word + 4] === recordChecksum(slab.words, word, size, slab.logSequence, offset);
  }

  /** Whether something may be damaged. */
  get #hasSuspects(): boolean {
    return this.fetchedSlabs > 0 || (this.#hasOddities && (this.#damaged.size > 0 || this.looseMessages.damagedCount > 0));
  }

  get #isAllOddThere(): boolean {
    return this.looseMessages.evictedCount === 0 && !this.#hasSuspects;
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
      this.loose = this.looseMessages.get(ref) as LooseMessage;
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
    if (this.#hasOddities) this.#releaseOdd(ref);
    if (slab.liveCount === 0) this.died(slab);
    return true;
  }

  /** Owners of a record. */
  ownersOf(ref: MessageRef): number {
    const { shares } = this.slabs[ref >> 16] as Slab;
    return shares === null ? 1 : Math.max(1, shares[(ref & 0xffff) >> 1] as number);
  }

  /** A record was copied and is counted at its new place already; what is beside it goes by the new name. */
  renamed(ref: MessageRef, name: MessageRef, bodyBytes: number, isDamaged: boolean): void {
    const slab = this.slabs[ref >> 16] as Slab;
    slab.liveCount--;
    slab.liveBytes -= bodyBytes + recordShareBytes;
    this.liveCount--;
    this.liveBytes -= bodyBytes;
    this.#damaged.delete(ref);
    if (isDamaged) this.#damaged.add(name);
    this.looseMessages.rename(ref, name);
    this.#countOddities();
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

  /** A large message that came, or that recovery found: then without its body. */
  addLoose(ref: MessageRef, message: LooseMessage): void {
    this.looseMessages.add(ref, message);
    this.#hasOddities = true;
  }

  /** Fetches what is not in memory and calls `loaded`; only for a message that is not resident. */
  fetch(ref: MessageRef, loaded: () => void): void {
    this.listener?.fetch(ref, this.slabs[ref >> 16] as Slab, loaded);
  }

  /** The same at once, for a message that is not in the log. Holds everything up for as long as the disk takes: not for the data plane. */
  fetchNow(ref: MessageRef): void {
    this.listener?.fetchNow(ref, this.slabs[ref >> 16] as Slab);
  }

  /** Has a body that is coming written to disk meanwhile; its message will be logged, as far as can be known. */
  stage(body: LargeBody): void {
    if (this.listener !== null) body.stage = this.listener.stage(body, ++this.lastLooseId);
  }

  #appendLoose(p: Publication, owners: number, arrivalMillis: number, isLogged: boolean): MessageRef {
    const body = p.large ?? LargeBody.empty();
    if (p.large === null) body.append(p.body, p.bodyStart, p.bodyStart + p.bodyBytes, p.bodyBytes);
    else body.hold();
    const envelope = Buffer.from(p.envelope.subarray(p.envelopeStart, p.envelopeStart + p.envelopeBytes));
    const properties = Buffer.from(p.properties.subarray(p.propertiesStart, p.propertiesStart + p.propertiesBytes));
    if (!isLogged) body.unstage();
    const id = body.stage?.id ?? ++this.lastLooseId;
    const message = new LooseMessage(id, isLogged, envelope, properties, body, p.bodyBytes);
    // The record holds all but the body, so that the log alone tells what the message was.
    const size = recordHeaderBytes + p.envelopeBytes + p.propertiesBytes + looseIdBytes;
    const offset = this.claim(isLogged, size, owners, p.bodyBytes);
    const slab = (isLogged ? this.logSlab : this.memorySlab) as Slab;
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
    this.addLoose(ref, message);
    if (isLogged) this.seal(slab, offset, offset + size);
    this.listener?.looseStored(message);
    return ref;
  }

  #releaseOdd(ref: MessageRef): void {
    const loose = this.looseMessages.remove(ref);
    if (loose !== null) this.listener?.looseReleased(loose);
    this.#damaged.delete(ref);
    this.#countOddities();
  }

  #countOddities(): void {
    this.#hasOddities = this.looseMessages.count + this.#damaged.size > 0;
  }
}
