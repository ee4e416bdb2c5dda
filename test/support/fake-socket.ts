import type { ByteSocket } from '../../src/net/byte-socket.ts';

/** What a socket calls back later; run by whoever owns the list, as Node runs its next-tick queue between events. */
export type Ticks = (() => void)[];

/** In place of what was read: the buffer of a read is used for the next. */
const overwritten = 0xee;

export interface FakeSocketOptions {
  /** Bytes that the "kernel" takes before the peer has read any of them; Infinity by default. */
  readonly kernelBytesMax?: number;
  /** False: a write is taken at the next tick and not within the call, as a TLS socket does it. */
  readonly takesAtOnce?: boolean;
  readonly peerPort?: number;
  readonly peerHost?: string;
}

class Write {
  readonly bytes: Buffer;
  readonly written: (() => void) | null;
  taken = 0;

  constructor(bytes: Buffer, written: (() => void) | null) {
    this.bytes = bytes;
    this.written = written;
  }
}

/**
 * A socket without a network: one end is the broker's, the other is the test's (`receive`, `read`, `hangUp` ...). It behaves like Node's where
 * that matters: callbacks come later and in order, bytes are copied only when the kernel takes them, a paused socket keeps what comes.
 */
export class FakeSocket implements ByteSocket {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 5672;
  writableLength = 0;
  bytesRead = 0;
  bytesWritten = 0;
  isPaused = false;
  isDestroyed = false;
  readonly takesAtOnce: boolean;
  /** How often the kernel was asked to look after the peer. */
  keepAliveCount = 0;
  /** The broker has ended its side; the peer has read all or will. */
  hasEnded = false;
  /** Room in the kernel; a peer that does not read lets it run out. */
  kernelBytesMax: number;
  readonly #ticks: Ticks;
  #writes: Write[] = [];
  #kernel: Buffer[] = [];
  #kernelBytes = 0;
  #corks = 0;
  #incoming: Buffer[] = [];
  #isEnding = false;
  #peerHasEnded = false;
  #isTaking = false;
  #isClosed = false;
  #onData: (bytes: Buffer) => void = () => {};
  #onEnd: () => void = () => {};
  #onClose: () => void = () => {};
  #onError: (error: Error) => void = () => {};

  constructor(ticks: Ticks, options: FakeSocketOptions = {}) {
    this.#ticks = ticks;
    this.kernelBytesMax = options.kernelBytesMax ?? Infinity;
    this.takesAtOnce = options.takesAtOnce ?? true;
    this.remotePort = options.peerPort ?? 40_000;
    this.remoteAddress = options.peerHost ?? '127.0.0.1';
  }

  // The broker's end.

  on(event: 'data' | 'close' | 'end' | 'error', listener: ((bytes: Buffer) => void) | (() => void) | ((error: Error) => void)): this {
    if (event === 'data') this.#onData = listener as (bytes: Buffer) => void;
    else if (event === 'end') this.#onEnd = listener as () => void;
    else if (event === 'close') this.#onClose = listener as () => void;
    else this.#onError = listener as (error: Error) => void;
    return this;
  }

  write(bytes: Buffer, written?: () => void): boolean {
    if (this.isDestroyed || this.#isEnding) {
      this.#tell(written ?? null);
      return false;
    }
    this.#writes.push(new Write(bytes, written ?? null));
    this.writableLength += bytes.length;
    if (this.#corks === 0) this.#offer();
    return this.writableLength === 0;
  }

  setKeepAlive(): void {
    this.keepAliveCount++;
  }

  cork(): void {
    this.#corks++;
  }

  uncork(): void {
    if (--this.#corks === 0) this.#offer();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#ticks.push(() => this.#flow());
  }

  unshift(bytes: Buffer): void {
    if (!this.isPaused) throw new Error('bytes are put back while the socket is being read');
    this.#incoming.unshift(bytes);
    this.bytesRead -= bytes.length;
  }

  end(): void {
    this.#isEnding = true;
    if (this.#writes.length === 0) this.#finish();
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.#incoming = [];
    const writes = this.#writes;
    this.#writes = [];
    this.writableLength = 0;
    for (const write of writes) this.#tell(write.written);
    this.#ticks.push(() => this.#close());
  }

  // The peer's end.

  /** Bytes that the peer sends: the broker gets them at once unless it has stopped reading. */
  receive(bytes: Buffer): void {
    if (this.isDestroyed || this.#peerHasEnded) return;
    this.#incoming.push(bytes);
    this.#flow();
  }

  /** Bytes the peer has sent and the broker has not read. */
  get unreadBytes(): number {
    return this.#incoming.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** What the broker has sent, at most so many bytes of it. */
  read(bytesMax = Infinity): Buffer {
    const parts: Buffer[] = [];
    let left = bytesMax;
    while (left > 0 && this.#kernel.length > 0) {
      const head = this.#kernel[0] as Buffer;
      const count = Math.min(left, head.length);
      parts.push(head.subarray(0, count));
      if (count === head.length) this.#kernel.shift();
      else this.#kernel[0] = head.subarray(count);
      this.#kernelBytes -= count;
      left -= count;
    }
    if (this.#writes.length > 0 && parts.length > 0) this.#offer();
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** Bytes that the peer could read now. */
  get readableBytes(): number {
    return this.#kernelBytes;
  }

  /** Whether there is nothing more to come: the broker has closed and the peer has read all. */
  get isOver(): boolean {
    return (this.#isClosed || this.hasEnded) && this.#kernelBytes === 0;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The peer closes in order (FIN); what is sent to it from now on goes nowhere. */
  hangUp(): void {
    if (this.#peerHasEnded || this.isDestroyed) return;
    this.#peerHasEnded = true;
    this.kernelBytesMax = Infinity;
    this.#kernel = [];
    this.#kernelBytes = 0;
    this.#offer();
    this.#flow();
  }

  /** The connection breaks (RST). */
  reset(): void {
    if (this.isDestroyed) return;
    this.#onError(new Error('read ECONNRESET'));
    this.destroy();
  }

  #flow(): void {
    while (!this.isPaused && !this.isDestroyed && this.#incoming.length > 0) {
      const bytes = Buffer.from(this.#incoming.shift() as Buffer);
      this.bytesRead += bytes.length;
      this.#onData(bytes);
      // Whoever has kept any of it finds that out.
      bytes.fill(overwritten);
    }
    if (!this.#peerHasEnded || this.isPaused || this.isDestroyed || this.#incoming.length > 0) return;
    this.#onEnd();
    // Both sides close: Node's sockets are not half open unless told to.
    this.end();
    if (this.#writes.length === 0) this.#ticks.push(() => this.destroy());
  }

  #offer(): void {
    if (this.takesAtOnce) {
      this.#take();
    } else if (!this.#isTaking) {
      this.#isTaking = true;
      this.#ticks.push(() => {
        this.#isTaking = false;
        this.#take();
      });
    }
  }

  #take(): void {
    while (this.#writes.length > 0 && this.#kernelBytes < this.kernelBytesMax) {
      const write = this.#writes[0] as Write;
      const count = Math.min(write.bytes.length - write.taken, this.kernelBytesMax - this.#kernelBytes);
      if (count > 0 && !this.#peerHasEnded) {
        this.#kernel.push(Buffer.from(write.bytes.subarray(write.taken, write.taken + count)));
        this.#kernelBytes += count;
      }
      this.bytesWritten += count;
      write.taken += count;
      if (write.taken < write.bytes.length) return;
      this.#writes.shift();
      this.writableLength -= write.bytes.length;
      this.#tell(write.written);
    }
    if (this.#writes.length > 0) return;
    if (this.#isEnding) this.#finish();
    if (this.#peerHasEnded) this.#ticks.push(() => this.destroy());
  }

  #tell(written: (() => void) | null): void {
    if (written !== null) this.#ticks.push(written);
  }

  #finish(): void {
    this.hasEnded = true;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
  }
}
