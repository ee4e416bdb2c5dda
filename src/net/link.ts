import type { ByteSocket } from './byte-socket.ts';
import { Outbox } from './outbox.ts';

/** What a protocol makes of a connection's input. */
export interface LinkSession {
  /** Input to act on at once; the buffer is not used again by others, so pieces of it may be kept. */
  onBytes(buffer: Buffer, start: number, end: number): void;
  /** The connection is gone, for whatever reason; called once. */
  onClosed(error: Error | null): void;
  /** The outbox was congested and has room again. */
  onDrained(): void;
}

/** Facts about the two ends, fixed for the life of the connection. PROXY protocol may have replaced the peer's. */
export interface LinkFacts {
  readonly peerHost: string;
  readonly peerPort: number;
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** The verified certificate of the peer; null without one. */
  readonly peerCertificate: PeerCertificate | null;
}

/** The part of node:crypto's X509Certificate that users are found by. */
export interface PeerCertificate {
  readonly subject: string;
  readonly subjectAltName?: string | undefined;
  readonly issuer: string;
  readonly validTo: string;
}

/** One client's connection below any protocol: its socket, its outbox, its two ends. */
export class Link {
  readonly outbox: Outbox;
  readonly facts: LinkFacts;
  readonly #socket: ByteSocket;
  #session: LinkSession | null = null;
  #isClosed = false;
  #isPaused = false;
  #error: Error | null = null;
  receivedBytes = 0;

  constructor(socket: ByteSocket, facts: LinkFacts, outboxBytesMax: number) {
    this.#socket = socket;
    this.facts = facts;
    this.outbox = new Outbox(socket, outboxBytesMax, () => this.#session?.onDrained());
    socket.on('data', bytes => {
      this.receivedBytes += bytes.length;
      this.#session?.onBytes(bytes, 0, bytes.length);
    });
    socket.on('error', error => {
      this.#error = error;
    });
    socket.on('close', () => this.#closed());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get sentBytes(): number {
    return this.#socket.bytesWritten ?? 0;
  }

  /** Bytes that wait for the kernel. */
  get pendingBytes(): number {
    return this.outbox.pendingBytes;
  }

  start(session: LinkSession): void {
    this.#session = session;
  }

  /** Stops reading: the peer is held up by TCP. */
  pause(): void {
    if (this.#isPaused || this.#isClosed) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused || this.#isClosed) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  /** Sends what is in the outbox, then closes our side. */
  end(): void {
    if (this.#isClosed) return;
    this.outbox.flush();
    this.#socket.end();
  }

  /** Closes at once; what was not sent is lost. */
  destroy(): void {
    if (this.#isClosed) return;
    this.#socket.destroy();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.outbox.discard();
    this.#session?.onClosed(this.#error);
    this.#session = null;
  }
}
