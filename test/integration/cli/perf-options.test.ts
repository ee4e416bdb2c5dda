// `warrenctl perf`: rejections, transactions, random keys, rates that change, bodies from files, against a running broker.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { CertificateStore } from '../../support/certificates.ts';
import { temporaryDirectory, WarrenProcess } from '../../support/warren-process.ts';
import { Cli } from './cli.ts';

interface Bench {
  readonly directory: string;
  perf(line: string): Promise<{ code: number | null; stdout: string; stderr: string }>;
  ctl(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
}

async function start(t: TestContext): Promise<Bench> {
  const warren = await WarrenProcess.start(t, { conf: 'management.tcp.port = 0\nlisteners.tcp.1 = 127.0.0.1:0\nprometheus.tcp.port = 0' });
  const directory = temporaryDirectory(t);
  const cli = new Cli(directory, { WARREN_DATA_DIR: String(warren.dataDir) });
  const uri = `amqp://guest:guest@127.0.0.1:${warren.port}`;
  return { directory, perf: line => cli.ctl('perf', '-h', uri, ...line.split(' ')), ctl: (...args) => cli.ctl(...args) };
}

test('what is rejected is gone, or comes again when it is requeued', async t => {
  const { perf, ctl } = await start(t);
  assert.equal((await perf('-y 0 -u work -ad false -C 50 -c 10')).code, 0);
  // Fifty messages make two hundred deliveries only if they come again.
  const again = await perf('-x 0 -p -u work -na -q 10 -D 200');
  assert.equal(`${again.code}${again.stderr}`, '0');
  assert.equal((await ctl('-s', 'list_queues')).stdout, 'work\t50\n');
  const gone = await perf('-x 0 -p -u work -na -re false -A 7 -D 50');
  assert.equal(`${gone.code}${gone.stderr}`, '0');
  assert.equal((await ctl('-s', 'list_queues')).stdout, 'work\t0\n');
});

test('transactions commit all that was published and acknowledged, also less than a whole one', async t => {
  const { perf, ctl } = await start(t);
  const sent = await perf('-y 0 -u work -ad false -m 10 -C 95 -s 20000');
  assert.equal(`${sent.code}${sent.stderr}`, '0');
  assert.equal((await ctl('-s', 'list_queues')).stdout, 'work\t95\n');
  const taken = await perf('-x 0 -p -u work -n 10 -Q 40 -D 85');
  assert.equal(`${taken.code}${taken.stderr}`, '0');
  assert.equal((await ctl('-s', 'list_queues')).stdout, 'work\t10\n');
  // The rest: until the queue is empty.
  const rest = await perf('-x 0 -p -u work -a -ew empty -z 20');
  assert.equal(`${rest.code}${rest.stderr}`, '0');
  assert.equal((await ctl('-s', 'list_queues')).stdout, 'work\t0\n');
});

test('random keys are routed by exchanges that look at none, and go nowhere by those that do', async t => {
  const { perf, ctl } = await start(t);
  assert.equal((await perf('-y 0 -u all -e fanout -t fanout -ad false -K -C 60 -c 5')).code, 0);
  assert.equal((await ctl('-s', 'list_queues')).stdout, 'all\t60\n');
  const lost = await perf('-y 0 -u all -ad false -K -rkcs 3 -C 60 -c 5 -f mandatory -st 1');
  assert.match(lost.stdout, /confirmed: 60, nacked: 0/);
  assert.equal((await ctl('-s', 'list_queues')).stdout, 'all\t60\n');
});

test('a rate and a size change with time, and the lines are in a file', async t => {
  const { perf, directory } = await start(t);
  const file = join(directory, 'lines.csv');
  const { code, stdout, stderr } = await perf(`-vr 200:1 0:9 -vs 100:1 1000:1 -vl 0:1 2000:1 -z 2 -i 0.4 -o ${file} --id it`);
  assert.equal(`${code}${stderr}`, '0');
  // 200 in the first second, none in the second one.
  const rate = Number(/sending rate avg: (\d+) msg\/s/.exec(stdout)?.[1]);
  assert.ok(rate > 60 && rate <= 105, `${rate} msg/s`);
  const [head = '', ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.match(head, /^id,time \(s\),published \(msg\/s\),returned/);
  assert.ok(rows.length >= 3, `${rows.length} rows`);
  for (const row of rows) assert.equal(row.split(',').length, head.split(',').length);
  assert.match(rows[0] ?? '', /^it,0\.\d{3},\d+,0,0,0,\d+,\d+,/);
});

test('bodies from files arrive as they are, and have times', async t => {
  const { perf, directory } = await start(t);
  const file = join(directory, 'body.json');
  writeFileSync(file, '{"a":1}');
  const { code, stdout, stderr } = await perf(`-B ${file} -T application/json -mp priority=3,x-mine=1 -C 20 -D 20 -c 4 -E`);
  assert.equal(`${code}${stderr}`, '0');
  assert.match(stdout, /^consumer latency( +[\d,]+){8}$/m);
  const missing = await perf('-B /nosuch -C 1');
  assert.notEqual(missing.code, 0);
  assert.match(missing.stderr, /cannot read \/nosuch/);
});

test('a test without messages ends when its consumers are idle', async t => {
  const { perf } = await start(t);
  const { code, stdout } = await perf('-x 0 -u quiet -ew idle -z 30');
  assert.equal(code, 0);
  assert.match(stdout, /receiving rate avg: 0 msg\/s/);
});

test('a stream is read from its beginning by consumers that start later', async t => {
  const { perf } = await start(t);
  const { code, stdout, stderr } = await perf('-sq -u log -sco first -C 100 -c 10 -csd 0.3 -D 100 -M 4096 -s 9000');
  assert.equal(`${code}${stderr}`, '0');
  assert.match(stdout, /confirmed: 100, nacked: 0/);
  const again = await perf('-x 0 -p -u log -q 50 -sco 40 -D 60');
  assert.equal(`${again.code}${again.stderr}`, '0');
});

test('a message each interval, the first at once, to exclusive queues over the default exchange', async t => {
  const { perf } = await start(t);
  const { code, stdout, stderr } = await perf('-P 0.2 -prsd 0.1 -C 3 -D 3 -E -e amq.default -y 1 -c 1');
  assert.equal(`${code}${stderr}`, '0');
  assert.match(stdout, /confirmed: 3, nacked: 0/);
});

test('confirms that do not come in time end the test', async t => {
  const { perf } = await start(t);
  const { code, stderr } = await perf('-y 0 -u slow -c 2 -ct 0 -z 20');
  assert.notEqual(code, 0);
  assert.match(stderr, /no confirm came for 0 seconds/);
});

test('messages are asked for one by one, of several queues in turn', async t => {
  const { perf, ctl } = await start(t);
  assert.equal((await perf('-y 0 -qp work-%d -qpt 2 -ad false -x 2 -C 20 -c 5')).code, 0);
  const polled = await perf('-x 0 -p -qp work-%d -qpt 2 -po -pi 1 -D 40 -z 30');
  assert.equal(`${polled.code}${polled.stderr}`, '0');
  assert.equal((await ctl('-s', 'list_queues')).stdout, 'work-1\t0\nwork-2\t0\n');
  const together = await perf('-u other -po -C 10 -D 10 -c 2 -z 30');
  assert.equal(`${together.code}${together.stderr}`, '0');
  const stream = await perf('-sq -u log -po');
  assert.match(stream.stderr, /a stream cannot be polled/);
});

test('consumers that start later find in their exclusive queues what was published before', async t => {
  const { perf } = await start(t);
  const { code, stdout, stderr } = await perf('-E -e amq.default -csd 0.5 -C 30 -D 30 -c 5 -z 30');
  assert.equal(`${code}${stderr}`, '0');
  assert.match(stdout, /confirmed: 30, nacked: 0/);
});

test('a client with a certificate logs in by it', async t => {
  const store = new CertificateStore();
  t.after(() => store.dispose());
  const root = store.make({ subject: '/CN=root', isAuthority: true });
  const server = store.make({ subject: '/CN=localhost', altNames: 'DNS:localhost,IP:127.0.0.1' }, root);
  const client = store.make({ subject: '/CN=loader' }, root);
  const warren = await WarrenProcess.start(t, {
    conf: [
      'listeners.tcp.1 = 127.0.0.1:0',
      'listeners.ssl.1 = 127.0.0.1:0',
      `ssl_options.cacertfile = ${root.certFile}`,
      `ssl_options.certfile = ${server.certFile}`,
      `ssl_options.keyfile = ${server.keyFile}`,
      'ssl_options.verify = verify_peer',
      'ssl_options.fail_if_no_peer_cert = true',
      'ssl_cert_login_from = common_name',
      'auth_mechanisms.1 = EXTERNAL',
      'management.tcp.port = 0',
      'prometheus.tcp.port = 0',
    ].join('\n'),
  });
  const cli = new Cli(temporaryDirectory(t), { WARREN_DATA_DIR: String(warren.dataDir) });
  assert.equal((await cli.ctl('add_user', 'loader', 'unused')).code, 0);
  assert.equal((await cli.ctl('set_permissions', 'loader', '.*', '.*', '.*')).code, 0);
  const port = /started TLS \(SSL\) listener on \S*:(\d+)/.exec(warren.output)?.[1] ?? assert.fail(warren.output);
  const common = ['perf', '-h', `amqps://localhost:${port}`, '-C', '5', '-D', '5', '-z', '20', '--ca-file', root.certFile];
  const { code, stderr } = await cli.ctl(...common, '-se', '--cert-file', client.certFile, '--key-file', client.keyFile);
  assert.equal(`${code}${stderr}`, '0');
  const without = await cli.ctl(...common, '-se');
  assert.notEqual(without.code, 0);
  assert.match((await cli.ctl(...common, '--cert-file', client.certFile)).stderr, /go together/);
});
