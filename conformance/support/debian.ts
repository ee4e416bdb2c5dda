// Brings in the clients that come from Debian's own packages.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { conformanceRoot } from './install.ts';

const notDebian = 3;

/** Debian's packages belong to the system's interpreters; one found first in PATH (pyenv, rbenv) does not see them. */
export const debianPython = '/usr/bin/python3';
export const debianRuby = '/usr/bin/ruby';
export const debianPhp = '/usr/bin/php';

/**
 * Makes sure that Debian packages are installed.
 * @returns null when they are, or the reason for skipping the suite when this machine is not a Debian system
 * @throws Error when this is a Debian system and they could not be installed: a suite must not turn green because apt was out of reach
 */
export function ensureDebianPackages(...packages: string[]): string | null {
  if (process.platform !== 'linux') return `needs Debian's packages ${packages.join(', ')}; this is ${process.platform}`;
  const result = spawnSync(join(conformanceRoot, 'support', 'setup-debian.sh'), packages, { encoding: 'utf8' });
  if (result.error) throw result.error;
  if (result.status === notDebian) return result.stderr.trim();
  if (result.status !== 0) throw new Error(result.stderr.trim());
  return null;
}
