// The one dependency rule (docs/ARCHITECTURE.md): an import points only downward or to core/ports, two adapters never import each other,
// only server/ (and the public index) names an adapter, and the core touches no file, socket, timer or clock of the machine.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Layer (longest matching path wins) -> the layers it may import, besides itself. */
const rules: Record<string, string[]> = {
  base: [],
  wire: ['base'],
  'core/ports': ['base'],
  core: ['base', 'core/ports'],
  net: ['base', 'core/ports'],
  auth: ['base', 'core', 'core/ports'],
  'protocols/*': ['base', 'wire', 'core', 'core/ports', 'net', 'auth'],
  management: ['base', 'wire', 'core', 'core/ports', 'net', 'auth'],
  'store/*': ['base', 'core', 'core/ports'],
  'cluster/*': ['base', 'core', 'core/ports'],
  telemetry: ['base', 'core', 'core/ports'],
  cli: ['base', 'wire'],
  server: ['base', 'wire', 'core', 'core/ports', 'net', 'auth', 'protocols/*', 'management', 'telemetry', 'store/*', 'cluster/*'],
  'index.ts': ['base', 'core', 'core/ports', 'server'],
};

/** Node modules that would tie the core to the machine it runs on (decision D7). */
const machineModules = /^node:(net|fs|tls|http|https|timers|child_process|worker_threads|dgram|os)/;

function layerOf(file: string): string {
  const parts = file.split('/');
  const candidates = [parts.slice(0, 2).join('/'), `${parts[0]}/*`, parts[0] ?? ''];
  const layer = candidates.find(candidate => candidate in rules);
  if (layer === undefined) throw new Error(`src/${file} is in no layer: add one to tools/layers.ts`);
  return layer;
}

const problems: string[] = [];
for (const file of globSync('src/**/*.ts', { cwd: root }).sort()) {
  const from = relative('src', file);
  const isTest = from.endsWith('.test.ts');
  const layer = layerOf(from);
  const text = readFileSync(join(root, file), 'utf8');
  for (const match of text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s*['"]([^'"]+)['"]/g,
  )) {
    const target = match[1] ?? match[2] ?? match[3] ?? '';
    if (target.startsWith('.')) {
      const to = normalize(join(dirname(from), target));
      if (to.startsWith('..')) {
        if (!isTest) problems.push(`${file}: imports ${target}, outside src/`);
        continue;
      }
      const toLayer = layerOf(to);
      // Two members of one family of adapters (protocols/a, protocols/b) are strangers to each other.
      const sameFamilyStranger = layer.endsWith('/*') && toLayer === layer && from.split('/')[1] !== to.split('/')[1];
      if (sameFamilyStranger || (toLayer !== layer && !rules[layer]?.includes(toLayer)))
        problems.push(`${file}: ${layer} must not import ${to} (${toLayer})`);
    } else if ((layer === 'core' || layer === 'base' || layer === 'wire') && machineModules.test(target) && !isTest) {
      problems.push(`${file}: ${layer} must not import ${target}; clock, sockets and files are ports`);
    }
  }
  const isPure = (layer === 'core' || layer === 'wire') && !isTest;
  if (isPure && /\b(Date\.now|setTimeout|setInterval|setImmediate)\s*\(/.test(text))
    problems.push(`${file}: uses the machine's clock or timers; take them from a port`);
  if (isPure && /\bMath\.random\s*\(/.test(text)) problems.push(`${file}: draws numbers that no seed repeats; take them from the broker's`);
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'layers: ok' : `layers: ${problems.length} problem(s)`);
process.exit(problems.length === 0 ? 0 : 1);
