// `warrenctl top` and `warrenctl perf` against a running broker.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory, WarrenProcess } from '../../support/warren-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { Cli } from './cli.ts';

const program = join(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))), 'bin', 'warrenctl');

async function start(t: TestContext): Promise<{ cli: Cli; uri: string; dataDir: string }> {
  const warren = await WarrenProcess.start(t, { conf: 'management.tcp.port = 0\nlisteners.tcp.1 = 127.0.0.1:0\nprometheus.tcp.port = 0' });
  const dataDir = String(warren.dataDir);
  return { cli: new Cli(temporaryDirectory(t), { WARREN_DATA_DIR: dataDir }), uri: `amqp://guest:guest@127.0.0.1:${warren.port}`, dataDir };
}

function average(text: string, what: string): number {
  return Number(new RegExp(`${what} rate avg: (\\d+) msg/s`).exec(text)?.[1]);
}

test('perf sends and receives what it is told to, and ends with a table of times', async t => {
  const { cli, uri } = await start(t);
  const { code, stdout, stderr } = await cli.ctl(
    'perf',
    '-h',
    uri,
    '-x',
    '2',
    '-y',
    '2',
    '-u',
    'load',
    '-C',
    '2000',
    '-D',
    '2000',
    '-c',
    '50',
    '-q',
    '20',
    '-A',
    '7',
    '-f',
    'persistent',
    '-s',
    '1000',
    '-ad',
    'false',
    '--id',
    'mine',
  );
  assert.equal(`${code}${stderr}`, '0');
  assert.match(stdout, /^id: mine, starting consumer #1$/m);
  assert.match(stdout, /^id: mine, confirmed: 4000, nacked: 0$/m);
  assert.match(stdout, /^consumer latency( +[\d,]+){8}$/m);
  assert.match(stdout, /^confirm latency( +[\d,]+){8}$/m);
  assert.ok(average(stdout, 'receiving') > 0);
  assert.equal((await cli.ctl('-q', 'list_queues', 'name', 'messages')).stdout, 'name\tmessages\nload\t0\n');
});

test('perf sends messages of many frames', async t => {
  const { cli, uri } = await start(t);
  const { code, stdout } = await cli.ctl('perf', '-h', uri, '-C', '20', '-D', '20', '-s', '300001');
  assert.equal(code, 0);
  assert.match(stdout, /^consumer latency/m);
});

test('perf fills a queue without consumers, and empties one that is there', async t => {
  const { cli, uri } = await start(t);
  await cli.ctl('perf', '-h', uri, '-y', '0', '-u', 'kept', '-C', '500', '-c', '100', '-f', 'persistent', '-ad', 'false');
  assert.equal((await cli.ctl('-s', 'list_queues')).stdout, 'kept\t500\n');
  const { code, stdout } = await cli.ctl('perf', '-h', uri, '-x', '0', '-p', '-u', 'kept', '-D', '500');
  assert.equal(code, 0);
  assert.ok(average(stdout, 'receiving') > 0);
  assert.equal((await cli.ctl('-s', 'list_queues')).stdout, 'kept\t0\n');
});

test('perf keeps to a rate and to a time, and shows progress', async t => {
  const { cli, uri } = await start(t);
  const { stdout } = await cli.ctl('perf', '-h', uri, '-r', '200', '-z', '1', '-i', '0.3', '-a');
  assert.ok(
    (stdout.match(/^id: test-\S+, time \d+\.\d{3} s, sent: \d+ msg\/s, received: \d+ msg\/s, min\/median/gm)?.length ?? 0) >= 2,
    stdout,
  );
  const rate = average(stdout, 'sending');
  assert.ok(rate > 100 && rate <= 210, `${rate} msg/s`);
});

test('perf stops in order at Ctrl+C', async t => {
  const { cli, uri } = await start(t);
  const stdout = await cli.runUntil('warrenctl', ['perf', '-h', uri, '-r', '100', '-i', '0.2'], text => text.includes('received: '));
  assert.match(stdout, /receiving rate avg/);
});

test('perf says why it cannot go on', async t => {
  const { cli, uri } = await start(t);
  const wrong = await cli.ctl('perf', '-h', uri.replace('guest:guest', 'guest:no'));
  assert.equal(wrong.code, 69);
  assert.match(wrong.stderr, /403 ACCESS_REFUSED/);
  const missing = await cli.ctl('perf', '-h', uri, '-p', '-u', 'nosuch');
  assert.equal(missing.code, 69);
  assert.match(missing.stderr, /404 NOT_FOUND - no queue 'nosuch'/);
  assert.equal((await cli.ctl('perf', '-h', 'amqp://127.0.0.1:1')).code, 69);
  assert.equal((await cli.ctl('perf', '--nosuch')).code, 64);
  assert.match((await cli.ctl('perf', '--help')).stdout, /--producer-channel-count/);
});

test('top prints lines where there is no terminal', async t => {
  const { cli } = await start(t);
  await cli.run(
    'warrenctl',
    ['import_definitions'],
    JSON.stringify({ queues: [{ name: 'orders', vhost: '/', durable: true, auto_delete: false, arguments: {} }] }),
  );
  const { code, stdout } = await cli.ctl('top', '--count', '2', '--interval', '1');
  assert.equal(code, 0);
  assert.equal(stdout.match(/^orders +\/ /gm)?.length, 2);
  assert.match((await cli.ctl('top', '--count', '1', '--connections')).stdout, /^CONNECTION/m);
  assert.equal((await cli.ctl('top', '--interval', '0')).code, 65);
});

const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

test('top draws on a terminal, changes its view, sorts, and leaves the terminal as it was', {
  skip: hasScript ? false : 'script(1) is not installed',
}, async t => {
  const { dataDir } = await start(t);
  const child = spawn('script', ['-qec', `'${process.execPath}' '${program}' --data-dir '${dataDir}' top`, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm' },
    stdio: 'pipe',
  });
  t.after(() => child.kill('SIGKILL'));
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
  const ended = new Promise<number | null>(resolve => child.on('close', resolve));
  const shown = (pattern: RegExp): Promise<boolean> =>
    waitUntil(() => pattern.test(seen), { timeoutMillis: 15_000, message: () => `${pattern} in ${JSON.stringify(seen.slice(-2000))}` });
  await shown(/\[\?1049h[\s\S]*QUEUE/);
  child.stdin.write('n');
  await shown(/QUEUE▴/);
  child.stdin.write('\t');
  await shown(/CONNECTION/);
  child.stdin.write('q');
  assert.equal(await ended, 0);
  assert.ok(seen.includes('\u001b[?25h\u001b[?1049l'));
});
