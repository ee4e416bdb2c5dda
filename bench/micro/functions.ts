// What each hot function costs by itself: processor time and heap for one call, least of several goes.
//   npm run bench:functions [-- NAME]
import { spawnSync } from 'node:child_process';
import { getHeapStatistics } from 'node:v8';
import { copyBytes, equalBytes } from '../../src/base/bytes.ts';
import { checksum } from '../../src/base/checksum.ts';
import { decodeText } from '../../src/base/text.ts';
import { Consumer, SharedPrefetch } from '../../src/core/consumer.ts';
import { amqp091FormatTag } from '../../src/core/messages/format-tags.ts';
import { MessageStore } from '../../src/core/messages/message-store.ts';
import { Publication } from '../../src/core/messages/publication.ts';
import { PublishMemo, PublishMemoBudget, PublishMemos } from '../../src/core/publish-memo.ts';
import { Entry } from '../../src/core/queues/entry.ts';
import { IndexPager } from '../../src/core/queues/index-pager.ts';
import { ReadyList } from '../../src/core/queues/ready-list.ts';
import { UnackedRing } from '../../src/core/unacked-ring.ts';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { Facets, peekFacets } from '../../src/wire/amqp091/facets.ts';
import { FrameReader } from '../../src/wire/amqp091/frame-reader.ts';
import { encodeBodyFrames } from '../../src/wire/amqp091/frame.ts';
import { decodeBasicPublish, encodeBasicPublish } from '../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import { exchangeDeclare, queueBind, queueDeclare } from '../../test/support/amqp-requests.ts';
import { broker, connect, turn } from './in-process.ts';

if (!process.execArgv.includes('--expose-gc')) {
  const flags = ['--expose-gc', '--max-semi-space-size=2048', '--min-semi-space-size=2048'];
  process.exit(spawnSync(process.execPath, [...flags, ...process.argv.slice(1)], { stdio: 'inherit' }).status ?? 1);
}

const only = process.argv[2];
const goMillis = 40;
const goes = 5;

console.log(`${'function'.padEnd(62)}${'ns/call'.padStart(10)}${'heap B/call'.padStart(14)}`);

/** `run(n)` makes n calls; what it returns keeps them from being left out. */
function measure(name: string, run: (count: number) => number): void {
  if (only !== undefined && !name.includes(only)) return;
  let count = 1000;
  let kept = 0;
  let micros = 0;
  while (micros < goMillis * 1000) {
    count *= 2;
    const cpu = process.cpuUsage();
    kept += run(count);
    const { user, system } = process.cpuUsage(cpu);
    micros = user + system;
  }
  let least = Infinity;
  let heap = Infinity;
  for (let go = 0; go < goes; go++) {
    (globalThis as { gc?: () => void }).gc?.();
    const before = getHeapStatistics().used_heap_size;
    const cpu = process.cpuUsage();
    kept += run(count);
    const { user, system } = process.cpuUsage(cpu);
    least = Math.min(least, ((user + system) * 1000) / count);
    heap = Math.min(heap, Math.max(0, getHeapStatistics().used_heap_size - before) / count);
  }
  if (!Number.isFinite(kept)) throw new Error(`${name} gave ${kept}`);
  console.log(`${name.padEnd(62)}${least.toFixed(1).padStart(10)}${heap.toFixed(1).padStart(14)}`);
}

const properties = encodeProperties({ deliveryMode: 2, headers: new Map([['x', { type: 'S', value: Buffer.from('y') }]]) });
const method = encodeBasicPublish(1, { exchange: 'orders', routingKey: 'order.created.eu', mandatory: false, immediate: false });
/** Class, method and frame header come before a method's arguments. */
const argumentsStart = 11;
const message = Buffer.concat([method, encodeContentHeaderFrame(1, 16, properties), ...encodeBodyFrames(1, Buffer.alloc(16, 97), 131_072)]);
const frames = Buffer.concat(Array.from({ length: 100 }, () => message));

const reader = new FrameReader(131_072);
let seen = 0;
const visitor = {
  onFrame: (type: number): boolean => {
    seen += type;
    return true;
  },
  onBodyPiece: (): boolean => true,
  onFrameFault: (): void => {
    throw new Error('a frame is broken');
  },
};
measure('FrameReader.push, a frame (three make a message)', count => {
  for (let i = 0; i < count / 300; i++) reader.push(frames, 0, frames.length, visitor);
  return seen;
});

measure('decodeBasicPublish', count => {
  let length = 0;
  for (let i = 0; i < count; i++) length += decodeBasicPublish(method, argumentsStart, method.length - 1).routingKey.length;
  return length;
});

const facets = new Facets();
measure('peekFacets, delivery mode and a header', count => {
  let modes = 0;
  for (let i = 0; i < count; i++) if (peekFacets(properties, 0, properties.length, facets)) modes += facets.deliveryMode;
  return modes;
});

const memos = new PublishMemos(new PublishMemoBudget(1 << 20));
const keys = Array.from({ length: 1000 }, (_, i) => {
  const bytes = encodeBasicPublish(1, { exchange: 'orders', routingKey: `order.${i}.eu`, mandatory: false, immediate: false }).subarray(
    argumentsStart,
  );
  const memo = new PublishMemo(bytes);
  memo.byteCount = bytes.length - 1;
  memo.vhostGeneration = 1;
  memo.accessGeneration = 1;
  memos.add(memo);
  memos.isWorthKeeping();
  return bytes;
});
measure('PublishMemos.find, 1,000 routing keys in turn', count => {
  let found = 0;
  for (let i = 0; i < count; i++) {
    const bytes = keys[i % 1000] as Buffer;
    if (memos.find(bytes, 0, bytes.length - 1, 1, 1) !== null) found++;
  }
  return found;
});

const target = Buffer.alloc(4096);
for (const bytes of [16, 64, 1024])
  measure(`copyBytes, ${bytes} B`, count => {
    for (let i = 0; i < count; i++) copyBytes(frames, i & 255, target, 0, bytes);
    return target[0] as number;
  });
measure('equalBytes, 24 B', count => {
  let same = 0;
  for (let i = 0; i < count; i++) if (equalBytes(frames, 0, message, 0, 24)) same++;
  return same;
});
const words = new Uint32Array(256);
for (const bytes of [64, 1024])
  measure(`checksum, ${bytes} B`, count => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= checksum(words, 0, bytes / 4, i);
    return sum;
  });
measure('decodeText, 16 B', count => {
  let length = 0;
  for (let i = 0; i < count; i++) length += decodeText(method, 20, 36).length;
  return length;
});

const p = new Publication();
p.envelope = method;
p.envelopeStart = argumentsStart + 2;
p.envelopeBytes = method.length - argumentsStart - 4;
p.properties = properties;
p.propertiesBytes = properties.length;
p.body = target;
p.format = amqp091FormatTag;
for (const bytes of [16, 1024]) {
  const store = new MessageStore();
  measure(`MessageStore.append, locate, release, ${bytes} B`, count => {
    p.bodyBytes = bytes;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const ref = store.append(p, 1, 0, false);
      store.locate(ref);
      sum += store.bodyBytes;
      store.release(ref, bytes);
    }
    return sum;
  });
}

const entry = new Entry();
for (const depth of [1, 100_000]) {
  const list = new ReadyList(new IndexPager(null, Infinity, null));
  for (let i = 1; i < depth; i++) list.push(i, 0, 16, 0);
  measure(`ReadyList.push and shift, ${depth.toLocaleString('en-US')} in it`, count => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      list.push(7, 0, 16, 0);
      list.shift(entry);
      sum += entry.bytes;
    }
    return sum;
  });
}

const control = connect();
control.onData(queueDeclare(1, { queue: 'one' }));
for (const type of ['direct', 'topic', 'fanout']) {
  control.onData(exchangeDeclare(1, { exchange: `x-${type}`, type }));
  for (let i = 0; i < 1000; i++)
    control.onData(queueBind(1, { queue: 'one', exchange: `x-${type}`, routingKey: `order.${i}.*`, nowait: true }));
}
turn();
const vhost = broker.core.vhosts.get('/');
const queue = vhost?.queues.get('one');
if (vhost === undefined || queue === undefined) throw new Error('there is no queue');

const consumer = new Consumer(queue, { canTake: true, deliver: () => {}, cancelled: () => {} }, new SharedPrefetch(), {
  tag: 'c',
  noAck: false,
  isExclusive: false,
  priority: 0,
  prefetchCount: 1000,
  arguments: new Map(),
});
const ring = new UnackedRing();
let tag = 0;
for (let i = 0; i < 100; i++) ring.push(++tag, consumer, entry, 0);
measure('UnackedRing.push and take, 100 in it', count => {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    ring.push(++tag, consumer, entry, 0);
    if (ring.take(tag - 100, entry) !== null) sum += entry.bytes;
  }
  return sum;
});

for (const type of ['direct', 'topic', 'fanout']) {
  const exchange = vhost.exchanges.get(`x-${type}`);
  if (exchange === undefined) throw new Error('there is no exchange');
  measure(`Router.remembered, ${type}, 1,000 bindings`, count => {
    let queues = 0;
    for (let i = 0; i < count; i++) queues += vhost.router.remembered(exchange, 'order.500.eu')?.queues.length ?? 0;
    return queues;
  });
  measure(`Router.route with nothing remembered, ${type}, 1,000 bindings`, count => {
    let queues = 0;
    for (let i = 0; i < count; i++) queues += vhost.router.route(exchange, [`order.${i % 1000}.${i}`], p, null).queues.length;
    return queues;
  });
}
process.exit(0);
