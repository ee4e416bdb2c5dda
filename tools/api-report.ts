// Writes docs/api.md: the declarations of everything `import ... from 'warrenmq'` gives, with their comments, so that a change of the public
// interface shows as a change of a file. `--check` fails when the file is not up to date.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const file = join(root, 'docs', 'api.md');

/** Modules whose exports the package exports, or which those inherit from, in the order of reading. */
function modules(index: string): string[] {
  const exported = [...index.matchAll(/from '\.\/(.*?)\.(?:js|ts)'/g)].map(match => String(match[1]));
  return [...exported, 'server/broker'];
}

const directory = mkdtempSync(join(tmpdir(), 'warren-api-'));
try {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const args = ['-p', join(root, 'tsconfig.build.json'), '--declaration', '--emitDeclarationOnly', '--outDir', directory];
  const { status, stdout } = spawnSync(tsc, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stdout);
  const index = readFileSync(join(directory, 'index.d.ts'), 'utf8');
  const parts = modules(index).map(name => {
    const text = readFileSync(join(directory, `${name}.d.ts`), 'utf8')
      .split('\n')
      .filter(line => !/^import |^export \{\};|^\/\/# |^ {4}(#private;|private |protected )/.test(line))
      .join('\n')
      .trim();
    return `## ${name}\n\n\`\`\`ts\n${text}\n\`\`\`\n`;
  });
  const header = '# The library\n\nMade by tools/api-report.ts of the sources. How to use it: [testing](guides/testing.md).\n';
  const report = [header, `\`\`\`ts\n${index.trim()}\n\`\`\`\n`, ...parts].join('\n');
  if (!process.argv.includes('--check')) {
    writeFileSync(file, report);
  } else if (readFileSync(file, 'utf8') !== report) {
    console.error('docs/api.md is not up to date: run node tools/api-report.ts, and say in CHANGELOG.md what changed');
    process.exitCode = 1;
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
