import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory, and those above it, for its user alone. One that exists stays as it is.
 * (`recursive` of mkdir does not return where nothing can be made, as below /proc.)
 * @throws the system's error
 */
export function makeDirectory(path: string): void {
  const full = resolve(path);
  if (existsSync(full)) return;
  makeDirectory(dirname(full));
  try {
    mkdirSync(full, { mode: 0o700 });
  } catch (error) {
    // Somebody else made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
