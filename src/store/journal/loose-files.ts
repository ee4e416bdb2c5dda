import type { BodyStage } from '../../core/messages/body-stage.ts';
import { LargeBody } from '../../core/messages/large-body.ts';
import { checksum } from '../../base/checksum.ts';
import { crc32 } from '../../base/crc32.ts';
import type { LooseMessage } from '../../core/messages/loose-message.ts';
import type { Backlog } from '../../core/ports/commit-log.ts';
import type { FileHandle, Files } from '../../core/ports/files.ts';
import { BodyWriter } from './body-writer.ts';
import { readBody } from './body-reading.ts';

/** 'WRNB' */
const magic = 0x424e5257;
const version = 1;
export const looseHeaderBytes = 32;
/** Bytes that wait to be written, with which whoever publishes large messages is held up. */
const behindBytes = 32 * 1024 * 1024;
/** Bodies that are written while they are coming: each has a file open. Others are written when they are there. */
const stagesMax = 16;

const namePattern = /^loose-(\d+)\.msg$/;

export function looseFileName(id: number): string {
  return `loose-${id}.msg`;
}

function pageName(id: number): string {
  return `page-${id}.tmp`;
}

/** The id in a file's name; -1 for other files. */
export function looseIdOfFile(name: string): number {
  const match = namePattern.exec(name);
  return match === null ? -1 : Number(match[1]);
}

/** What a commit is to make durable of large bodies, and what it makes superfluous. */
export interface LooseBatch {
  readonly written: readonly Writing[];
  readonly released: readonly number[];
}

/** A body on its way into its file. */
class Writing {
  readonly message: LooseMessage;
  readonly handle: FileHandle;
  isDone = false;
  error: Error | null = null;
  onDone: () => void = () => {};

  constructor(message: LooseMessage, handle: FileHandle) {
    this.message = message;
    this.handle = handle;
  }
}

/**
 * Bodies of large persistent messages: a file each, written as soon as the message is there and synced with the commit that confirms it.
 *
 *     +0 magic u32  +4 version u32  +8 id f64  +16 body bytes u32  +20 CRC-32 of the body  +24 0  +28 checksum of the header  +32 body
 */
export class LooseFiles implements Backlog {
  readonly #files: Files;
  /** Files whose messages came, and ids of messages that went, since the last commit was put together. */
  #written: Writing[] = [];
  #released: number[] = [];
  /** Ids of messages whose settlement is durable. */
  #settled: readonly number[] = [];
  #isDirectoryDirty = false;
  /** Ids of messages for memory only whose body is in a file. */
  readonly #paged = new Set<number>();
  /** Bodies that are coming, by the ids of their messages to be. */
  readonly #staged = new Map<number, BodyWriter>();
  unwrittenBytes = 0;
  #caughtUp: (() => void)[] = [];

  constructor(files: Files) {
    this.#files = files;
  }

  get isBehind(): boolean {
    return this.unwrittenBytes > behindBytes;
  }

  onCaughtUp(callback: () => void): void {
    if (this.isBehind) this.#caughtUp.push(callback);
    else callback();
  }

  /** Ids of the files there are. */
  ids(): number[] {
    return this.#files
      .list()
      .map(looseIdOfFile)
      .filter(id => id >= 0);
  }

  /** Begins to write a body that is coming; null when that has to wait until it is there. */
  stage(body: LargeBody, id: number): BodyStage | null {
    if (this.#staged.size >= stagesMax) return null;
    let handle: FileHandle;
    try {
      handle = this.#files.open(looseFileName(id), 0);
    } catch {
      // It is tried again when the message is there, and told of then.
      return null;
    }
    this.#isDirectoryDirty = true;
    const writer = new BodyWriter(id, handle, body, looseHeaderBytes, () => {
      this.#staged.delete(id);
      handle.close();
      this.#files.removeLater(looseFileName(id));
    });
    this.#staged.set(id, writer);
    return writer;
  }

  /** @throws Error the system's, when the file cannot be made */
  store(message: LooseMessage): void {
    const body = message.body as LargeBody;
    const writer = this.#adopt(message.id, body) ?? this.#writerOf(looseFileName(message.id), message);
    const writing = new Writing(message, writer.handle);
    this.#isDirectoryDirty = true;
    this.#written.push(writing);
    this.unwrittenBytes += message.bodyBytes;
    writer.finish(
      sum => header(message, sum),
      error => {
        writing.error = error;
        this.unwrittenBytes -= message.bodyBytes;
        writing.isDone = true;
        writing.onDone();
        if (!this.isBehind) for (const callback of this.#caughtUp.splice(0)) callback();
      },
    );
  }

  /** What has begun to write a body goes on as its message's. */
  #adopt(id: number, body: LargeBody): BodyWriter | undefined {
    const writer = this.#staged.get(id);
    if (writer === undefined) return undefined;
    this.#staged.delete(id);
    body.stage = null;
    return writer;
  }

  #writerOf(name: string, { id, body }: LooseMessage): BodyWriter {
    return new BodyWriter(id, this.#files.open(name, 0), body as LargeBody, looseHeaderBytes);
  }

  /** The message is gone. Its file stays until that is durable. */
  release(message: LooseMessage): void {
    this.#released.push(message.id);
  }

  get hasWork(): boolean {
    return this.#written.length > 0 || this.#released.length > 0;
  }

  /** What came and went so far belongs to the commit that is put together now. */
  take(): LooseBatch {
    const batch = { written: this.#written, released: this.#released };
    this.#written = [];
    this.#released = [];
    return batch;
  }

  /** Makes the files of a commit durable, waiting for their bytes to be written first. */
  sync(batch: LooseBatch, done: (error: Error | null) => void): void {
    let open = 1;
    let failure: Error | null = null;
    const synced = (error: Error | null): void => {
      failure ??= error;
      if (--open === 0) done(failure);
    };
    for (const writing of batch.written) {
      open++;
      const sync = (): void => {
        if (writing.error !== null) synced(writing.error);
        else
          writing.handle.sync(error => {
            writing.handle.close();
            synced(error);
          });
      };
      if (writing.isDone) sync();
      else writing.onDone = sync;
    }
    if (this.#isDirectoryDirty) {
      this.#isDirectoryDirty = false;
      this.#files.syncDirectory(synced);
    } else {
      synced(null);
    }
  }

  /**
   * A commit is durable. Files of messages that were settled in it go with the next: until a later frame says that this commit's frames are
   * durable, recovery takes a record without its file for a torn write.
   */
  committed(batch: LooseBatch): void {
    const removable = this.#settled;
    this.#settled = batch.released;
    for (const id of removable) this.#files.removeLater(looseFileName(id));
  }

  /** Whether files wait for one more commit to go. */
  get hasRemovable(): boolean {
    return this.#settled.length > 0;
  }

  /**
   * Writes the body of a message that is for memory only, so that it need not be there. Nothing is synced, and what an earlier start left is
   * removed by its ending (`removeTemporaries`).
   */
  writePage(message: LooseMessage, done: (error: Error | null) => void): void {
    let writer: BodyWriter;
    try {
      writer = this.#writerOf(pageName(message.id), message);
    } catch (error) {
      done(error as Error);
      return;
    }
    this.#paged.add(message.id);
    writer.finish(
      sum => header(message, sum),
      error => {
        writer.handle.close();
        if (error !== null) this.removePage(message);
        done(error);
      },
    );
  }

  /** The body of a message that is for memory only is not needed any more, wherever it is. */
  removePage({ id }: LooseMessage): void {
    if (this.#paged.delete(id)) this.#files.removeLater(pageName(id));
  }

  /** Removes the bodies of all messages that are for memory only. */
  removePages(): void {
    for (const id of this.#paged) this.#files.remove(pageName(id));
    this.#paged.clear();
  }

  remove(id: number): void {
    this.#files.remove(looseFileName(id));
  }

  /** Recovery: makes durable what was found, for it may be in the page cache only. */
  syncFound(id: number, done: (error: Error | null) => void): void {
    let handle: FileHandle;
    try {
      handle = this.#files.openExisting(looseFileName(id));
    } catch {
      // Damage, which shows when the message is wanted.
      done(null);
      return;
    }
    handle.sync(error => {
      handle.close();
      done(error);
    });
  }

  /** Reads a body and checks it. Calls back within the call when there is no file. */
  read({ id, isLogged, bodyBytes }: LooseMessage, done: (error: Error | null, body: LargeBody | null) => void): void {
    let handle: FileHandle;
    try {
      handle = this.#files.openExisting(isLogged ? looseFileName(id) : pageName(id));
    } catch (error) {
      done(error as Error, null);
      return;
    }
    const head = Buffer.allocUnsafe(looseHeaderBytes);
    handle.read(head, 0, (error, count) => {
      const problem = error ?? headerProblem(head, count, id, bodyBytes);
      if (problem !== null) {
        handle.close();
        done(problem, null);
        return;
      }
      readBody(handle, looseHeaderBytes, bodyBytes, (failure, body, sum) => {
        handle.close();
        if (failure !== null || body === null) done(failure ?? new Error('the file is cut short'), null);
        else if (sum === sumOf(head)) done(null, body);
        else {
          body.release();
          done(wrongSum(), null);
        }
      });
    });
  }

  /** Recovery: whether the file of a message is there and what was meant to be written. */
  isWhole(id: number, bodyBytes: number): boolean {
    return this.#readNow(looseFileName(id), id, bodyBytes) !== null;
  }

  /** The body of a message that is for memory only; null when it cannot be read. */
  readNow({ id, bodyBytes }: LooseMessage): LargeBody | null {
    const body = this.#readNow(pageName(id), id, bodyBytes);
    return body === null ? null : LargeBody.of([body]);
  }

  #readNow(name: string, id: number, bodyBytes: number): Buffer | null {
    const bytes = Buffer.allocUnsafeSlow(looseHeaderBytes + bodyBytes);
    let handle: FileHandle;
    try {
      handle = this.#files.openExisting(name);
    } catch {
      return null;
    }
    try {
      const count = handle.readSync(bytes, 0);
      return problemOf(bytes, count, id, bodyBytes) === null ? bytes.subarray(looseHeaderBytes) : null;
    } catch (error) {
      if (name === pageName(id)) return null;
      throw error;
    } finally {
      handle.close();
    }
  }
}

function header(message: LooseMessage, sum: number): Buffer {
  const words = new Uint32Array(looseHeaderBytes / 4);
  const bytes = Buffer.from(words.buffer);
  words[0] = magic;
  words[1] = version;
  bytes.writeDoubleLE(message.id, 8);
  words[4] = message.bodyBytes;
  words[5] = sum;
  words[7] = checksum(words, 0, 7, magic);
  return bytes;
}

/** What is wrong with a file as it was read; null for nothing. */
export function problemOf(bytes: Buffer, count: number, id: number, bodyBytes: number): Error | null {
  const problem = headerProblem(bytes, count, id, bodyBytes);
  if (problem !== null) return problem;
  if (count < looseHeaderBytes + bodyBytes) return new Error(`the file is cut short: ${count - looseHeaderBytes} of ${bodyBytes} bytes`);
  return crc32(bytes.subarray(looseHeaderBytes, looseHeaderBytes + bodyBytes)) === sumOf(bytes) ? null : wrongSum();
}

function headerProblem(bytes: Buffer, count: number, id: number, bodyBytes: number): Error | null {
  if (count < looseHeaderBytes) return new Error('the file is cut short');
  const words = new Uint32Array(8);
  Buffer.from(words.buffer).set(bytes.subarray(0, looseHeaderBytes));
  if (words[0] !== magic || words[7] !== checksum(words, 0, 7, magic)) return new Error('its header is damaged');
  if (words[1] !== version) return new Error(`it has format ${words[1]}, this version knows ${version}`);
  if (bytes.readDoubleLE(8) !== id || words[4] !== bodyBytes) return new Error('it is the file of another message');
  return null;
}

function sumOf(head: Buffer): number {
  return head.readUInt32LE(20);
}

function wrongSum(): Error {
  return new Error('its checksum does not fit');
}
