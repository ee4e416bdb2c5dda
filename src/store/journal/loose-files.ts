import type { LooseMessage } from '../../core/messages/message-store.ts';
import type { FileHandle, Files } from '../../core/ports/files.ts';

const namePattern = /^loose-(\d+)\.msg$/;

export function looseFileName(id: number): string {
  return `loose-${id}.msg`;
}

/** Bodies of large persistent messages: a file each, written as soon as the message is there and synced with the commit that confirms it. */
export class LooseFiles {
  readonly #files: Files;
  /** Files being written, and those written since the last sync began. */
  #writing = 0;
  #toSync: FileHandle[] = [];
  #isDirectoryDirty = false;
  #onWritten: (() => void)[] = [];
  #failure: Error | null = null;
  /** Released messages whose files go with the next commit, and those that wait for the one under way. */
  #released: number[] = [];
  #removable: number[] = [];
  unwrittenBytes = 0;

  constructor(files: Files) {
    this.#files = files;
  }

  /** Ids of the files there are. */
  ids(): number[] {
    return this.#files.list().flatMap(name => {
      const match = namePattern.exec(name);
      return match === null ? [] : [Number(match[1])];
    });
  }

  store(message: LooseMessage): void {
    const handle = this.#files.open(looseFileName(message.id), 0);
    this.#isDirectoryDirty = true;
    this.#writing++;
    this.unwrittenBytes += message.bodyBytes;
    let position = 0;
    let open = message.parts.length;
    for (const part of message.parts) {
      handle.write(part, position, error => {
        this.#failure ??= error;
        if (--open > 0) return;
        this.unwrittenBytes -= message.bodyBytes;
        this.#toSync.push(handle);
        if (--this.#writing === 0) for (const callback of this.#onWritten.splice(0)) callback();
      });
      position += part.length;
    }
  }

  /** The message is gone. Its file stays until that is durable. */
  release(message: LooseMessage): void {
    this.#released.push(message.id);
  }

  /** Makes every file written so far durable. */
  sync(done: (error: Error | null) => void): void {
    this.#removable = this.#removable.concat(this.#released.splice(0));
    if (this.#writing > 0) {
      this.#onWritten.push(() => this.sync(done));
      return;
    }
    const handles = this.#toSync;
    this.#toSync = [];
    let open = handles.length + 1;
    const synced = (error: Error | null): void => {
      this.#failure ??= error;
      if (--open === 0) done(this.#failure);
    };
    for (const handle of handles) {
      handle.sync(error => {
        handle.close();
        synced(error);
      });
    }
    if (this.#isDirectoryDirty) {
      this.#isDirectoryDirty = false;
      this.#files.syncDirectory(synced);
    } else {
      synced(null);
    }
  }

  /** A commit is done: files of messages that were settled before it are not needed any more. */
  committed(): void {
    for (const id of this.#removable.splice(0)) this.#files.remove(looseFileName(id));
  }

  remove(id: number): void {
    this.#files.remove(looseFileName(id));
  }

  read(message: LooseMessage, done: (error: Error | null, body: Buffer) => void): void {
    const body = Buffer.allocUnsafeSlow(message.bodyBytes);
    let handle: FileHandle;
    try {
      handle = this.#files.open(looseFileName(message.id), 0);
    } catch (error) {
      done(error as Error, body);
      return;
    }
    handle.read(body, 0, (error, bytes) => {
      handle.close();
      done(
        error ?? (bytes === body.length ? null : new Error(`body of a large message is cut short: ${bytes} of ${body.length} bytes`)),
        body,
      );
    });
  }
}
