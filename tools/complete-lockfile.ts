// Adds the packages for other platforms to package-lock.json where a registry mirror without them left them out: `npm ci` refuses a lock file
// that does not name every optional dependency, also those it would not install. Run after every change of dependencies.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface LockedPackage {
  version?: string;
  resolved?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), process.argv[2] ?? 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> };
const systems = ['android', 'darwin', 'freebsd', 'netbsd', 'openbsd', 'linux', 'openharmony', 'win32', 'sunos', 'aix'];
const processors: readonly (readonly [pattern: RegExp, cpu: string])[] = [
  [/arm64/, 'arm64'],
  [/arm/, 'arm'],
  [/ppc64/, 'ppc64'],
  [/riscv64/, 'riscv64'],
  [/s390x/, 's390x'],
  [/ia32/, 'ia32'],
  [/loong64/, 'loong64'],
  [/x64/, 'x64'],
];
let added = 0;
for (const parent of Object.values(lock.packages)) {
  delete parent.resolved;
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    const words = name.split('/').pop() ?? name;
    const system = systems.find(word => words.includes(word));
    if (lock.packages[path] !== undefined || system === undefined) continue;
    const cpu = processors.find(([pattern]) => pattern.test(words))?.[1];
    lock.packages[path] = {
      version,
      ...(parent.dev === true ? { dev: true } : {}),
      optional: true,
      os: [system],
      ...(cpu === undefined ? {} : { cpu: [cpu] }),
      ...(words.includes('musl') ? { libc: ['musl'] } : {}),
    };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${file}: ${added} packages of other platforms added`);
