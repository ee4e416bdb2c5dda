import { crc32 } from '../../base/crc32.ts';
import { blockBytesMax } from '../../core/messages/block-pool.ts';
import { LargeBody } from '../../core/messages/large-body.ts';
import type { FileHandle } from '../../core/ports/files.ts';

/** Reads of one body under way. */
const readsMax = 4;

/**
 * Reads a body from a file, a few blocks at a time, with the sum of each when it is its turn: of a body of 100 MiB alone the sum takes 30 ms, in
 * which nobody would be served. `done` gets the body and its CRC-32, or null for one that is cut short.
 */
export function readBody(
  handle: FileHandle,
  position: number,
  bytes: number,
  done: (error: Error | null, body: LargeBody | null, sum: number) => void,
): void {
  const body = LargeBody.empty();
  /** Whether each piece was read. */
  const areRead: boolean[] = [];
  let askedBytes = 0;
  let summed = 0;
  let sum = 0;
  let open = 0;
  let isShort = false;
  let failure: Error | null = null;
  let isGoing = false;
  const read = (index: number, error: Error | null, count: number): void => {
    const piece = body.pieces[index] as Buffer;
    open--;
    failure ??= error;
    isShort ||= error === null && count < piece.length;
    areRead[index] = true;
    goOn();
  };
  const goOn = (): void => {
    // A read that is done at once is seen to by who asked for it.
    if (isGoing) return;
    isGoing = true;
    while (failure === null && !isShort) {
      if (areRead[summed] === true) sum = crc32(body.pieces[summed++] as Buffer, sum);
      else if (askedBytes < bytes && open < readsMax) {
        const index = areRead.length;
        const at = position + askedBytes;
        const piece = body.extend(Math.min(bytes - askedBytes, blockBytesMax));
        askedBytes += piece.length;
        areRead.push(false);
        open++;
        handle.read(piece, at, (error, count) => read(index, error, count));
      } else break;
    }
    isGoing = false;
    if (open > 0) return;
    if (failure === null && !isShort) done(null, body, sum);
    else {
      body.release();
      done(failure, null, 0);
    }
  };
  goOn();
}
