import { closeSync, fstatSync, openSync, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from '../make-directory.ts';
import { backlogCharsMax, droppedNotice, type LogTarget } from './log-target.ts';
import { type FileRotation, shiftArchives } from './rotation.ts';
import { wallMillis } from './timestamp.ts';

/** How long last words wait for a write that is under way. */
const lastWaitMillis = 100;
/** How long lines gather after a write. Under load a write for every turn would cost more than all the lines. */
const restMillis = 20;

/**
 * A regular file, appended to by one write at a time that gathers what has come meanwhile, so that the disk holds up nobody. The first line
 * after a pause is written at once. Rotates by size and time as configured.
 */
export class FileTarget implements LogTarget {
  /** null for a file that was opened by others: standard output that leads into a file. */
  readonly #path: string | null;
  readonly #rotation: FileRotation | null;
  readonly #onError: (error: Error) => void;
  #fd: number;
  #fileBytes = 0;
  #rotateAtMillis = Infinity;
  #pending: string[] = [];
  #pendingChars = 0;
  #droppedCount = 0;
  #isWriting = false;
  /** Set for a while after each write: lines that come then wait. */
  #rest: NodeJS.Timeout | null = null;
  #wantsReopen = false;
  #isCompressing = false;
  #hasFailed = false;
  #flushed: (() => void)[] = [];

  /**
   * Opens or makes the file and its directories. `onError` hears once of each time that writing begins to fail.
   * @throws the system's error if it cannot be opened
   */
  constructor(file: { readonly path: string; readonly rotation: FileRotation } | { readonly fd: number }, onError: (error: Error) => void) {
    this.#onError = onError;
    if ('fd' in file) {
      this.#path = null;
      this.#rotation = null;
      this.#fd = file.fd;
      return;
    }
    this.#path = file.path;
    this.#rotation = file.rotation;
    makeDirectory(dirname(file.path));
    this.#fd = openSync(file.path, 'a', 0o640);
    this.#opened();
  }

  write(lines: string): void {
    if (this.#pendingChars > backlogCharsMax) {
      this.#droppedCount++;
      return;
    }
    if (this.#droppedCount > 0) {
      this.#pending.push(droppedNotice(this.#droppedCount));
      this.#droppedCount = 0;
    }
    this.#pending.push(lines);
    this.#pendingChars += lines.length;
    if (!this.#isWriting && this.#rest === null) this.#drain();
  }

  writeLast(lines: string): void {
    // A write under way is done by another thread and needs no event loop: give it time to come before.
    if (this.#isWriting) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lastWaitMillis);
    this.#pending.push(lines);
    const text = this.#pending.join('');
    this.#pending = [];
    this.#pendingChars = 0;
    try {
      writeSync(this.#fd, text);
    } catch {
      // There is nobody left to tell.
    }
  }

  reopen(): void {
    if (this.#path === null) return;
    this.#wantsReopen = true;
    if (!this.#isWriting) this.#reopenNow();
  }

  flush(timeoutMillis: number): Promise<void> {
    if (!this.#isWriting && this.#pending.length === 0) return Promise.resolve();
    if (!this.#isWriting) this.#drain();
    return new Promise(resolve => {
      const timer = setTimeout(resolve, timeoutMillis);
      this.#flushed.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  close(): void {
    this.#endRest();
    if (this.#path !== null && !this.#isWriting) closeSync(this.#fd);
  }

  #drain(): void {
    this.#endRest();
    if (this.#wantsReopen) this.#reopenNow();
    const bytes = Buffer.from(this.#pending.join(''));
    this.#pending = [];
    this.#pendingChars = 0;
    if (this.#mustRotate(bytes.length)) this.#rotate();
    this.#fileBytes += bytes.length;
    this.#isWriting = true;
    this.#writeRest(bytes, 0);
  }

  #writeRest(bytes: Buffer, from: number): void {
    write(this.#fd, bytes, from, bytes.length - from, null, (error, count) => {
      if (error === null && from + count < bytes.length) {
        this.#writeRest(bytes, from + count);
        return;
      }
      this.#isWriting = false;
      this.#noteResult(error);
      // Reporting the result may have begun a write.
      if (this.#isWriting) return;
      if (this.#pending.length > 0 && this.#flushed.length > 0) {
        this.#drain();
        return;
      }
      if (this.#wantsReopen) this.#reopenNow();
      const flushed = this.#flushed;
      this.#flushed = [];
      for (const done of flushed) done();
      this.#rest ??= setTimeout(() => {
        this.#rest = null;
        if (this.#pending.length > 0 && !this.#isWriting) this.#drain();
      }, restMillis);
    });
  }

  #endRest(): void {
    if (this.#rest !== null) clearTimeout(this.#rest);
    this.#rest = null;
  }

  #noteResult(error: Error | null): void {
    const isNew = error !== null && !this.#hasFailed;
    this.#hasFailed = error !== null;
    if (isNew) this.#onError(error);
  }

  #mustRotate(bytes: number): boolean {
    const rotation = this.#rotation;
    if (rotation === null || this.#fileBytes === 0 || this.#isCompressing) return false;
    return (rotation.bytesMax > 0 && this.#fileBytes + bytes > rotation.bytesMax) || wallMillis() >= this.#rotateAtMillis;
  }

  #rotate(): void {
    if (this.#path === null || this.#rotation === null) return;
    try {
      const compression = shiftArchives(this.#path, this.#rotation);
      if (compression !== null) void this.#compressed(compression);
    } catch (error) {
      // The old file goes on; the next line tries again.
      this.#noteResult(error as Error);
      return;
    }
    this.#reopenNow();
  }

  async #compressed(compression: Promise<void>): Promise<void> {
    this.#isCompressing = true;
    try {
      await compression;
    } catch (error) {
      this.#onError(error as Error);
    }
    this.#isCompressing = false;
  }

  #reopenNow(): void {
    this.#wantsReopen = false;
    if (this.#path === null) return;
    try {
      const fd = openSync(this.#path, 'a', 0o640);
      closeSync(this.#fd);
      this.#fd = fd;
      this.#opened();
    } catch (error) {
      this.#noteResult(error as Error);
    }
  }

  #opened(): void {
    this.#fileBytes = fstatSync(this.#fd).size;
    this.#rotateAtMillis = this.#rotation?.nextMillis(wallMillis()) ?? Infinity;
  }
}
