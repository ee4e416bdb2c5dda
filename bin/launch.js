// Starts one of the package's programs on a Node that can run it. Shared by bin/warren and bin/warrenctl.
// Works on Node 20 so that it can say clearly, or bring, what is missing.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** When what a start compiles has been compiled. */
const flushDelayMillis = 3000;

/** A Node on which the program runs: there, types can be stripped from a checkout's sources. */
function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

function load(file) {
  return import(pathToFileURL(file).href);
}

/**
 * Runs `main` of a program.
 * @param {string} program path of its module below src/ (a checkout) or dist/ (the package), without its ending
 * @param {{ nodeOptions?: string[], environment?: Record<string, string> }} wanted what its process is to be started with
 */
export async function launch(program, wanted = {}) {
  const source = join(root, 'src', `${program}.ts`);
  const inCheckout = existsSync(source);
  if (inCheckout && !existsSync(join(root, 'node_modules', '.package-lock.json'))) {
    (await load(join(root, 'tools', 'ensure-dependencies.js'))).ensureDependencies();
  }
  if (!isNewEnough(process.versions.node)) {
    if (inCheckout) return runOn(join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node'), wanted);
    process.stderr.write(`WarrenMQ needs Node 22.18 or newer; this is ${process.version}.\n`);
    process.exit(1);
  }
  keepCompiled();
  const { main } = await load(inCheckout ? await javascriptOf(program, source) : join(root, 'dist', `${program}.js`));
  await main();
}

/**
 * Compiled code is kept for the next start, which is shorter by a third then: where NODE_COMPILE_CACHE says, or among this user's caches, not in
 * a folder that others can write to. Where it cannot be written, nothing is kept.
 */
function keepCompiled() {
  if (module.enableCompileCache === undefined || process.env.NODE_COMPILE_CACHE !== undefined) return;
  const { XDG_CACHE_HOME = '', HOME = '' } = process.env;
  const caches = isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : isAbsolute(HOME) ? join(HOME, '.cache') : null;
  if (caches === null) return;
  module.enableCompileCache(join(caches, 'warrenmq'));
  // Node does so at its exit, which a broker's may never be.
  setTimeout(() => module.flushCompileCache?.(), flushDelayMillis).unref();
}

/** Plain JavaScript of the checkout's sources, or the source itself where none can be made: Node strips its types then. */
async function javascriptOf(program, source) {
  const tool = join(root, 'tools', 'strip-types.js');
  const { isFresh, javascriptOf } = await load(tool);
  if (!isFresh()) {
    // In a process of its own, which takes the type stripper's memory along.
    const { spawnSync } = await import('node:child_process');
    const made = spawnSync(process.execPath, ['--no-warnings', tool], { stdio: 'ignore' });
    if (made.status !== 0) return source;
  }
  return javascriptOf(program);
}

/** Another Node takes over, with everything that is sent to this process. */
async function runOn(node, { nodeOptions = [], environment = {} }) {
  const { spawn } = await import('node:child_process');
  const child = spawn(node, [...nodeOptions, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...environment, ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  // npm's shell ends at a SIGTERM without passing it on.
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event !== undefined) {
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      child.kill('SIGTERM');
    }, 500);
  }
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
