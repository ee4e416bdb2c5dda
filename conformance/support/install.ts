// Installs the npm clients into conformance/node_modules, once, when a suite that needs them runs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The folder conformance/, where every client has a folder of its own. */
export const conformanceRoot: string = dirname(dirname(fileURLToPath(import.meta.url)));

const installedMark = join(conformanceRoot, 'node_modules', '.package-lock.json');
const lockFile = join(conformanceRoot, 'package-lock.json');
const busyMark = join(conformanceRoot, '.installing');
const installMillisMax = 240_000;

function isInstalled(): boolean {
  return existsSync(installedMark) && statSync(installedMark).mtimeMs >= statSync(lockFile).mtimeMs;
}

/**
 * Runs `npm ci` beside the locked list of npm clients unless that has been done since the list last changed. Suites run in several processes:
 * one of them installs, the others wait for it.
 * @throws Error with npm's output when the installation fails
 */
export async function ensureNpmClients(): Promise<void> {
  const deadline = Date.now() + installMillisMax;
  while (!isInstalled()) {
    if (!takeTurn()) {
      if (Date.now() > deadline)
        throw new Error(`another run has been installing for ${installMillisMax / 1000} s; remove ${busyMark} if there is none`);
      await delay(200);
      continue;
    }
    try {
      if (!isInstalled()) install();
    } finally {
      rmSync(busyMark, { recursive: true, force: true });
    }
  }
}

/** Making a directory is atomic, so of several processes exactly one gets the turn. A mark left by a run that was killed does not count. */
function takeTurn(): boolean {
  if (existsSync(busyMark) && Date.now() - statSync(busyMark).mtimeMs > installMillisMax)
    rmSync(busyMark, { recursive: true, force: true });
  try {
    mkdirSync(busyMark);
    return true;
  } catch {
    return false;
  }
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
