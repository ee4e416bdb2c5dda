// The server process: how it starts, what it leaves, how it ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { version } from '../../../src/base/version.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { CertificateStore } from '../../support/certificates.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { temporaryDirectory, WarrenProcess } from '../../support/warren-process.ts';

test('it serves, its process id is in the data directory, and SIGTERM ends it with a word to everybody', async t => {
  const warren = await WarrenProcess.start(t);
  const dataDir = String(warren.dataDir);
  assert.equal(warren.pid, warren.child.pid);
  assert.equal(statSync(dataDir).mode & 0o777, 0o700);
  const client = await AmqpDriver.connect({ port: warren.port });
  await client.openChannel(1);
  const exit = warren.stop();
  const close = await client.expectConnectionClose();
  assert.deepEqual(
    [close.replyCode, close.replyText],
    [320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"],
  );
  assert.deepEqual(await exit, { code: 0, signal: null });
  assert.match(warren.stdout, /SIGTERM received - shutting down/);
  assert.match(warren.stdout, /WarrenMQ has stopped\n$/);
  assert.deepEqual(readdirSync(dataDir).sort(), ['journal', 'streams']);
  assert.equal(warren.stderr, '');
});

test('SIGINT is the same, and whoever does not answer is waited for only so long', async t => {
  const warren = await WarrenProcess.start(t, { dataDir: null });
  const silent = net.connect(warren.port, '127.0.0.1');
  t.after(() => silent.destroy());
  silent.on('error', () => {});
  const client = await AmqpDriver.connect({ port: warren.port });
  t.after(() => client.destroy());
  const began = performance.now();
  assert.deepEqual(await warren.stop('SIGINT'), { code: 0, signal: null });
  assert.ok(performance.now() - began < 10_000);
});

test('a second signal ends it at once', async t => {
  const warren = await WarrenProcess.start(t);
  // A client that does not answer connection.close keeps the first one waiting.
  const client = await AmqpDriver.connect({ port: warren.port });
  t.after(() => client.destroy());
  client.socket.pause();
  warren.child.kill('SIGTERM');
  warren.child.kill('SIGINT');
  await warren.logged(/received - shutting down/);
  await delay(400);
  assert.equal(warren.child.exitCode, null);
  assert.deepEqual(await warren.stop(), { code: 1, signal: null });
  assert.match(warren.stdout, /a second signal, SIGTERM: the broker ends at once/);
});

test('signals that rotate the logs of other programs neither end it nor open a debugger', async t => {
  const warren = await WarrenProcess.start(t);
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
    warren.child.kill(signal);
    await warren.logged(new RegExp(`\\[warning\\] .*${signal} means nothing here: SIGHUP opens log files anew`));
  }
  (await AmqpDriver.connect({ port: warren.port })).destroy();
  assert.deepEqual(await warren.stop(), { code: 0, signal: null });
  assert.doesNotMatch(warren.stderr, /Debugger/);
});

test('a second broker on the same directory is refused in one line within a second, and the first goes on', async t => {
  const first = await WarrenProcess.start(t);
  const began = performance.now();
  const second = WarrenProcess.run(t, { dataDir: String(first.dataDir), conf: 'log.console = false\n' });
  assert.deepEqual(await second.exited, { code: 1, signal: null });
  assert.ok(performance.now() - began < 2000);
  assert.equal(second.stderr, `warren: the data directory ${first.dataDir} is in use by another broker (process ${first.child.pid})\n`);
  assert.equal(second.stdout, '');
  assert.equal(first.pid, first.child.pid);
  (await AmqpDriver.connect({ port: first.port })).destroy();
});

test('what a killed broker leaves refuses no start', async t => {
  const first = await WarrenProcess.start(t);
  const dataDir = String(first.dataDir);
  assert.equal((await first.stop('SIGKILL')).signal, 'SIGKILL');
  assert.deepEqual(readdirSync(dataDir).sort(), ['journal', 'streams', 'warren.pid', 'warren.sock']);
  const second = await WarrenProcess.start(t, { dataDir });
  assert.equal(second.pid, second.child.pid);
  assert.equal((await second.stop()).code, 0);
});

test('an address in use is named in one line, and the data directory is given back', async t => {
  const first = await WarrenProcess.start(t);
  const second = WarrenProcess.run(t, { args: ['--port', String(first.port)], conf: 'log.console = false\n' });
  assert.deepEqual(await second.exited, { code: 1, signal: null });
  assert.equal(second.stderr, `warren: cannot listen on 127.0.0.1:${first.port}: the address is in use, perhaps by another broker\n`);
  assert.deepEqual(readdirSync(String(second.dataDir)), ['journal', 'streams']);
});

test('mistakes in the configuration are told with their place, all at once', async t => {
  const warren = WarrenProcess.run(t, { conf: 'heartbeat = often\nlisteners.tcp.default = 127.0.0.1:0\nfoo.bar = 1\n' });
  assert.equal((await warren.exited).code, 78);
  const lines = warren.stderr.trimEnd().split('\n');
  assert.equal(lines.length, 2, warren.stderr);
  assert.match(warren.stderr, /rabbitmq\.conf:1: .*heartbeat/);
  assert.match(warren.stderr, /rabbitmq\.conf:3: .*foo\.bar/);
  assert.equal(existsSync(String(warren.dataDir)), false);
});

test('keys without effect are warnings in the log', async t => {
  const warren = await WarrenProcess.start(t, { conf: 'cluster_partition_handling = ignore\n', dataDir: null });
  assert.match(warren.stdout, /\[warning\] .*rabbitmq\.conf:1: cluster_partition_handling/);
});

test('help, version and usage', async t => {
  const [help, ofVersion, usage] = [['--help'], ['--version'], ['--port']].map(args => WarrenProcess.run(t, { args }));
  assert.deepEqual([(await help?.exited)?.code, (await ofVersion?.exited)?.code, (await usage?.exited)?.code], [0, 0, 64]);
  assert.match(String(help?.stdout), /^Usage: warren \[options\]/);
  assert.equal(ofVersion?.stdout, `${version}\n`);
  assert.match(String(usage?.stderr), /^warren: --port needs a value\n/);
});

test('--print-url prints the URL alone on standard output', async t => {
  const warren = await WarrenProcess.start(t, { args: ['--print-url'], dataDir: null, env: { RABBITMQ_DEFAULT_PASS: 'a/b' } });
  await waitUntil(() => warren.stdout !== '');
  assert.equal(warren.stdout, `amqp://guest:a%2Fb@127.0.0.1:${warren.port}\n`);
  assert.match(warren.stderr, /Server startup complete/);
});

test('the environment variables of the container image make the first user and virtual host', async t => {
  const env = {
    RABBITMQ_DEFAULT_USER: 'shop',
    RABBITMQ_DEFAULT_PASS: 'secret',
    RABBITMQ_DEFAULT_VHOST: 'orders',
    RABBITMQ_NODENAME: 'rabbit@shop',
  };
  const warren = await WarrenProcess.start(t, {
    env: { ...env, RABBITMQ_NODE_PORT: '0' },
    conf: 'management.tcp.port = 0\nprometheus.tcp.port = 0\n',
  });
  const client = await AmqpDriver.connect({ port: warren.port, user: 'shop', password: 'secret', vhost: 'orders' });
  await client.openChannel(1);
  await client.end();
  await assert.rejects(AmqpDriver.connect({ port: warren.port }), /ACCESS_REFUSED/);
  await warren.logged(/connection 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+: user 'shop' authenticated and granted access to vhost 'orders'/);
  await warren.logged(/PLAIN login refused: user 'guest' - invalid credentials/);
});

test('a data directory keeps its first user, whatever the environment says later', async t => {
  const first = await WarrenProcess.start(t, { env: { RABBITMQ_DEFAULT_USER: 'one', RABBITMQ_DEFAULT_PASS: 'one' } });
  await first.stop();
  const second = await WarrenProcess.start(t, {
    dataDir: String(first.dataDir),
    env: { RABBITMQ_DEFAULT_USER: 'two', RABBITMQ_DEFAULT_PASS: 'two' },
  });
  (await AmqpDriver.connect({ port: second.port, user: 'one', password: 'one' })).destroy();
  await assert.rejects(AmqpDriver.connect({ port: second.port, user: 'two', password: 'two' }), /ACCESS_REFUSED/);
});

test('SIGHUP opens the log file anew and reads the certificates anew', async t => {
  const directory = temporaryDirectory(t);
  const store = new CertificateStore();
  t.after(() => store.dispose());
  const [old, next] = ['old', 'new'].map(name => store.make({ subject: `/CN=${name}`, altNames: 'DNS:localhost' }));
  const [certFile, keyFile, logFile] = ['cert.pem', 'key.pem', 'logs/warren.log'].map(name => join(directory, name));
  const install = (from: typeof old): void => {
    writeFileSync(String(certFile), readFileSync(String(from?.certFile)));
    writeFileSync(String(keyFile), readFileSync(String(from?.keyFile)));
  };
  install(old);
  const files = (prefix: string): string => `${prefix}.certfile = ${certFile}\n${prefix}.keyfile = ${keyFile}\n`;
  const warren = await WarrenProcess.start(t, {
    conf: `listeners.tcp = none\nlisteners.ssl.1 = 127.0.0.1:0\n${files('ssl_options')}log.file = ${logFile}\nmanagement.ssl.port = 0\n${files('management.ssl')}prometheus.tcp.port = 0\n`,
  });
  const port = Number((await warren.logged(/started TLS \(SSL\) listener on 127\.0\.0\.1:(\d+)/))[1]);
  const httpsPort = Number((await warren.logged(/HTTPS listener started on port (\d+)/))[1]);
  await warren.logged(/\[warning\] .*the certificate of the https listener on \S+ expires on .*, in 2 days/);
  const subject = async (of = port): Promise<string> => {
    const socket = tls.connect({ port: of, host: '127.0.0.1', rejectUnauthorized: false });
    await new Promise(resolve => socket.once('secureConnect', resolve));
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return String(CN);
  };
  assert.deepEqual([await subject(), await subject(httpsPort)], ['old', 'old']);
  install(next);
  renameSync(String(logFile), `${logFile}.1`);
  warren.child.kill('SIGHUP');
  await waitUntil(async () => (await subject()) === 'new' && (await subject(httpsPort)) === 'new');
  await waitUntil(() => /SIGHUP received/.test(readFileSync(String(logFile), 'utf8')));
  assert.match(readFileSync(`${logFile}.1`, 'utf8'), /Server startup complete/);
  writeFileSync(String(certFile), 'nonsense');
  warren.child.kill('SIGHUP');
  await warren.logged(/\[error\] .*certificates stay as they were: .*cert\.pem/);
  assert.deepEqual([await subject(), await subject(httpsPort)], ['new', 'new']);
});

test('the log in JSON is an object a line, to the last', async t => {
  const warren = await WarrenProcess.start(t, { conf: 'log.console.formatter = json\n', dataDir: null });
  (await AmqpDriver.connect({ port: warren.port })).destroy();
  await warren.stop();
  const entries = warren.stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { level: string; msg: string; domain: string });
  assert.ok(entries.some(({ domain, msg }) => domain === 'rabbitmq.connection' && msg.startsWith('accepting AMQP connection')));
  assert.equal(entries.at(-1)?.msg, 'WarrenMQ has stopped');
});

test('a reader that stops reading the log, or leaves, holds up nobody', async t => {
  const warren = await WarrenProcess.start(t, { dataDir: null });
  const { port } = warren;
  warren.child.stdout?.pause();
  // Three entries of a hundred bytes each fill the pipe's 64 KiB, and what the stream reads ahead.
  for (let round = 0; round < 20; round++) {
    const sockets = await Promise.all(Array.from({ length: 30 }, () => AmqpDriver.raw({ port })));
    for (const socket of sockets) socket.destroy();
  }
  (await AmqpDriver.connect({ port })).destroy();
  warren.child.stdout?.destroy();
  await delay(50);
  (await AmqpDriver.connect({ port })).destroy();
  const began = performance.now();
  warren.child.kill();
  assert.equal((await warren.exited).code, 0);
  assert.ok(performance.now() - began < 5000);
});

test('an error that nothing expected ends the process with 70 and a stack in the log', async t => {
  const code = "setTimeout(() => { throw new Error('not foreseen') }, 1500)";
  const warren = WarrenProcess.run(t, { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` } });
  assert.equal((await warren.exited).code, 70);
  const lines = warren.stdout.trimEnd().split('\n');
  const at = lines.findIndex(line => /\[error\] .*the broker ends: an error that nothing expected/.test(line));
  assert.match(String(lines[at + 1]), /\[error\] <0\.\d+\.0> Error: not foreseen/);
});

test('a directory that cannot be used is named in one line', async t => {
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, '');
  const warren = WarrenProcess.run(t, { dataDir: join(file, 'data'), conf: 'log.console = false\n' });
  assert.deepEqual(await warren.exited, { code: 1, signal: null });
  assert.match(warren.stderr, /^warren: the data directory \S+ cannot be used: ENOTDIR.*\n$/);
});

test('a log file that cannot be opened is named in one line', async t => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'warren.log'));
  const warren = WarrenProcess.run(t, { conf: `log.file = ${join(directory, 'warren.log')}\n` });
  assert.deepEqual(await warren.exited, { code: 1, signal: null });
  assert.match(warren.stderr, /^warren: the log file cannot be opened: EISDIR.*\n$/);
});

test('npm start is the broker, and a SIGTERM for npm reaches it', async t => {
  const directory = temporaryDirectory(t);
  const dataDir = join(directory, 'data');
  writeFileSync(join(directory, 'empty.conf'), '');
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const npm = spawn('npm', ['start', '--silent', '--', '--port', '0', '--data-dir', dataDir, '--config', join(directory, 'empty.conf')], {
    cwd: root,
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm|NODE|RABBITMQ|WARREN)_/.test(name))),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => npm.kill('SIGKILL'));
  let output = '';
  npm.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await waitUntil(() => output.includes('Server startup complete'), { timeoutMillis: 30_000, message: () => output });
  const pid = Number(readFileSync(join(dataDir, 'warren.pid'), 'utf8'));
  t.after(() => isAlive(pid) && process.kill(pid, 'SIGKILL'));
  npm.kill('SIGTERM');
  await waitUntil(() => output.includes('WarrenMQ has stopped') && !isAlive(pid), { timeoutMillis: 10_000, message: () => output });
  assert.deepEqual(readdirSync(dataDir).sort(), ['journal', 'streams']);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
