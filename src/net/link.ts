import net from 'node:net';
import type { Admission } from './admission.ts';
import type { ByteSocket } from './byte-socket.ts';
import { Outbox } from './outbox.ts';
import { PerRound } from './per-round.ts';
import { reasonOf } from './reason.ts';
import { type InputTaker, shareInput } from './shared-input.ts';

/** What a protocol makes of a connection's input. */
export interface LinkSession {
  /** Input to act on at once: the buffer is filled again when this returns, so that what is to be kept of it has to be copied. */
  onBytes(buffer: Buffer, start: number, end: number): void;
  /** Whether what came last is the beginning of something large, so that more may be read at a time. */
  readonly isTakingLarge: boolean;
  /** The connection is gone, for whatever reason; called once. */
  onClosed(error: Error | null): void;
  /** The outbox was congested and has room again. */
  onDrained(): void;
  /** The outbox was flushed, and has sent so much that the rest wants to be flushed, too. */
  onUnsent(): void;
}

/** Facts about the two ends, fixed for the life of the connection. PROXY protocol may have replaced the peer's. */
export interface LinkFacts {
  readonly peerHost: string;
  readonly peerPort: number;
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Whether the bytes come inside a WebSocket. */
  readonly isWebSocket: boolean;
  /** What the TLS handshake agreed on; null without TLS. */
  readonly tls: TlsFacts | null;
  /** The verified certificate of the peer; null without one. */
  readonly peerCertificate: PeerCertificate | null;
}

/** The part of node:crypto's X509Certificate that users are found by. */
export interface PeerCertificate {
  readonly subject: string;
  readonly subjectAltName?: string | undefined;
  readonly issuer: string;
  readonly validFrom: string;
  readonly validTo: string;
}

export interface TlsFacts {
  /** 'TLSv1.3'. */
  readonly version: string;
  /** OpenSSL's name: 'ECDHE-RSA-AES128-GCM-SHA256'. */
  readonly cipher: string;
  /** The registered name, of which key exchange, cipher and hash can be read: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'. */
  readonly cipherSuite: string;
}

/** A send timeout grows with what is waiting, so that a slow line may take its time for a large message, but no further than this. */
const sendTimeoutFactorMax = 20;

/** How long a connection is idle before the kernel asks whether the peer is still there. */
export const keepAliveMillis = 60_000;

/** When thousands of clients leave at the same moment, so many sessions end in one round of the event loop, at some 8 microseconds each. */
const leavingPerRound = 256;
/** And so many sockets are closed, for which the kernel takes 20 microseconds or more. */
const closingPerRound = 64;

/** One client's connection below any protocol: its socket, its outbox, its two ends. */
export class Link implements InputTaker {
  static readonly #closing = new PerRound<ByteSocket>(closingPerRound, socket => void socket.destroy());
  static readonly #leaving = new PerRound<Link>(leavingPerRound, link => link.#leave());
  readonly outbox: Outbox;
  readonly facts: LinkFacts;
  readonly #socket: ByteSocket;
  readonly #admission: Admission | null;
  #session: LinkSession | null = null;
  #isClosed = false;
  #isPaused = false;
  #hasPeerEnded = false;
  #isKeptAlive = false;
  #error: Error | null = null;
  /** Since when nothing has left; -1 while there is no reason to look. */
  #stalledSinceMillis = -1;
  #writesSeen = 0;
  receivedBytes = 0;

  /** `admission` is given back when the connection is gone. */
  constructor(socket: ByteSocket, facts: LinkFacts, outboxBytesMax: number, admission: Admission | null = null) {
    this.#socket = socket;
    this.#admission = admission;
    this.facts = facts;
    this.outbox = new Outbox(
      socket,
      outboxBytesMax,
      () => this.#session?.onDrained(),
      () => this.#session?.onUnsent(),
    );
    shareInput(socket, this);
    socket.on('data', bytes => this.take(bytes, bytes.length));
    socket.on('end', () => this.#peerEnded());
    socket.on('error', error => {
      this.#error = new Error(reasonOf(error), { cause: error });
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

  /** Input, for the session. */
  take(buffer: Buffer, bytes: number): void {
    this.receivedBytes += bytes;
    this.#session?.onBytes(buffer, 0, bytes);
  }

  get isTakingLarge(): boolean {
    return this.#session !== null && this.#session.isTakingLarge;
  }

  /** To be called by the protocol when it knows who the client is: from then on the limit for strangers does not concern it. */
  authenticated(): void {
    this.#admission?.authenticated();
    this.#socket.authenticated?.();
  }

  /** For a peer that need not send anything: should it vanish without a word, the kernel finds out, within two minutes. Asked for once, it stays. */
  keepAlive(): void {
    if (this.#isKeptAlive) return;
    this.#isKeptAlive = true;
    this.#socket.setKeepAlive?.(true, keepAliveMillis);
  }

  /**
   * Whether the client has taken nothing for `timeoutMillis` although its outbox is full, or after it has ended its side. To be asked about
   * twice a second. Progress shows when a write is done, and all that waits is one write: for more than a full outbox (one large message)
   * the time is longer in proportion.
   */
  isStalled(nowMillis: number, timeoutMillis: number): boolean {
    const { outbox } = this;
    if (!outbox.isCongested && !this.#hasPeerEnded) {
      this.#stalledSinceMillis = -1;
      return false;
    }
    if (this.#stalledSinceMillis < 0 || this.#writesSeen !== outbox.writesDone) {
      this.#stalledSinceMillis = nowMillis;
      this.#writesSeen = outbox.writesDone;
      return false;
    }
    const factor = Math.min(sendTimeoutFactorMax, Math.max(1, outbox.pendingBytes / outbox.bytesMax));
    return nowMillis - this.#stalledSinceMillis >= timeoutMillis * factor;
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

  /** Stops reading and takes back what was read and not acted on: it comes first when reading goes on. */
  pauseBefore(bytes: Buffer): void {
    if (this.#isClosed) return;
    this.pause();
    this.receivedBytes -= bytes.length;
    // They lie in the buffer of a read.
    this.#socket.unshift(Buffer.from(bytes));
  }

  /** Sends what is in the outbox, then closes our side. */
  end(): void {
    if (this.#isClosed) return;
    this.outbox.flush(true);
    this.#socket.end();
  }

  /** Closes at once; what was not sent is lost. */
  destroy(): void {
    if (this.#isClosed) return;
    this.#socket.destroy();
  }

  /** The client sends no more. It is over when nothing waits; else the socket closes after the last byte. */
  #peerEnded(): void {
    this.#hasPeerEnded = true;
    this.outbox.flush(true);
    if (this.outbox.pendingBytes > 0) return;
    const socket = this.#socket;
    if (socket instanceof net.Socket) {
      // Or Node shuts our side down first.
      socket.allowHalfOpen = true;
      Link.#leaving.add(this);
    } else {
      socket.destroy();
    }
  }

  #leave(): void {
    this.#closed();
    Link.#closing.add(this.#socket);
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#admission?.close();
    this.outbox.discard();
    this.#session?.onClosed(this.#error);
    this.#session = null;
  }
}
