import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { ByteSocket } from './byte-socket.ts';
import type { WebSocketOptions } from './web-socket-options.ts';

/** Messages of clients that have not logged in are no larger, and are refused before they are buffered. */
export const strangerMessageBytesMax = 64 * 1024;
/** So much of a message is handed on at a time: a message may be as large as a client likes to make it, and others are to be served in between. */
const pieceBytes = 64 * 1024;
/** ws counts in 32 bits, where 0 means no limit at all. */
const messageBytesCap = 0x7fff_ffff;
/** [RFC 6455 7.4.1] */
const unsupportedData = 1003;
const normalClosure = 1000;

const nothing = (): void => {};

/** The limits ws was made with, of which the one on messages grows at login. Its receiver is not public, the version is fixed. */
interface Limited {
  readonly _receiver: { _maxPayload: number };
}

/**
 * The bytes inside a WebSocket as a stream: frames are no boundaries, neither in nor out, so that any protocol works above it as above a
 * socket. What is sent as text must be UTF-8 [RFC 6455 5.6]; bytes that are not, or are cut in the middle of a character, go out as a binary
 * message in between, which every client takes.
 */
export class WebSocketStream implements ByteSocket {
  readonly #ws: WebSocket;
  readonly #raw: Socket;
  readonly #options: WebSocketOptions;
  /** Read while paused, or given back; in order. */
  readonly #waiting: Buffer[] = [];
  #isPaused = false;
  #isDraining = false;
  #sendsText: boolean;
  #isClosed = false;
  #onData: (bytes: Buffer) => void = nothing;
  #onError: (error: Error) => void = nothing;
  #onClose: () => void = nothing;
  /** When the client was heard of last, in milliseconds of `performance.now`. */
  lastHeardMillis = performance.now();

  constructor(ws: WebSocket, raw: Socket, options: WebSocketOptions) {
    this.#ws = ws;
    this.#raw = raw;
    this.#options = options;
    this.#sendsText = options.frames === 'as-received';
    ws.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    ws.on('ping', () => this.#heard());
    ws.on('pong', () => this.#heard());
    ws.on('error', error => this.#onError(error));
    ws.on('close', () => {
      this.#isClosed = true;
      this.#waiting.length = 0;
      this.#onClose();
    });
  }

  /** ws writes at once and without a copy, so that what the kernel has taken may be used again. */
  get writableLength(): number {
    return this.#raw.writableLength;
  }

  get bytesRead(): number {
    return this.#raw.bytesRead;
  }

  get bytesWritten(): number {
    return this.#raw.bytesWritten;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  on(event: 'data' | 'close' | 'end' | 'error', listener: ((bytes: Buffer) => void) | (() => void) | ((error: Error) => void)): this {
    if (event === 'data') this.#onData = listener as (bytes: Buffer) => void;
    else if (event === 'close') this.#onClose = listener as () => void;
    else if (event === 'error') this.#onError = listener as (error: Error) => void;
    return this;
  }

  write(bytes: Buffer, written?: () => void): boolean {
    this.#ws.send(bytes, { binary: !this.#sendsText || !isUtf8(bytes) }, written);
    return this.#raw.writableLength === 0;
  }

  cork(): void {
    this.#raw.cork();
  }

  uncork(): void {
    this.#raw.uncork();
  }

  pause(): void {
    this.#isPaused = true;
    this.#ws.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#waiting.length === 0) {
      this.#ws.resume();
    } else if (!this.#isDraining) {
      this.#isDraining = true;
      process.nextTick(() => this.#drain());
    }
  }

  unshift(bytes: Buffer): void {
    this.#waiting.unshift(bytes);
  }

  /** Closes in order: a close frame behind all that was sent. */
  end(): void {
    this.#ws.close(normalClosure);
  }

  destroy(): void {
    this.#ws.terminate();
  }

  /** The client has logged in: its messages may be as large as the configuration has it. */
  authenticated(): void {
    (this.#ws as unknown as Limited)._receiver._maxPayload = Math.min(this.#options.messageBytesMax, messageBytesCap);
  }

  /** Asks the client for a sign of life. */
  ping(): void {
    if (!this.#isClosed) this.#ws.ping();
  }

  #heard(): void {
    this.lastHeardMillis = performance.now();
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#heard();
    if (this.#options.frames === 'as-received') {
      this.#sendsText = !isBinary;
    } else if (!isBinary) {
      this.#onError(new Error('a text message, where only binary ones are understood'));
      this.#ws.close(unsupportedData);
      return;
    }
    if (data.length === 0) return;
    const isNext = !this.#isPaused && this.#waiting.length === 0;
    if (isNext && data.length <= pieceBytes) {
      this.#onData(data);
      return;
    }
    this.#waiting.push(data);
    if (isNext) this.#handOn();
  }

  #drain(): void {
    this.#isDraining = false;
    this.#handOn();
    if (!this.#isPaused && !this.#isClosed) this.#ws.resume();
  }

  /** Hands on what waits, in pieces, until reading is paused. */
  #handOn(): void {
    const waiting = this.#waiting;
    while (!this.#isPaused && !this.#isClosed && waiting.length > 0) {
      const data = waiting[0] as Buffer;
      if (data.length <= pieceBytes) waiting.shift();
      else waiting[0] = data.subarray(pieceBytes);
      this.#onData(data.subarray(0, pieceBytes));
    }
  }
}
