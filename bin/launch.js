// Starts one of the package's programs on a Node that can run it. Shared by bin/warren and bin/warrenctl.
// Works on Node 20 so that it can say clearly, or bring, what is missing.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
// A namespace, because Node 20 has no enableCompileCache to import by name.
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function runsTypeScript(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/** @param {string} program path of the program's module below src/ (a checkout) or dist/ (the package), without its ending; it exports `main` */
export async function launch(program) {
  const source = join(root, 'src', `${program}.ts`);
  const inCheckout = existsSync(source);
  if (runsTypeScript(process.versions.node)) {
    if (inCheckout && !existsSync(join(root, 'node_modules', '.package-lock.json'))) {
      const { ensureDependencies } = await import(pathToFileURL(join(root, 'tools', 'ensure-dependencies.js')).href);
      ensureDependencies();
    }
    nodeModule.enableCompileCache?.(inCheckout ? join(root, 'node_modules', '.cache', 'compile') : undefined);
    const { main } = await import(pathToFileURL(inCheckout ? source : join(root, 'dist', `${program}.js`)).href);
    await main();
    return;
  }
  if (!inCheckout) {
    process.stderr.write(`WarrenMQ needs Node 22.18 or newer; this is ${process.version}.\n`);
    process.exit(1);
  }
  const { ensureDependencies } = await import(pathToFileURL(join(root, 'tools', 'ensure-dependencies.js')).href);
  ensureDependencies();
  const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  const child = spawn(node, [...process.execArgv, process.argv[1], ...process.argv.slice(2)], { stdio: 'inherit', shell: process.platform === 'win32' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
