// What the HTTP API, the metrics and the statistics cost with ten thousand queues and two thousand connections: how long an answer takes, and
// for how long the event loop is held by it.
//   npm run bench:management [-- --queues 10000 --connections 2000 --rounds 5]
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BenchClient } from '../macro/client.ts';
import { measure } from '../macro/measure.ts';
import type { Scenario } from '../macro/scenarios.ts';

const { values } = parseArgs({
  options: {
    queues: { type: 'string', default: '10000' },
    connections: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
  },
});
const [queueCount, connectionCount, rounds] = [Number(values.queues), Number(values.connections), Number(values.rounds)];
const directory = dirname(fileURLToPath(import.meta.url));

/** What there is to hold to. */
const pageMillisMax = 100;
const heldMillisMax = 20;

interface Ports {
  readonly port: number;
  readonly httpPort: number;
  readonly metricsPort: number;
}

async function start(mode: string): Promise<{ readonly child: ChildProcess; readonly ports: Ports }> {
  const child = fork(join(directory, 'broker.ts'), [mode]);
  const [ports] = (await once(child, 'message')) as [Ports];
  return { child, ports };
}

async function ask<T>(child: ChildProcess, request: string): Promise<T> {
  const answer = once(child, 'message');
  child.send(request);
  return (await answer)[0] as T;
}

function request(port: number, path: string, method = 'GET', body?: unknown): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}`, 'content-type': 'application/json' };
  const call = http.request({ port, path, method, headers, host: '127.0.0.1' }, response => {
    let bytes = 0;
    response.on('data', (chunk: Buffer) => (bytes += chunk.length));
    response.on('end', () => (Number(response.statusCode) < 300 ? resolve(bytes) : reject(new Error(`${path}: ${response.statusCode}`))));
  });
  call.on('error', reject);
  call.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

/** Queues in ten virtual hosts, each bound to a topic exchange with a key of its own. */
async function fill(httpPort: number): Promise<void> {
  const queues: unknown[] = [];
  const bindings: unknown[] = [];
  for (let index = 0; index < queueCount; index++) {
    const name = `orders.${index % 97}.queue-${index}`;
    queues.push({ name, vhost: '/', durable: true, auto_delete: false, arguments: index % 3 === 0 ? { 'x-message-ttl': 60_000 } : {} });
    bindings.push({
      source: 'amq.topic',
      vhost: '/',
      destination: name,
      destination_type: 'queue',
      routing_key: `a.${index}.#`,
      arguments: {},
    });
  }
  const policies = [
    { vhost: '/', name: 'limits', pattern: '^orders', 'apply-to': 'queues', definition: { 'max-length': 1000 }, priority: 0 },
  ];
  await request(httpPort, '/api/definitions', 'POST', { queues, bindings, policies });
}

async function connect(port: number): Promise<BenchClient[]> {
  const clients: BenchClient[] = [];
  while (clients.length < connectionCount) {
    const batch = Math.min(50, connectionCount - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: batch }, () => BenchClient.open(port)))));
  }
  return clients;
}

const calls: readonly (readonly [what: string, path: string, limitMillis: number | null, isMetrics?: boolean])[] = [
  ['queues, first page', '/api/queues?page=1&page_size=100', pageMillisMax],
  ['queues, page 50, by messages', '/api/queues?page=50&page_size=100&sort=messages&sort_reverse=true', pageMillisMax],
  ['queues, page of 500', '/api/queues?page=1&page_size=500', pageMillisMax],
  ['queues, by name, with columns', '/api/queues?page=1&page_size=100&name=queue-99&columns=name,messages', pageMillisMax],
  ['queues, by a pattern', '/api/queues?page=1&page_size=100&use_regex=true&name=queue-9.*7%24', pageMillisMax],
  ['queues, by publish rate', '/api/queues?page=1&page_size=100&sort=message_stats.publish_details.rate', null],
  ['connections, first page', '/api/connections?page=1&page_size=100', pageMillisMax],
  ['connections, by bytes received', '/api/connections?page=1&page_size=100&sort=recv_oct&sort_reverse=true', pageMillisMax],
  ['channels, first page', '/api/channels?page=1&page_size=100', pageMillisMax],
  ['overview', '/api/overview', pageMillisMax],
  ['findings', '/api/findings', null],
  ['one queue', '/api/queues/%2F/orders.0.queue-0', pageMillisMax],
  ['all queues', '/api/queues', null],
  ['all connections', '/api/connections', null],
  ['all channels', '/api/channels', null],
  ['all bindings', '/api/bindings', null],
  ['definitions', '/api/definitions', null],
  ['definitions of a virtual host', '/api/definitions/%2F', null],
  ['/metrics', '/metrics', null, true],
  ['/metrics/per-object', '/metrics/per-object', null, true],
  ['/metrics/detailed', '/metrics/detailed?family=queue_coarse_metrics&family=exchange_bindings', null, true],
];

function print(...cells: readonly string[]): void {
  console.log(cells.map((cell, index) => (index === 0 ? cell.padEnd(34) : cell.padStart(12))).join(''));
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

let failures = 0;
const judged = (value: number, limit: number | null): string => {
  const isOver = limit !== null && value > limit;
  if (isOver) failures++;
  return `${value.toFixed(1)}${isOver ? ' !' : '  '}`;
};

const { child, ports } = await start('managed');
await fill(ports.httpPort);
const clients = await connect(ports.port);
console.log(`${queueCount} queues, ${clients.length} connections and channels; milliseconds, median and worst of ${rounds} calls`);
console.log('held: longest processor time of the main thread between two turns of the event loop, the idle one being below one\n');
print('', 'median', 'worst', 'held, median', 'held, worst', 'kB');
for (const [what, path, limitMillis, isMetrics = false] of calls) {
  const port = isMetrics ? ports.metricsPort : ports.httpPort;
  // Code is compiled, and what is loaded when it is used first is loaded.
  await request(port, path);
  const [millis, held]: [number[], number[]] = [[], []];
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    await ask(child, 'begin');
    const began = performance.now();
    bytes = await request(port, path);
    millis.push(performance.now() - began);
    held.push((await ask<{ heldMillis: number }>(child, 'end')).heldMillis);
  }
  print(
    what,
    judged(median(millis), limitMillis),
    Math.max(...millis).toFixed(1),
    judged(median(held), heldMillisMax),
    Math.max(...held).toFixed(1),
    (bytes / 1000).toFixed(0),
  );
}

const samples: number[] = [];
for (let round = 0; round < rounds; round++) samples.push(await ask<number>(child, 'sample'));
console.log(
  `\na sample of the statistics: ${median(samples).toFixed(1)} ms of processor time every 5 s, ${((median(samples) / 5000) * 100).toFixed(2)} % of a core`,
);

/** What a page of the web UI watches. */
const watched = ['/api/overview', '/api/queues?page=1&page_size=100', '/api/nodes']
  .map(path => `watch=${encodeURIComponent(path)}`)
  .join('&');
const windowMillis = 15_000;

/** Processor time of the broker's thread, as a share of a core, while nobody sends a message: all of it is what is asked for here. */
async function share(doing: 'nothing' | 'watching' | 'scraping too'): Promise<number> {
  const stop = new AbortController();
  if (doing !== 'nothing') {
    const headers = { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}` };
    const stream = http.get({
      port: ports.httpPort,
      path: `/api/events?interval=5&${watched}`,
      headers,
      host: '127.0.0.1',
      signal: stop.signal,
    });
    stream.on('response', response => response.on('error', () => {}).resume()).on('error', () => {});
  }
  const before = await ask<number>(child, 'processor');
  const began = performance.now();
  while (performance.now() - began < windowMillis) {
    if (doing === 'scraping too') await request(ports.metricsPort, '/metrics');
    await new Promise(resolve => setTimeout(resolve, 5000));
  }
  const seconds = (await ask<number>(child, 'processor')) - before;
  stop.abort();
  return (seconds / ((performance.now() - began) / 1000)) * 100;
}

console.log(
  '\nprocessor time of the broker without a message, which is what statistics take of it under load as well; % of a core, each of 3 runs',
);
for (const doing of ['nothing', 'watching', 'scraping too'] as const) {
  const shares = [await share(doing), await share(doing), await share(doing)];
  const what = { nothing: 'sampling alone', watching: 'and a page of the web UI', 'scraping too': 'and /metrics every 5 s' }[doing];
  print(what, ...shares.map(each => `${each.toFixed(2)} %`), `median ${median(shares).toFixed(2)} %`);
}
for (const client of clients) client.socket.destroy();
child.disconnect();

console.log(`\nthroughput with and without management, ${values.seconds} s each, in turns`);
const scenario: Scenario = {
  name: 'one queue',
  what: 'acknowledged one by one',
  isLatency: false,
  arguments: ['--size', '16', '--ack-every', '1', '--prefetch', '500'],
};
const rates = new Map<string, number[]>([
  ['unmanaged', []],
  ['managed', []],
]);
for (let round = 0; round < 3; round++) {
  for (const mode of rates.keys()) {
    const run = await start(mode);
    const found = await measure({ name: mode, port: run.ports.port, pid: run.child.pid ?? null }, scenario, Number(values.seconds));
    rates.get(mode)?.push(found?.processorMicros ?? NaN);
    run.child.disconnect();
  }
}
const [bare, managed] = [...rates.values()].map(median) as [number, number];
for (const [mode, micros] of rates) print(mode, ...micros.map(each => `${each.toFixed(3)} µs`), `median ${median(micros).toFixed(3)}`);
console.log(`statistics cost ${(((managed - bare) / bare) * 100).toFixed(1)} % of the processor time for a message`);
console.log(failures === 0 ? '\neverything is within its limits' : `\n${failures} figures are above their limits (!)`);
