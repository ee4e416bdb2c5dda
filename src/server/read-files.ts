import { readdirSync, readFileSync } from 'node:fs';

/** The text of a file; null if there is none that can be read. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** The names in a directory; null if there is none that can be read. */
export function listDirectory(path: string): readonly string[] | null {
  try {
    return readdirSync(path);
  } catch {
    return null;
  }
}
