import { readFileSync } from 'node:fs';
import { hostname, totalmem } from 'node:os';
import { openFilesMax } from '../net/open-files.ts';
import type { Platform } from './config/load-config.ts';

/** The facts of the machine that defaults depend on. */
export function readPlatform(): Platform {
  const files = openFilesMax();
  return {
    totalMemoryBytes: Math.min(totalmem(), cgroupMemoryBytes(readText('/proc/self/cgroup'), readText)),
    hostname: hostname(),
    ...(files === null ? {} : { openFilesMax: files }),
  };
}

/** What cgroups of version 1 say for "no limit" is some number around 2^63. */
const unlimitedBytes = 2 ** 60;

/**
 * The smallest memory limit of the cgroups that a process is in; Infinity if there is none. `groups` is /proc/self/cgroup. In a container
 * the path of its group is often that of the host; its own limit is then at the root. [Linux: cgroups(7)]
 */
export function cgroupMemoryBytes(groups: string | null, read: (path: string) => string | null): number {
  let smallest = Infinity;
  for (const line of (groups ?? '').split('\n')) {
    const [, id, controllers = '', path = ''] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    const isUnified = id === '0' && controllers === '';
    if (!isUnified && !controllers.split(',').includes('memory')) continue;
    const root = isUnified ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
    const files = isUnified ? ['memory.max', 'memory.high'] : ['memory.limit_in_bytes'];
    for (const group of withParents(path)) {
      for (const file of files) {
        const text = read(`${root}${group}/${file}`)?.trim() ?? '';
        const bytes = /^\d{1,20}$/.test(text) ? Number(text) : Infinity;
        if (bytes > 0 && bytes < Math.min(smallest, unlimitedBytes)) smallest = bytes;
      }
    }
  }
  return smallest;
}

/** '/a/b' -> '/a/b', '/a', ''. */
function withParents(path: string): string[] {
  const parts = path.split('/').filter(part => part !== '');
  return parts.map((_, index) => `/${parts.slice(0, parts.length - index).join('/')}`).concat('');
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
