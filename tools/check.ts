// `npm run check`: everything that can be known in under a minute. Static checks run side by side, then the fast tests.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');

function run(name: string, command: string, args: string[]): Promise<boolean> {
  const began = performance.now();
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', chunk => (output += chunk));
    child.stderr.on('data', chunk => (output += chunk));
    child.on('close', code => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
      if (code !== 0 || process.argv.includes('--verbose')) console.log(output);
      resolve(code === 0);
    });
  });
}

const statics = await Promise.all([
  run('types', join(bin, 'tsc'), ['--noEmit']),
  run('types of the UI', join(bin, 'tsc'), ['--noEmit', '-p', 'ui']),
  run('lint', join(bin, 'oxlint'), ['--type-aware', '--deny-warnings']),
  run('format', join(bin, 'biome'), ['format', '.']),
  run('layers', process.execPath, ['tools/layers.ts']),
  run('generated code', process.execPath, ['tools/generate-amqp091.ts', '--check']),
  run('command line reference', process.execPath, ['tools/generate-cli-reference.ts', '--check']),
  run('API report', process.execPath, ['tools/api-report.ts', '--check']),
  run('configuration reference', process.execPath, ['tools/generate-config-reference.ts', '--check']),
]);
const staticOnly = process.argv.includes('--static');
const tests = staticOnly || (await run('tests', process.execPath, ['tools/run-tests.ts', 'unit', 'property', 'contract', 'transcript']));
process.exit(statics.every(Boolean) && tests ? 0 : 1);
