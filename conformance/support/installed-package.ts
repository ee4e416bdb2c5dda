// The package as npm would publish it, and how programs of a project that has installed it are run.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inTurn } from './in-turn.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const installMillisMax = 240_000;
const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];

/** Runs a program in a project's folder without what this run's own environment says to Node, npm and the broker. Returns its output. */
export function runIn(directory: string, command: string, args: readonly string[], timeout = 120_000): string {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_(OPTIONS|TEST)|npm_(lifecycle|command|package)|npm_config_(omit|production|global)|WARREN|RABBITMQ)/i.test(name),
  );
  const PATH = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  const result = spawnSync(command, args, { cwd: directory, timeout, encoding: 'utf8', env: { ...Object.fromEntries(inherited), PATH } });
  assert.equal(result.status, 0, `${command} ${args.join(' ')}: ${result.error?.message ?? ''}\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

/** Installs what a project's lock file lists. */
export function installLocked(directory: string): void {
  runIn(directory, 'npm', ['ci', ...quiet], installMillisMax);
}

/** Packs WarrenMQ from this checkout and installs it into a project, as `npm install warrenmq` would. */
export async function installPackage(directory: string): Promise<void> {
  // Packing builds, and all build in one place.
  const output = await inTurn(join(root, 'node_modules', '.packing'), () =>
    runIn(root, 'npm', ['pack', '--silent', '--pack-destination', directory], installMillisMax),
  );
  const file = output.trim().split('\n').at(-1) ?? '';
  runIn(directory, 'npm', ['install', '--no-save', ...quiet, join(directory, file)], installMillisMax);
}
