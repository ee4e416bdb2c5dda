import { writeSync } from 'node:fs';
import type { WriteStream } from 'node:tty';
import { backlogCharsMax, droppedNotice, type LogTarget } from './log-target.ts';

/** A terminal or pipe: one of the process's standard streams. */
export class StreamTarget implements LogTarget {
  readonly #stream: WriteStream;
  readonly #fd: number;
  #droppedCount = 0;
  #isBroken = false;

  constructor(stream: WriteStream, fd: number) {
    this.#stream = stream;
    this.#fd = fd;
    // Node writes to pipes without waiting, but to terminals with: one stopped by Ctrl+S must not stop the broker.
    (stream as { _handle?: { setBlocking?(isBlocking: boolean): void } })._handle?.setBlocking?.(false);
    // Nobody reads any more (`warren | head`, a closed terminal). The broker goes on without.
    stream.on('error', () => {
      this.#isBroken = true;
    });
  }

  write(lines: string): void {
    if (this.#isBroken) return;
    if (this.#stream.writableLength > backlogCharsMax) {
      this.#droppedCount++;
      return;
    }
    if (this.#droppedCount > 0) {
      this.#stream.write(droppedNotice(this.#droppedCount));
      this.#droppedCount = 0;
    }
    this.#stream.write(lines);
  }

  writeLast(lines: string): void {
    if (this.#isBroken) return;
    const bytes = Buffer.from(lines);
    let sent = 0;
    for (let attempt = 0; attempt < 20 && sent < bytes.length; attempt++) {
      try {
        sent += writeSync(this.#fd, bytes, sent);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  }

  reopen(): void {}

  flush(timeoutMillis: number): Promise<void> {
    if (this.#isBroken || this.#stream.writableLength === 0) return Promise.resolve();
    return new Promise(resolve => {
      const timer = setTimeout(resolve, timeoutMillis);
      this.#stream.write('', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  close(): void {}
}
