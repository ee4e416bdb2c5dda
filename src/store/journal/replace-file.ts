import type { Files } from '../../core/ports/files.ts';

const temporaryPattern = /\.tmp$/;
let lastTemporary = 0;

/**
 * Writes a file, given in pieces, so that after a crash it is there whole, or the old one is: under a name of its own, synced, renamed, the directory
 * synced. [reliability: S8]
 */
export function replaceFile(files: Files, name: string, pieces: readonly Buffer[], done: (error: Error | null) => void): void {
  // What an earlier, killed attempt left must not be mistaken for this one's: a new name each time, and left-overs go at the start.
  const temporary = `${name}.${++lastTemporary}.tmp`;
  try {
    const handle = files.open(temporary, 0);
    const finish = (error: Error | null): void => {
      handle.close();
      if (error !== null) {
        files.remove(temporary);
        done(error);
        return;
      }
      files.rename(temporary, name);
      files.syncDirectory(done);
    };
    const write = (index: number, position: number): void => {
      const piece = pieces[index];
      if (piece === undefined) {
        handle.sync(finish);
        return;
      }
      handle.write(piece, position, error => {
        if (error !== null) finish(error);
        else write(index + 1, position + piece.length);
      });
    };
    write(0, 0);
  } catch (error) {
    done(error as Error);
  }
}

/** Removes what killed attempts left; `isOwn` says which of it is this start's. */
export function removeTemporaries(files: Files, isOwn: (name: string) => boolean): void {
  for (const name of files.list()) if (temporaryPattern.test(name) && !isOwn(name)) files.remove(name);
}
