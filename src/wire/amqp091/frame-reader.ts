// hot path: see docs/STYLE.md
import { FrameBody, FrameEnd } from './constants.gen.ts';

/** What is wrong with a frame, for the 501 that answers it. */
export type FrameFault = 'bad-end' | 'too-large';

/** Who acts on frames. A method returns false to stop reading: the connection is closing, or has to wait. */
export interface FrameVisitor {
  /** A whole frame; the payload is `buffer[start, end)` and must not be kept. */
  onFrame(type: number, channel: number, buffer: Buffer, start: number, end: number): boolean;
  /**
   * A piece of a body frame that came in several reads; it must not be kept either. The last piece comes when the end octet is known to be
   * right, so that a message is never completed by a broken frame.
   */
  onBodyPiece(channel: number, buffer: Buffer, start: number, end: number, isLast: boolean): boolean;
  /** `detail` is the wrong end octet or the size announced. Nothing is read of the same bytes after it. */
  onFrameFault(fault: FrameFault, type: number, detail: number, payload: Buffer): void;
}

const headerBytes = 7;
/** Body frames larger than this are handed on in pieces as they come; smaller incomplete frames are put together first. */
const pieceBytesMin = 8 * 1024;

/**
 * Finds frames in what the socket gives. [AMQP 0-9-1 2.3.5]
 *
 *     type u8 | channel u16 | size u32 | payload (size octets) | 0xCE
 *
 * Whole frames are acted on where they lie. The rest of an incomplete one is kept in `#carry`, which is never larger than one frame.
 */
export class FrameReader {
  /** Largest payload accepted. RabbitMQ lets a payload be as large as frame_max, eight octets more than its rule. */
  payloadBytesMax: number;
  #carry: Buffer | null = null;
  #carried = 0;
  /** Octets of the current body frame still to come, when it is handed on in pieces; -1 when only its end octet is missing; 0: none. */
  #pieceLeft = 0;
  #pieceChannel = 0;
  /** The last piece, until the end octet has come. */
  #heldPiece: Buffer | null = null;
  /** Where the visitor stopped reading. */
  #stoppedAt = 0;

  constructor(payloadBytesMax: number) {
    this.payloadBytesMax = payloadBytesMax;
  }

  /** Octets held back for an incomplete frame. */
  get carriedBytes(): number {
    return this.#carried;
  }

  /** Whether more of a large body frame is to come. */
  get isWithinBody(): boolean {
    return this.#pieceLeft > 0;
  }

  /**
   * Acts on all whole frames of `buffer[from, to)`. Returns where it came to: `to`, or less when the visitor stopped; the rest can then be
   * pushed later.
   */
  push(buffer: Buffer, from: number, to: number, visitor: FrameVisitor): number {
    let at = from;
    this.#stoppedAt = to;
    if (this.#pieceLeft !== 0) {
      at = this.#goOnWithPieces(buffer, at, to, visitor);
      if (at < 0) return this.#stoppedAt;
    }
    if (this.#carry !== null) {
      at = this.#completeCarried(buffer, at, to, visitor);
      if (at < 0) return this.#stoppedAt;
    }
    while (to - at >= headerBytes) {
      const size =
        (((buffer[at + 3] as number) << 24) |
          ((buffer[at + 4] as number) << 16) |
          ((buffer[at + 5] as number) << 8) |
          (buffer[at + 6] as number)) >>>
        0;
      const payload = at + headerBytes;
      if (size > this.payloadBytesMax) {
        visitor.onFrameFault('too-large', buffer[at] as number, size, buffer.subarray(payload, payload));
        return to;
      }
      const end = payload + size;
      if (end >= to) break;
      if (buffer[end] !== FrameEnd) {
        visitor.onFrameFault('bad-end', buffer[at] as number, buffer[end] as number, buffer.subarray(payload, end));
        return to;
      }
      if (!visitor.onFrame(buffer[at] as number, ((buffer[at + 1] as number) << 8) | (buffer[at + 2] as number), buffer, payload, end))
        return end + 1;
      at = end + 1;
    }
    if (at < to) this.#keep(buffer, at, to, visitor);
    return this.#stoppedAt;
  }

  /** Keeps the beginning of a frame, or starts to hand on a large body in pieces. */
  #keep(buffer: Buffer, at: number, to: number, visitor: FrameVisitor): void {
    const count = to - at;
    if (count < headerBytes) {
      this.#carry = Buffer.allocUnsafe(headerBytes);
      buffer.copy(this.#carry, 0, at, to);
      this.#carried = count;
      return;
    }
    const size = buffer.readUInt32BE(at + 3);
    if (buffer[at] === FrameBody && size > pieceBytesMin) {
      this.#startPieces(buffer, at, to, size, visitor);
      return;
    }
    this.#carry = Buffer.allocUnsafe(headerBytes + size + 1);
    buffer.copy(this.#carry, 0, at, to);
    this.#carried = count;
  }

  #startPieces(buffer: Buffer, at: number, to: number, size: number, visitor: FrameVisitor): void {
    const start = at + headerBytes;
    this.#pieceChannel = buffer.readUInt16BE(at + 1);
    this.#pieceLeft = size;
    if (to > start) this.#goOnWithPieces(buffer, start, to, visitor);
  }

  /** Returns where reading goes on, -1 when nothing is left or the visitor stopped. */
  #goOnWithPieces(buffer: Buffer, from: number, to: number, visitor: FrameVisitor): number {
    let at = from;
    if (at === to) return -1;
    let start = at;
    let piece = buffer;
    if (this.#pieceLeft > 0) {
      const count = Math.min(this.#pieceLeft, to - at);
      this.#pieceLeft -= count;
      at += count;
      if (this.#pieceLeft > 0) {
        if (!visitor.onBodyPiece(this.#pieceChannel, buffer, start, at, false)) this.#stoppedAt = at;
        return -1;
      }
      this.#pieceLeft = -1;
      if (at === to) {
        this.#heldPiece = Buffer.from(buffer.subarray(start, at));
        return -1;
      }
    }
    let end = at;
    if (this.#heldPiece !== null) {
      piece = this.#heldPiece;
      start = 0;
      end = piece.length;
      this.#heldPiece = null;
    }
    this.#pieceLeft = 0;
    if (buffer[at] !== FrameEnd) {
      visitor.onFrameFault('bad-end', FrameBody, buffer[at] as number, buffer.subarray(at, at));
      return -1;
    }
    at++;
    if (visitor.onBodyPiece(this.#pieceChannel, piece, start, end, true)) return at;
    this.#stoppedAt = at;
    return -1;
  }

  /** Adds to the carried frame; acts on it when it is whole. Returns where reading goes on, -1 when nothing is left or it stopped. */
  #completeCarried(buffer: Buffer, from: number, to: number, visitor: FrameVisitor): number {
    let at = from;
    let carry = this.#carry as Buffer;
    if (this.#carried < headerBytes) {
      const count = Math.min(headerBytes - this.#carried, to - at);
      buffer.copy(carry, this.#carried, at, at + count);
      this.#carried += count;
      at += count;
      if (this.#carried < headerBytes) return -1;
      const size = carry.readUInt32BE(3);
      if (size > this.payloadBytesMax) {
        this.#carry = null;
        this.#carried = 0;
        visitor.onFrameFault('too-large', carry[0] as number, size, carry.subarray(0, 0));
        return -1;
      }
      if (carry[0] === FrameBody && size > pieceBytesMin) {
        this.#pieceChannel = carry.readUInt16BE(1);
        this.#pieceLeft = size;
        this.#carry = null;
        this.#carried = 0;
        return at === to ? -1 : this.#goOnWithPieces(buffer, at, to, visitor);
      }
      const whole = Buffer.allocUnsafe(headerBytes + size + 1);
      carry.copy(whole, 0, 0, headerBytes);
      this.#carry = carry = whole;
    }
    const count = Math.min(carry.length - this.#carried, to - at);
    buffer.copy(carry, this.#carried, at, at + count);
    this.#carried += count;
    at += count;
    if (this.#carried < carry.length) return -1;
    this.#carry = null;
    this.#carried = 0;
    const end = carry.length - 1;
    if (carry[end] !== FrameEnd) {
      visitor.onFrameFault('bad-end', carry[0] as number, carry[end] as number, carry.subarray(headerBytes, end));
      return -1;
    }
    if (visitor.onFrame(carry[0] as number, carry.readUInt16BE(1), carry, headerBytes, end)) return at;
    this.#stoppedAt = at;
    return -1;
  }
}
