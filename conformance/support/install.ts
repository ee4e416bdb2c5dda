// Installs the npm clients into conformance/node_modules, once, when a suite that needs them runs.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inTurn } from './in-turn.ts';

/** The folder conformance/, where every client has a folder of its own. */
export const conformanceRoot: string = dirname(dirname(fileURLToPath(import.meta.url)));

const installedMark = join(conformanceRoot, 'node_modules', '.package-lock.json');
const lockFile = join(conformanceRoot, 'package-lock.json');
const busyMark = join(conformanceRoot, '.installing');

function isInstalled(): boolean {
  return existsSync(installedMark) && statSync(installedMark).mtimeMs >= statSync(lockFile).mtimeMs;
}

/**
 * Runs `npm ci` beside the locked list of npm clients unless that has been done since the list last changed. Suites run in several processes:
 * one of them installs, the others wait for it.
 * @throws Error with npm's output when the installation fails
 */
export async function ensureNpmClients(): Promise<void> {
  if (isInstalled()) return;
  await inTurn(busyMark, () => {
    if (!isInstalled()) install();
  });
}

function install(): void {
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: conformanceRoot,
    encoding: 'utf8',
    // npm hands its own settings down as variables; a nested run must not believe that it was called with the outer one's flags.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_(config_(omit|production|global)|lifecycle|command)/.test(name)),
    ),
  });
  if (result.status !== 0) throw new Error(`npm ci in conformance/ failed:\n${result.stdout}${result.stderr}`);
}
