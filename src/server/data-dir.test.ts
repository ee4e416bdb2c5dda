import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { controlDirectory, DataDir } from './data-dir.ts';
import { DataDirError } from './data-dir-error.ts';
import { withShortPath } from './short-socket-path.ts';

const root = mkdtempSync(join(tmpdir(), 'warren-data-'));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;

function fresh(): string {
  return join(root, String(++count));
}

function connect(path: string): Promise<net.Socket> {
  return withShortPath(path, async short => {
    const socket = net.connect(short);
    await once(socket, 'connect');
    return socket;
  });
}

/** Another process that opens the directory, prints what came of it, and holds it until it is told to end. */
function otherProcess(path: string) {
  const script = `
    import { DataDir } from ${JSON.stringify(new URL('data-dir.ts', import.meta.url).href)};
    try { await DataDir.open(${JSON.stringify(path)}); console.log('open'); }
    catch (error) { console.log(error.message); process.exit(1); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = once(child.stdout, 'data').then(([text]) => String(text).trim());
  const exited = once(child, 'exit');
  return { child, said, kill: () => (child.kill('SIGKILL'), exited) };
}

test('a directory is made for its user alone, holds the process id, and is given back without a trace', async () => {
  const path = join(fresh(), 'deep', 'er');
  const dataDir = await DataDir.open(path);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(readFileSync(join(path, 'warren.pid'), 'utf8'), `${process.pid}\n`);
  assert.equal(statSync(join(path, 'warren.sock')).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(path).sort(), ['warren.pid', 'warren.sock']);
  await dataDir.close();
  assert.deepEqual(readdirSync(path), []);
});

test('a second broker is refused in one line that names the first, and disturbs nothing', async () => {
  const path = fresh();
  const dataDir = await DataDir.open(path);
  await assert.rejects(DataDir.open(path), (error: unknown) => {
    assert.ok(error instanceof DataDirError);
    assert.equal(error.message, `the data directory ${path} is in use by another broker (process ${process.pid})`);
    return true;
  });
  const other = otherProcess(path);
  assert.match(await other.said, /is in use by another broker/);
  assert.deepEqual(readdirSync(path).sort(), ['warren.pid', 'warren.sock']);
  await dataDir.close();
  await (await DataDir.open(path)).close();
});

test('what a killed broker left behind refuses nobody', async () => {
  const path = fresh();
  const other = otherProcess(path);
  assert.equal(await other.said, 'open');
  await other.kill();
  assert.ok(existsSync(join(path, 'warren.sock')));
  const dataDir = await DataDir.open(path);
  assert.equal(readFileSync(join(path, 'warren.pid'), 'utf8'), `${process.pid}\n`);
  await dataDir.close();
});

test('sockets of brokers that were killed while they started are cleared away', async () => {
  const path = fresh();
  mkdirSync(path);
  for (const name of ['warren.sock', 'warren.sock.0123', 'warren.pid']) writeFileSync(join(path, name), 'left over');
  const dataDir = await DataDir.open(path);
  assert.deepEqual(readdirSync(path).sort(), ['warren.pid', 'warren.sock']);
  await dataDir.close();
});

test('of several that start at the same time, on a fresh directory or after a crash, exactly one has it', async () => {
  for (const hasLeftover of [false, true, true, true]) {
    const path = fresh();
    if (hasLeftover) {
      const dead = otherProcess(path);
      await dead.said;
      await dead.kill();
    }
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => DataDir.open(path)));
    const winners = results.filter(result => result.status === 'fulfilled');
    assert.equal(winners.length, 1);
    for (const result of results) if (result.status === 'rejected') assert.ok(result.reason instanceof DataDirError, String(result.reason));
    assert.deepEqual(readdirSync(path).sort(), ['warren.pid', 'warren.sock']);
    await winners[0]?.value.close();
  }
});

test('several processes that start at the same time agree on one of them', async () => {
  const path = fresh();
  const dead = otherProcess(path);
  await dead.said;
  await dead.kill();
  const others = Array.from({ length: 4 }, () => otherProcess(path));
  const said = await Promise.all(others.map(other => other.said));
  assert.equal(said.filter(text => text === 'open').length, 1, said.join('\n'));
  await Promise.all(others.map(other => other.kill()));
});

test('a path too long for a socket works like any other', async () => {
  const path = join(fresh(), 'x'.repeat(120), 'ü'.repeat(60));
  const dataDir = await DataDir.open(path);
  assert.ok(statSync(join(path, 'warren.sock')).isSocket());
  await assert.rejects(DataDir.open(path), DataDirError);
  (await connect(join(path, 'warren.sock'))).destroy();
  await dataDir.close();
  assert.deepEqual(readdirSync(path), []);
  assert.deepEqual(
    readdirSync(tmpdir()).filter(name => /^warren-[A-Za-z0-9]{6}$/.test(name) && existsSync(join(tmpdir(), name, 'd'))),
    [],
  );
});

test('connections go to whoever asked for them, and are closed before and after', async () => {
  const path = fresh();
  const dataDir = await DataDir.open(path);
  const early = await connect(dataDir.control.path);
  await once(early.resume(), 'close');
  dataDir.control.handConnectionsTo(socket => socket.end('hello'));
  const greeted = await connect(dataDir.control.path);
  const [text] = (await once(greeted, 'data')) as [Buffer];
  assert.equal(text.toString(), 'hello');
  dataDir.control.handConnectionsTo(() => {});
  const open = await connect(dataDir.control.path);
  const closed = once(open.resume(), 'close');
  await dataDir.close();
  await closed;
  greeted.destroy();
});

test('what is no directory, or cannot be written to, is refused in one line', async () => {
  const file = fresh();
  writeFileSync(file, '');
  for (const path of [file, join(file, 'below'), '/proc/warren']) {
    await assert.rejects(DataDir.open(path), (error: unknown) => {
      assert.ok(error instanceof DataDirError, String(error));
      assert.ok(error.message.startsWith(`the data directory ${path} cannot be used: `) && !error.message.includes('\n'), error.message);
      return true;
    });
  }
});

test('the directory that stands in for a file system without sockets is its user alone', () => {
  const path = fresh();
  mkdirSync(path);
  const directory = controlDirectory(path);
  after(() => rmSync(directory, { recursive: true, force: true }));
  assert.equal(controlDirectory(path), directory);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  rmSync(directory, { recursive: true });
  mkdirSync(directory, { mode: 0o755 });
  assert.throws(() => controlDirectory(path), DataDirError);
});
