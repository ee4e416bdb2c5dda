// How the cost of a message grows with what there is: connections, queues, bindings, body size, backlog, prefetch. Processor time of the broker
// in this process, without sockets; prints tables and writes docs/performance/curves.svg and curves.md.
//   npm run bench:curves [-- --full]         --full goes to a million bindings and ten million queued messages (half a minute of processor time)
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  basicAck,
  basicConsume,
  basicQos,
  exchangeDeclare,
  queueBind,
  queueDeclare,
  queueDelete,
} from '../../test/support/amqp-requests.ts';
import { connect, publishes, type Sink, turn } from '../micro/in-process.ts';

const isFull = process.argv.includes('--full');
const directory = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'docs', 'performance');

interface Point {
  readonly x: number;
  /** Microseconds of processor time for each message. */
  readonly micros: number;
}

interface Curve {
  readonly name: string;
  readonly axis: string;
  readonly points: Point[];
}

const control = connect();
let names = 0;

function ask(...requests: Buffer[]): void {
  for (const request of requests) control.onData(request);
  turn();
}

/** The least of three goes, each of at least `millisMin` of processor time. */
function cost(messagesPerGo: number, go: () => void, millisMin = 60): number {
  go();
  let least = Infinity;
  for (let attempt = 0; attempt < 3; attempt++) {
    const cpu = process.cpuUsage();
    let messages = 0;
    let micros = 0;
    do {
      go();
      messages += messagesPerGo;
      const { user, system } = process.cpuUsage(cpu);
      micros = user + system;
    } while (micros < millisMin * 1000);
    least = Math.min(least, micros / messages);
  }
  return least;
}

function newQueue(): string {
  const queue = `c${names++}`;
  ask(queueDeclare(1, { queue }));
  return queue;
}

function consumer(queue: string): Sink {
  const sink = connect();
  sink.onData(basicConsume(1, { queue, noAck: true }));
  turn();
  return sink;
}

function drop(queue: string): void {
  ask(queueDelete(1, { queue }));
}

const steps = (...counts: number[]): number[] => counts;

const curves: Curve[] = [];
function curve(name: string, axis: string, counts: readonly number[], measure: (count: number) => number): void {
  const points: Point[] = [];
  for (const x of counts) {
    const micros = measure(x);
    points.push({ x, micros });
    console.log(`${name.padEnd(52)}${x.toLocaleString('en-US').padStart(12)}${micros.toFixed(3).padStart(12)} µs`);
  }
  curves.push({ name, axis, points });
}

const publishers: Sink[] = [];
const shared = newQueue();
consumer(shared);
curve('connections that publish in turn', 'connections', steps(1, 10, 100, 1000, 10_000), count => {
  while (publishers.length < count) publishers.push(connect());
  const input = publishes(1, shared, 16);
  return cost(count, () => {
    for (let i = 0; i < count; i++) (publishers[i] as Sink).onData(input);
    turn();
  });
});
drop(shared);

const queues: string[] = [];
const inputs: Buffer[] = [];
const perQueue = connect();
const taker = connect();
curve('queues that get a message in turn', 'queues', steps(1, 10, 100, 1000, 10_000, 100_000), count => {
  while (queues.length < count) {
    const queue = newQueue();
    queues.push(queue);
    inputs.push(publishes(1, queue, 16));
    taker.onData(basicConsume(1, { queue, noAck: true }));
  }
  turn();
  return cost(count, () => {
    for (let i = 0; i < count; i++) perQueue.onData(inputs[i] as Buffer);
    turn();
  });
});
for (const queue of queues) drop(queue);

for (const type of ['direct', 'topic'] as const) {
  const exchange = `x-${type}`;
  ask(exchangeDeclare(1, { exchange, type }));
  const bound = Array.from({ length: 10 }, newQueue);
  bound.forEach(consumer);
  let bindings = 0;
  curve(`bindings of a ${type} exchange`, 'bindings', steps(1, 10, 100, 1000, 10_000, 100_000, ...(isFull ? [1_000_000] : [])), count => {
    while (bindings < count) {
      control.onData(queueBind(1, { queue: bound[bindings % 10] as string, exchange, routingKey: `key.${bindings}.a`, nowait: true }));
      if (++bindings % 1000 === 0) turn();
    }
    turn();
    // As many keys as there are bindings, up to more than a connection remembers.
    const keys = Math.min(count, 32_000);
    const inputs: Buffer[] = [];
    for (let first = 0; first < keys; first += 500)
      inputs.push(
        Buffer.concat(Array.from({ length: 500 }, (_, i) => publishes(1, `key.${((first + i) * 7919) % count}.a`, 16, exchange))),
      );
    let next = 0;
    return cost(500, () => {
      perQueue.onData(inputs[next++ % inputs.length] as Buffer);
      turn();
    });
  });
  for (const queue of bound) drop(queue);
}

curve('bytes of a body', 'bytes', steps(16, 256, 1024, 16_384, 131_072, 1_048_576, 16_777_216), bytes => {
  const queue = newQueue();
  consumer(queue);
  const count = Math.max(1, Math.min(200, Math.floor(2_000_000 / bytes)));
  const input = publishes(count, queue, bytes);
  // As a socket hands it over, in pieces.
  const pieces: Buffer[] = [];
  for (let at = 0; at < input.length; at += 65_536) pieces.push(input.subarray(at, at + 65_536));
  const micros = cost(count, () => {
    for (const piece of pieces) {
      perQueue.onData(piece);
      turn();
    }
  });
  drop(queue);
  return micros;
});

const deep = newQueue();
let depth = 0;
curve('messages in the queue before', 'messages', steps(0, 1000, 10_000, 100_000, 1_000_000, ...(isFull ? [10_000_000] : [])), count => {
  const block = publishes(500, deep, 16);
  for (; depth < count; depth += 500) {
    perQueue.onData(block);
    turn();
  }
  const reader = connect();
  // As many go out as come in: the depth stays.
  reader.onData(basicQos(1, 500));
  reader.onData(basicConsume(1, { queue: deep, consumerTag: 'r' }));
  turn();
  let tag = 500;
  const micros = cost(500, () => {
    perQueue.onData(block);
    reader.onData(basicAck(1, tag, true));
    turn();
    tag += 500;
  });
  reader.onClosed();
  turn();
  return micros;
});
drop(deep);

curve('prefetch, acknowledged at once', 'prefetch', steps(1, 10, 100, 1000, 10_000), prefetch => {
  const queue = newQueue();
  const reader = connect();
  reader.onData(basicQos(1, prefetch));
  reader.onData(basicConsume(1, { queue }));
  turn();
  const input = publishes(prefetch, queue, 16);
  let tag = prefetch;
  const micros = cost(prefetch, () => {
    perQueue.onData(input);
    turn();
    reader.onData(basicAck(1, tag, true));
    turn();
    tag += prefetch;
  });
  drop(queue);
  return micros;
});

const width = 360;
const height = 200;

/** One plot on logarithmic axes. */
function plot({ name, axis, points }: Curve, left: number, top: number): string {
  const xs = points.map(({ x }) => Math.log10(Math.max(x, 1)));
  const ys = points.map(({ micros }) => Math.log10(micros));
  const [xMin, xMax] = [Math.min(...xs), Math.max(...xs)];
  const [yMin, yMax] = [Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys) + 0.001)];
  const px = (x: number): number => left + 50 + ((x - xMin) / (xMax - xMin)) * (width - 80);
  const py = (y: number): number => top + height - 35 - ((y - yMin) / (yMax - yMin)) * (height - 70);
  const line = points.map((_, i) => `${px(xs[i] as number).toFixed(1)},${py(ys[i] as number).toFixed(1)}`).join(' ');
  const dots = points
    .map((_, i) => `<circle cx="${px(xs[i] as number).toFixed(1)}" cy="${py(ys[i] as number).toFixed(1)}" r="3"/>`)
    .join('');
  const yTicks = Array.from({ length: yMax - yMin + 1 }, (_, i) => yMin + i);
  const grid = yTicks
    .map(
      y =>
        `<path d="M${left + 50} ${py(y).toFixed(1)}h${width - 80}"/><text x="${left + 44}" y="${(py(y) + 4).toFixed(1)}" text-anchor="end">${10 ** y}</text>`,
    )
    .join('');
  const labels = points
    .map(
      ({ x }, i) =>
        `<text x="${px(xs[i] as number).toFixed(1)}" y="${top + height - 18}" text-anchor="middle">${short(x, axis === 'bytes' ? 1024 : 1000)}</text>`,
    )
    .join('');
  return `<g class="plot"><text class="title" x="${left + 50}" y="${top + 16}">${name}</text><text x="${left + 44}" y="${top + 16}" text-anchor="end">µs</text><g class="grid">${grid}</g>${labels}<text x="${left + width - 30}" y="${top + height - 4}" text-anchor="end">${axis}</text><polyline points="${line}"/>${dots}</g>`;
}

/** In thousands and millions of the unit's kind. */
function short(count: number, thousand: number): string {
  if (count >= thousand ** 2) return `${+(count / thousand ** 2).toFixed(0)}M`;
  return count >= thousand ? `${+(count / thousand).toFixed(0)}k` : String(count);
}

const rows = Math.ceil(curves.length / 2);
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * width} ${rows * height}" font-family="sans-serif" font-size="10">
<style>.title{font-size:12px;font-weight:600}.grid path{stroke:#8884;fill:none}text{fill:#777}polyline{fill:none;stroke:#2563eb;stroke-width:2}circle{fill:#2563eb}</style>
${curves.map((each, i) => plot(each, (i % 2) * width, Math.floor(i / 2) * height)).join('\n')}
</svg>
`;
const tables = curves.map(({ name, axis, points }) => {
  const header = `| ${axis} | ${points.map(({ x }) => x.toLocaleString('en-US')).join(' | ')} |\n|${' --- |'.repeat(points.length + 1)}`;
  return `**${name}**\n\n${header}\n| µs per message | ${points.map(({ micros }) => micros.toPrecision(3)).join(' | ')} |\n`;
});
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, 'curves.svg'), svg);
writeFileSync(
  join(directory, 'curves.md'),
  `# How cost grows\n\nProcessor time of the broker for a message, in and out, without sockets; Node ${process.versions.node}, \`npm run bench:curves${isFull ? ' -- --full' : ''}\`. Both axes of the plots are logarithmic: a level line means that more of it costs nothing.\n\n![curves](curves.svg)\n\n${tables.join('\n')}`,
);
