import { crc32 } from '../../base/crc32.ts';
import type { BodyStage } from '../../core/messages/body-stage.ts';
import type { LargeBody } from '../../core/messages/large-body.ts';
import type { FileHandle } from '../../core/ports/files.ts';

/** Writes of one body under way; a piece is 256 KiB at most. */
const piecesInFlightMax = 16;
/** Of a body that is coming so much is synced at a time: what is left for the commit of its message is no more than about that. */
const syncedBytes = 8 * 1024 * 1024;

/**
 * Writes a body into its file, all at once or while it is coming: a few pieces at a time, and its header when the sum of all is known. Of a body
 * of 100 MiB alone the sum takes 30 ms, in which nobody would be served.
 */
export class BodyWriter implements BodyStage {
  readonly id: number;
  readonly handle: FileHandle;
  readonly #body: LargeBody;
  readonly #onDiscarded: () => void;
  #next = 0;
  #position: number;
  #sum = 0;
  #open = 0;
  #isSyncing = false;
  #unsyncedBytes = 0;
  #header: ((sum: number) => Buffer) | null = null;
  #isHeaderWritten = false;
  #isDiscarded = false;
  #failure: Error | null = null;
  #done: ((error: Error | null) => void) | null = null;

  /** `onDiscarded` is called when a body that is not wanted is not being written either. */
  constructor(id: number, handle: FileHandle, body: LargeBody, headerBytes: number, onDiscarded: () => void = () => {}) {
    this.id = id;
    this.handle = handle;
    this.#body = body;
    this.#position = headerBytes;
    this.#onDiscarded = onDiscarded;
  }

  grown(): void {
    if (!this.#isDiscarded) this.#goOn();
  }

  discard(): void {
    this.#isDiscarded = true;
    this.#end();
  }

  /** All of it is there. `done` gets the first error. */
  finish(header: (sum: number) => Buffer, done: (error: Error | null) => void): void {
    this.#header = header;
    this.#done = done;
    // The message may be gone before its bytes are written.
    this.#body.hold();
    this.#goOn();
  }

  #goOn(): void {
    const { pieces } = this.#body;
    // The last piece is being filled as long as there is more to come.
    const count = this.#header === null ? pieces.length - 1 : pieces.length;
    while (this.#failure === null && !this.#isDiscarded && this.#open < piecesInFlightMax) {
      if (this.#next < count) this.#writePiece(pieces[this.#next++] as Buffer);
      else if (this.#header !== null && !this.#isHeaderWritten) {
        this.#isHeaderWritten = true;
        this.#write(this.#header(this.#sum), 0);
      } else break;
    }
    if (this.#header === null && this.#unsyncedBytes >= syncedBytes) this.#sync();
    this.#end();
  }

  #writePiece(piece: Buffer): void {
    this.#sum = crc32(piece, this.#sum);
    const at = this.#position;
    this.#position += piece.length;
    this.#write(piece, at);
  }

  #write(bytes: Buffer, position: number): void {
    if (this.#open++ === 0) this.#body.hold();
    this.handle.write(bytes, position, error => {
      this.#failure ??= error;
      this.#unsyncedBytes += bytes.length;
      const isLast = --this.#open === 0;
      this.#goOn();
      // Not before others were begun: what nobody holds is given back.
      if (isLast) this.#body.release();
    });
  }

  #sync(): void {
    if (this.#isSyncing || this.#failure !== null || this.#isDiscarded) return;
    this.#isSyncing = true;
    this.#unsyncedBytes = 0;
    this.handle.sync(error => {
      this.#isSyncing = false;
      this.#failure ??= error;
      this.#goOn();
    });
  }

  /** Tells whoever waits when nothing is under way any more. */
  #end(): void {
    if (this.#open > 0 || this.#isSyncing) return;
    const done = this.#done;
    if (done !== null && (this.#isHeaderWritten || this.#failure !== null)) {
      this.#done = null;
      done(this.#failure);
      this.#body.release();
    } else if (this.#isDiscarded && done === null) this.#onDiscarded();
  }
}
