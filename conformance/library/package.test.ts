// The package as npm would publish it, alone in a project: what is installed, and what it leaves behind.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Dirent, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { installPackage, runIn } from '../support/installed-package.ts';
import { speaksAmqp } from '../support/ports.ts';
import { waitUntil } from '../support/wait-until.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const installedBytesMax = 15 * 1024 * 1024;

describe('the package alone', () => {
  let directory = '';
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'warren-package-'));
    writeFileSync(join(directory, 'package.json'), '{"private":true,"type":"module"}');
    await installPackage(directory);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const installed = (): Dirent[] =>
    readdirSync(join(directory, 'node_modules'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  const runModule = (code: string, ...flags: string[]): string =>
    runIn(directory, process.execPath, [...flags, '--input-type=module', '-e', code]);

  test('it is small, runs nothing when it is installed, and has nothing native', () => {
    let bytes = 0;
    for (const { parentPath, name } of installed()) {
      const path = join(parentPath, name);
      bytes += statSync(path).size;
      assert.doesNotMatch(name, /\.node$|^binding\.gyp$/);
      // A package's own, not files of the same name deeper inside.
      if (name !== 'package.json') continue;
      const { scripts = {} } = JSON.parse(readFileSync(path, 'utf8')) as { scripts?: Record<string, string> };
      for (const script of ['preinstall', 'install', 'postinstall']) assert.ok(!(script in scripts), `${path} has ${script}`);
    }
    assert.ok(bytes <= installedBytesMax, `${bytes} bytes are installed`);
    assert.ok(bytes > 1024 * 1024, 'all of it was counted');
  });

  test('the library loads no HTTP and no UI, and no TLS', () => {
    const code = `
      import { Broker } from 'warrenmq';
      const broker = await Broker.start();
      await broker.stop();
      console.log(JSON.stringify(process.moduleLoadList.filter(name => /NativeModule (http|https|http2|tls|zlib|inspector)$/.test(name))));`;
    assert.equal(runModule(code), '[]\n');
  });

  test('its types say what may be used, and nothing of the inside', () => {
    const code = `
      import { Broker, VirtualClock, type BrokerOptions, type Fate, type PublishedMessage, type QueueView } from 'warrenmq';
      const options: BrokerOptions = { clock: new VirtualClock(0), history: { messagesMax: 10 }, definitions: [{}] };
      await using broker = await Broker.start(options);
      const url: string = broker.amqpUrl;
      await broker.clock.advance('30m', { heartbeats: 'missed' });
      const queue: QueueView = broker.vhost('/').queue('orders');
      const messages: readonly PublishedMessage[] = await queue.received(1, { timeoutMillis: 5 });
      const fate: Fate | undefined = messages[0]?.fateIn('orders');
      broker.faults.dropConnections(({ givenName }) => givenName === url);
      broker.connectStream(() => {}).destroy();
      await broker.restore(await broker.snapshot());
      // @ts-expect-error: a count
      await queue.received('1');
      // @ts-expect-error: no such alarm
      broker.faults.raiseAlarm('weather');
      // @ts-expect-error: no such clock
      await Broker.start({ clock: 'slow' });
      // @ts-expect-error: not what becomes of a message
      if (fate === 'lost') broker.faults.clear();
      // @ts-expect-error: the inside
      broker.core.turn.begin();
      // @ts-expect-error: for the broker alone
      broker.clock.refresh();
      // @ts-expect-error: reading changes nothing
      queue.depth = 1;`;
    writeFileSync(join(directory, 'user.ts'), code);
    const flags = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2024', '--lib', 'es2024,esnext.disposable'];
    const types = ['--module', 'nodenext', '--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];
    runIn(directory, join(root, 'node_modules', '.bin', 'tsc'), [...flags, ...types, 'user.ts']);
  });

  test('the steps of the guide for GitHub Actions give the tests a broker', async () => {
    const guide = readFileSync(join(root, 'docs', 'guides', 'testing.md'), 'utf8');
    const steps = /- run: \|\n((?: {4}.*\n)+)/.exec(guide)?.[1] ?? '';
    assert.match(steps, /GITHUB_ENV/);
    const job = spawn('sh', ['-e', '-c', `${steps}\nwait`], {
      cwd: directory,
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, GITHUB_ENV: join(directory, 'github-env') },
    });
    try {
      const told = (): string => (existsSync(join(directory, 'github-env')) ? readFileSync(join(directory, 'github-env'), 'utf8') : '');
      await waitUntil('the URL', () => Promise.resolve(told().endsWith('\n')), 60_000);
      const url = new URL(told().trim().replace('AMQP_URL=', ''));
      assert.ok(await speaksAmqp(url.hostname, Number(url.port)));
    } finally {
      process.kill(-(job.pid as number));
      await once(job, 'close');
    }
  });

  test('after stop nothing is left: the process ends, with no handle, timer or file of ours', () => {
    const temporary = join(directory, 'temporary');
    mkdirSync(temporary);
    const before = readdirSync(directory).sort();
    const code = `
      import { Broker } from 'warrenmq';
      process.env.TMPDIR = ${JSON.stringify(temporary)};
      const brokers = await Promise.all(Array.from({ length: 20 }, (_, index) => Broker.start({ clock: index % 2 ? 'virtual' : 'system' })));
      const ports = new Set(brokers.map(broker => broker.port));
      await Promise.all(brokers.map(broker => broker.fork()));
      await Promise.all(brokers.map(broker => broker.stop()));
      const timeout = setTimeout(() => { console.log('still there'); process.exit(1); }, 5000).unref();
      const resources = process.getActiveResourcesInfo().filter(name => !/Pipe|TTY|Immediate|FSReq/.test(name));
      process.on('exit', () => console.log(JSON.stringify({ ports: ports.size, resources })));`;
    assert.deepEqual(JSON.parse(runModule(code)), { ports: 20, resources: [] });
    assert.deepEqual(readdirSync(directory).sort(), before);
    assert.deepEqual(readdirSync(temporary), []);
  });

  test('a data directory can be removed, or used by the next broker, as soon as stop has resolved', () => {
    const code = `
      import { Broker } from 'warrenmq';
      import { readdirSync, rmSync } from 'node:fs';
      for (let round = 0; round < 3; round++) await (await Broker.start({ dataDir: 'data' })).stop();
      console.log(readdirSync('data', { recursive: true }).filter(name => /lock|pid|sock|tmp/.test(name)).join());
      rmSync('data', { recursive: true });`;
    assert.equal(runModule(code), '\n');
  });

  test('the program starts from a handful of files', () => {
    const dist = join(directory, 'node_modules', 'warrenmq', 'dist');
    const serve = readdirSync(join(dist, 'chunks', 'server')).filter(name => name.startsWith('serve-'));
    assert.equal(serve.length, 1);
    const seen = new Set([join(dist, 'chunks', 'server', String(serve[0]))]);
    for (const file of seen) {
      for (const [, name] of readFileSync(file, 'utf8').matchAll(/^(?:import|\} from) .*?"\.\/([^"]+)";$/gm)) {
        seen.add(join(dist, 'chunks', 'server', String(name)));
      }
    }
    assert.ok(seen.size <= 10, [...seen].join('\n'));
    assert.match(runIn(directory, join(directory, 'node_modules', '.bin', 'warren'), ['--version']), /^\d+\.\d+\.\d+\n$/);
  });
});
