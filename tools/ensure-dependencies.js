// Installs the locked dependencies when they are absent, so that `npm start` and `npm test` are all a fresh clone needs.
// Plain JavaScript without dependencies: it runs on the machine's own Node, which may be older than the one the project brings.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs `npm ci` in the project's root unless it has been run before. Ends the process when the installation fails. */
export function ensureDependencies() {
  if (existsSync(join(root, 'node_modules', '.package-lock.json'))) return;
  process.stderr.write('Installing the locked dependencies (once) ...\n');
  const npm = process.env.npm_execpath;
  const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const result = spawnSync(command, [...args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    // npm hands its own settings down as variables; a nested run must not believe that it was called with the outer one's flags.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_(config_(omit|production|global)|lifecycle|command)/.test(name)),
    ),
  });
  if (result.status !== 0) {
    process.stderr.write('npm ci failed; see above.\n');
    process.exit(result.status ?? 1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureDependencies();
