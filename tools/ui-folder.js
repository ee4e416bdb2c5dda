// Where a checkout's web UI is built to. A broker that runs from a checkout asks here at the first request of a page: what is stale is built
// by a process of its own, which takes the bundler's memory along. Plain JavaScript, so that the broker needs no type stripper for it.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'node_modules', '.cache', 'warren-ui');

/** What tells one state of the sources from another. */
function sourcesKey() {
  const hash = createHash('sha256');
  const visit = directory => {
    for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      else {
        const { mtimeMs, size } = statSync(path);
        hash.update(`${path}\0${mtimeMs}\0${size}\0`);
      }
    }
  };
  visit(join(root, 'ui'));
  for (const file of ['package-lock.json', 'tools/build-ui.ts']) hash.update(`${statSync(join(root, file)).mtimeMs}\0`);
  return hash.digest('hex');
}

function keyOfBuilt() {
  const file = join(folder, 'key');
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

/**
 * The folder with the built files, made if need be.
 * @returns {Promise<string>}
 */
export async function uiFolder() {
  const key = sourcesKey();
  if (keyOfBuilt() === key) return folder;
  const bundled = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  await new Promise((resolve, reject) => {
    execFile(
      existsSync(bundled) ? bundled : process.execPath,
      ['--no-warnings', join(root, 'tools', 'build-ui.ts'), folder, key],
      { cwd: root, shell: process.platform === 'win32', timeout: 60_000 },
      (error, _stdout, stderr) => (error === null ? resolve() : reject(new Error(`it could not be built\n${stderr || error.message}`))),
    );
  });
  return folder;
}
