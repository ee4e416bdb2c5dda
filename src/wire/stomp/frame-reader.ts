import { decodeText } from '../../base/text.ts';
import { DecodeError } from '../decode-error.ts';
import { ByteGatherer } from './byte-gatherer.ts';
import type { Frame } from './frame.ts';

/** Headers of different names in a frame. [RabbitMQ: max_headers] */
export const headersMax = 100;
/** The longest command has 11 letters. [RabbitMQ: MAX_COMMAND_LENGTH] */
export const commandBytesMax = 32;
/** Command and headers together. */
export const headBytesMax = 64 * 1024;

/** What has come of a frame that counts as large. */
const largeFrameBytes = 32 * 1024;
const nul = 0;
const lineFeed = 10;
const carriageReturn = 13;
const colon = 58;
const nothing = Buffer.alloc(0);

/** Who acts on frames. */
export interface FrameVisitor {
  /** Returns false to stop reading. */
  onFrame(frame: Frame): boolean;
}

type State = 'between' | 'head' | 'body' | 'end';

/** Escapes of header texts, in all versions as RabbitMQ has it. */
const unescaped: Readonly<Record<string, string>> = { '\\\\': '\\', '\\n': '\n', '\\r': '\r', '\\c': ':' };

/**
 * Cuts frames out of bytes as they come. A frame is at most `frameBytesMax` long from its command to its NUL: a longer one is refused when
 * its headers announce it or when it is found out, and no more of it is held than that. Line feeds between frames are heart-beats, which
 * whoever pushes has noticed already.
 */
export class FrameReader {
  /** Longest frame in bytes. */
  frameBytesMax: number;
  /** Whether backslashes that are no escape mean themselves: in STOMP 1.0, which has no escapes. */
  isLenient = false;
  #state: State = 'between';
  /** What has come of the head, or of the body, so far. */
  readonly #gathered = new ByteGatherer();
  /** A line feed here ends the head. */
  #isLineEmpty = false;
  #isBehindReturn = false;
  #headBytes = 0;
  #command = '';
  #headers = new Map<string, string>();
  /** Bytes of the body; -1: up to the first NUL. */
  #bodyBytes = -1;
  #body: Buffer = nothing;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /** Whether a frame has come in part that is large already. */
  get isWithinLarge(): boolean {
    return this.#state === 'body' && this.#gathered.count >= largeFrameBytes;
  }

  /** Whether a frame has begun and not ended. */
  get isWithinFrame(): boolean {
    return this.#state !== 'between';
  }

  /**
   * Acts on bytes; returns where it stopped, which is `end` unless the visitor wanted no more.
   * @throws DecodeError for what is no frame; nothing can be read behind it
   */
  push(buffer: Buffer, start: number, end: number, visitor: FrameVisitor): number {
    let at = start;
    for (;;) {
      if (this.#state === 'between') at = this.#skip(buffer, at, end);
      if (at === end) return at;
      if (this.#state === 'head') at = this.#readHead(buffer, at, end);
      if (this.#state === 'body') at = this.#readBody(buffer, at, end);
      if (this.#state !== 'end' || at === end) return at;
      if (buffer[at++] !== nul) throw malformed('the body is longer than its content-length');
      this.#state = 'between';
      const frame: Frame = { command: this.#command, headers: this.#headers, body: this.#body };
      this.#body = nothing;
      if (!visitor.onFrame(frame)) return at;
    }
  }

  #skip(buffer: Buffer, from: number, end: number): number {
    for (let at = from; at < end; at++) {
      const byte = buffer[at] as number;
      if (this.#isBehindReturn && byte !== lineFeed) throw malformed('a carriage return without line feed between frames');
      this.#isBehindReturn = byte === carriageReturn;
      if (byte === lineFeed || byte === nul || byte === carriageReturn) continue;
      this.#state = 'head';
      this.#isLineEmpty = true;
      return at;
    }
    return end;
  }

  #readHead(buffer: Buffer, start: number, end: number): number {
    const bytesMax = Math.min(headBytesMax, this.frameBytesMax);
    // Nobody looks further than a head may be long, however much has come at once.
    const stop = Math.min(end, start + bytesMax - this.#gathered.count + 1);
    const headEnd = this.#findHeadEnd(buffer, start, stop);
    const bytes = this.#gathered.count + (headEnd < 0 ? stop : headEnd) - start;
    if (bytes > bytesMax) {
      throw new DecodeError('too-many', `frame headers are longer than ${bytesMax} bytes`);
    }
    if (headEnd < 0) {
      this.#gathered.append(buffer, start, end);
      return end;
    }
    this.#headBytes = bytes;
    if (this.#gathered.count === 0) {
      this.#parseHead(buffer, start, headEnd);
    } else {
      this.#gathered.append(buffer, start, headEnd);
      const head = this.#gathered.take();
      this.#parseHead(head, 0, head.length);
    }
    this.#bodyBytes = this.#announcedBytes();
    this.#state = 'body';
    return headEnd;
  }

  /** Where the empty line ends that ends the head, or -1. */
  #findHeadEnd(buffer: Buffer, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const byte = buffer[at] as number;
      if (byte === lineFeed) {
        if (this.#isLineEmpty) return at + 1;
        this.#isLineEmpty = true;
      } else if (byte === nul) {
        throw malformed('the frame ends within its headers');
      } else if (byte !== carriageReturn) {
        this.#isLineEmpty = false;
      }
    }
    return -1;
  }

  #parseHead(buffer: Buffer, start: number, end: number): void {
    this.#headers = new Map();
    let isFirst = true;
    for (let at = start; ; ) {
      const next = buffer.indexOf(lineFeed, at) + 1;
      const lineEnd = next - 1 > at && buffer[next - 2] === carriageReturn ? next - 2 : next - 1;
      for (let i = at; i < lineEnd; i++)
        if (buffer[i] === carriageReturn) throw malformed('a carriage return without line feed in the head');
      if (isFirst) this.#parseCommand(buffer, at, lineEnd);
      else if (lineEnd > at) this.#parseHeader(buffer, at, lineEnd);
      isFirst = false;
      if (next >= end) return;
      at = next;
    }
  }

  #parseCommand(buffer: Buffer, start: number, end: number): void {
    if (end - start > commandBytesMax) throw new DecodeError('too-many', `command is longer than ${commandBytesMax} bytes`);
    this.#command = decodeText(buffer, start, end);
  }

  #parseHeader(buffer: Buffer, start: number, end: number): void {
    let middle = start;
    while (middle < end && buffer[middle] !== colon) middle++;
    if (middle === end) throw malformed(`header without value: '${decodeText(buffer, start, end)}'`);
    const name = this.#unescape(decodeText(buffer, start, middle));
    if (this.#headers.has(name)) return;
    if (this.#headers.size >= headersMax) throw new DecodeError('too-many', `frame has more than ${headersMax} headers`);
    this.#headers.set(name, this.#unescape(decodeText(buffer, middle + 1, end)));
  }

  /** The frames that open a connection have no escapes, although RabbitMQ takes them: a backslash of a password may stand there as it is. */
  #unescape(text: string): string {
    if (!text.includes('\\')) return text;
    const isLenient = this.isLenient || this.#command === 'CONNECT' || this.#command === 'STOMP';
    return text.replace(/\\[^]?/g, sequence => {
      const character = unescaped[sequence];
      if (character !== undefined) return character;
      if (isLenient) return sequence;
      throw malformed(`bad escape '${sequence}' in a header`);
    });
  }

  #announcedBytes(): number {
    const text = this.#headers.get('content-length')?.trim();
    if (text === undefined) return -1;
    if (!/^\d{1,15}$/.test(text)) throw malformed(`invalid content-length '${text}'`);
    const bytes = Number(text);
    if (this.#headBytes + bytes + 1 > this.frameBytesMax) throw this.#tooLarge();
    return bytes;
  }

  #readBody(buffer: Buffer, start: number, end: number): number {
    const gathered = this.#gathered;
    let bodyEnd: number;
    if (this.#bodyBytes >= 0) {
      bodyEnd = start + this.#bodyBytes - gathered.count;
    } else {
      const found = buffer.subarray(start, end).indexOf(nul);
      bodyEnd = found < 0 ? Infinity : start + found;
      if (this.#headBytes + gathered.count + Math.min(bodyEnd, end) - start + 1 > this.frameBytesMax) throw this.#tooLarge();
    }
    if (bodyEnd > end) {
      gathered.append(buffer, start, end);
      return end;
    }
    // Where nothing follows the NUL comes with the next read, to the same buffer.
    if (gathered.count === 0 && bodyEnd < end) {
      this.#body = buffer.subarray(start, bodyEnd);
    } else {
      gathered.append(buffer, start, bodyEnd);
      this.#body = gathered.take();
    }
    this.#state = 'end';
    return bodyEnd;
  }

  #tooLarge(): DecodeError {
    return new DecodeError('too-many', `frame is larger than ${this.frameBytesMax} bytes`);
  }
}

function malformed(text: string): DecodeError {
  return new DecodeError('malformed', text);
}
