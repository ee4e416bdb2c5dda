// hot path: see docs/STYLE.md
import { varintMax } from './constants.ts';

/** What cannot be a packet. */
export type PacketFault = 'length' | 'too-large';

export interface PacketVisitor {
  /**
   * One whole packet: its first byte and what stands behind the remaining length, which must not be kept but where the reader says so
   * (`isPacketOwn`). Returns false to be given no more for now.
   */
  onPacket(first: number, buffer: Buffer, start: number, end: number): boolean;
  /** The length is none, or above `packetBytesMax`; nothing of the packet was kept. No packet follows. */
  onPacketFault(fault: PacketFault, first: number, packetBytes: number): void;
}

/** Longest fixed header: type and four bytes of length. */
const headMax = 5;
/** Room for the first piece of a packet. */
const bodyRoomMin = 4096;
/** What is still to come of a packet that counts as large. */
const largePacketBytes = 64 * 1024;
const nothing = Buffer.alloc(0);

/**
 * Cuts packets out of whatever the socket gives. Whole packets are handed on where they are; of one that comes in pieces the pieces are kept
 * until the last is there. Its length is looked at before anything is kept.
 */
export class PacketReader {
  /** Largest packet, fixed header included. */
  packetBytesMax: number;
  /** What was read of a fixed header that is not complete. */
  #head: Buffer = nothing;
  #headBytes = 0;
  /** Bytes behind the fixed header of the packet that comes in pieces; -1 without one. */
  #bodyBytes = -1;
  #first = 0;
  #body: Buffer = nothing;
  #partBytes = 0;
  #isBroken = false;
  /** Whether the packet that is handed on lies in a buffer of its own, which nobody uses again. */
  isPacketOwn = false;

  constructor(packetBytesMax: number) {
    this.packetBytesMax = packetBytesMax;
  }

  /** Bytes kept of an incomplete packet. */
  get keptBytes(): number {
    return this.#headBytes + this.#partBytes;
  }

  /** Whether more of a large packet is to come. */
  get isWithinLarge(): boolean {
    return this.#bodyBytes - this.#partBytes > largePacketBytes;
  }

  /** Takes input; returns how far it was taken: `end`, or less when the visitor wants no more. */
  push(buffer: Buffer, start: number, end: number, visitor: PacketVisitor): number {
    let at = start;
    while (at < end && !this.#isBroken) {
      if (this.#bodyBytes >= 0) {
        at = this.#addPart(buffer, at, end);
        if (this.#partBytes < this.#bodyBytes) return end;
        if (!this.#finish(visitor)) return at;
        continue;
      }
      if (this.#headBytes > 0) {
        at = this.#addHead(buffer, at, end, visitor);
        if (this.#bodyBytes === 0 && !this.#finish(visitor)) return at;
        continue;
      }
      // The usual way: the whole packet is here.
      const first = buffer[at] as number;
      let length = 0;
      let factor = 1;
      let next = at + 1;
      let byte = 0x80;
      while (byte >= 0x80 && next < end && next - at < headMax) {
        byte = buffer[next++] as number;
        length += (byte & 0x7f) * factor;
        factor *= 128;
      }
      if (byte >= 0x80) {
        if (next - at === headMax) {
          this.#fault('length', first, 0, visitor);
          return end;
        }
        this.#head = Buffer.alloc(headMax);
        buffer.copy(this.#head, 0, at, end);
        this.#headBytes = end - at;
        return end;
      }
      if (next - at + length > this.packetBytesMax) {
        this.#fault('too-large', first, next - at + length, visitor);
        return end;
      }
      if (end - next < length) {
        this.#begin(first, length);
        at = next;
        if (at === end) return end;
        continue;
      }
      at = next + length;
      if (!visitor.onPacket(first, buffer, next, at)) return at;
    }
    return this.#isBroken ? end : at;
  }

  #begin(first: number, length: number): void {
    this.#first = first;
    this.#bodyBytes = length;
  }

  #addHead(buffer: Buffer, start: number, end: number, visitor: PacketVisitor): number {
    let at = start;
    while (at < end) {
      const byte = buffer[at++] as number;
      this.#head[this.#headBytes++] = byte;
      if (byte >= 0x80 && this.#headBytes < headMax) continue;
      const first = this.#head[0] as number;
      if (byte >= 0x80) {
        this.#fault('length', first, 0, visitor);
        return end;
      }
      let length = 0;
      for (let i = this.#headBytes - 1; i > 0; i--) length = length * 128 + ((this.#head[i] as number) & 0x7f);
      if (this.#headBytes + length > this.packetBytesMax || length > varintMax) {
        this.#fault('too-large', first, this.#headBytes + length, visitor);
        return end;
      }
      this.#headBytes = 0;
      this.#begin(first, length);
      return at;
    }
    return at;
  }

  #addPart(buffer: Buffer, start: number, end: number): number {
    const count = Math.min(this.#bodyBytes - this.#partBytes, end - start);
    this.#reserve(this.#partBytes + count);
    buffer.copy(this.#body, this.#partBytes, start, start + count);
    this.#partBytes += count;
    return start + count;
  }

  /** Room grows with what came, so that a length alone costs nothing. */
  #reserve(bytes: number): void {
    if (bytes <= this.#body.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#bodyBytes, Math.max(bytes, 2 * this.#body.length, bodyRoomMin)));
    this.#body.copy(larger, 0, 0, this.#partBytes);
    this.#body = larger;
  }

  #finish(visitor: PacketVisitor): boolean {
    const body = this.#body;
    this.#body = nothing;
    this.#partBytes = 0;
    this.#bodyBytes = -1;
    this.isPacketOwn = true;
    const goesOn = visitor.onPacket(this.#first, body, 0, body.length);
    this.isPacketOwn = false;
    return goesOn;
  }

  #fault(fault: PacketFault, first: number, packetBytes: number, visitor: PacketVisitor): void {
    this.#isBroken = true;
    this.#headBytes = 0;
    visitor.onPacketFault(fault, first, packetBytes);
  }
}
