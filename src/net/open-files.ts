import { readFileSync } from 'node:fs';

/** How many files this process may have open (RLIMIT_NOFILE); null where the system does not tell, or when there is no limit. */
export function openFilesMax(limitsFile = '/proc/self/limits'): number | null {
  let text: string;
  try {
    text = readFileSync(limitsFile, 'latin1');
  } catch {
    return null;
  }
  const match = /^Max open files\s+(\d+)\s/m.exec(text);
  return match === null ? null : Number(match[1]);
}
