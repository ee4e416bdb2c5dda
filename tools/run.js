// `node tools/run.js FILE ...`: runs one of the project's own programs on the Node that the project brings, installing it first if absent.
// A shell may remember where it found `node` before the installation, so no script can count on `npm ci && node FILE`.
// Plain JavaScript without dependencies, for the machine's own Node.
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './ensure-dependencies.js';

const bin = join(dirname(dirname(fileURLToPath(import.meta.url))), 'node_modules', '.bin');

ensureDependencies();
const child = spawn(join(bin, process.platform === 'win32' ? 'node.cmd' : 'node'), process.argv.slice(2), {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
  shell: process.platform === 'win32',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
