import type { ByteSocket } from '../../src/net/byte-socket.ts';

/** A client's socket that takes everything at once and keeps nothing. */
export class Sink implements ByteSocket {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 5672;
  readonly writableLength = 0;
  readonly takesAtOnce = true;
  bytesWritten = 0;
  /** Written to for the first time since the last tick. */
  onDirty: (sink: Sink) => void = () => {};
  onWrite: (bytes: Buffer) => void = () => {};
  onData: (bytes: Buffer) => void = () => {};
  onClosed: () => void = () => {};
  readonly #written: (() => void)[] = [];

  write(bytes: Buffer, written?: () => void): boolean {
    this.bytesWritten += bytes.length;
    this.onWrite(bytes);
    if (written === undefined) return true;
    if (this.#written.length === 0) this.onDirty(this);
    this.#written.push(written);
    return true;
  }

  /** Calls back for what was written. */
  tick(): void {
    for (let i = 0; i < this.#written.length; i++) (this.#written[i] as () => void)();
    this.#written.length = 0;
  }

  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
  unshift(): void {}
  end(): void {}
  destroy(): void {}

  on(event: string, listener: unknown): this {
    if (event === 'data') this.onData = listener as (bytes: Buffer) => void;
    if (event === 'close') this.onClosed = listener as () => void;
    return this;
  }
}
