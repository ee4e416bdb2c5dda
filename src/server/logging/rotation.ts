import { createReadStream, createWriteStream, existsSync, renameSync, rmSync, truncateSync } from 'node:fs';

/** When a log file is put aside, and how many older ones are kept. */
export interface FileRotation {
  /** 0: not by size. */
  readonly bytesMax: number;
  /** Older files kept: path.0, the newest, to path.(count - 1). */
  readonly count: number;
  readonly compress: boolean;
  /** The next time after `nowMillis` at which a new file begins; Infinity: not by time. */
  nextMillis(nowMillis: number): number;
}

/**
 * Makes room for a new file: path becomes path.0, path.0 becomes path.1 and so on; the oldest goes. Resolves when the archive is
 * compressed, if it is to be; archives must not be shifted again before.
 * @throws the system's error if the file cannot be renamed
 */
export function shiftArchives(path: string, rotation: FileRotation): Promise<void> | null {
  const { count } = rotation;
  if (count === 0) {
    truncateSync(path);
    return null;
  }
  for (const ending of ['', '.gz']) rmSync(`${path}.${count - 1}${ending}`, { force: true });
  for (let index = count - 2; index >= 0; index--) {
    for (const ending of ['', '.gz']) {
      if (existsSync(`${path}.${index}${ending}`)) renameSync(`${path}.${index}${ending}`, `${path}.${index + 1}${ending}`);
    }
  }
  renameSync(path, `${path}.0`);
  return rotation.compress ? compress(`${path}.0`) : null;
}

async function compress(path: string): Promise<void> {
  const [{ createGzip }, { pipeline }] = await Promise.all([import('node:zlib'), import('node:stream/promises')]);
  const partial = `${path}.gz.partial`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(partial, { mode: 0o640 }));
    renameSync(partial, `${path}.gz`);
    rmSync(path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}
