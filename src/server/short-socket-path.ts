import { mkdtempSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** What fits the address of a Unix socket everywhere (104 bytes on macOS, 108 on Linux, both with a zero at the end). */
const socketPathBytesMax = 103;

/**
 * Calls `use` with a path to the same file that is short enough for a Unix socket: the path itself, or one by way of a symbolic link in the
 * system's temporary directory, which is gone again afterwards.
 */
export async function withShortPath<Result>(path: string, use: (path: string) => Promise<Result>): Promise<Result> {
  if (Buffer.byteLength(path) <= socketPathBytesMax) return await use(path);
  const directory = mkdtempSync(join(tmpdir(), 'warren-'));
  const link = join(directory, 'd');
  try {
    symlinkSync(resolve(dirname(path)), link);
    return await use(join(link, basename(path)));
  } finally {
    unlinkSync(link);
    rmdirSync(directory);
  }
}
