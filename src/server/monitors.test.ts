import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerCore } from '../core/broker.ts';
import { blockPool, keptBytes } from '../core/messages/block-pool.ts';
import { Publication } from '../core/messages/publication.ts';
import type { Slab } from '../core/messages/slab.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { Vhost } from '../core/vhost.ts';
import { DiskMonitor, freeDiskBytes } from './disk-monitor.ts';
import { LoopScheduler } from './loop-scheduler.ts';
import { machineMemory, MemoryMonitor, type ProcessMemory } from './memory-monitor.ts';
import { exchangeTypes, messageFormats, queueTypes } from './registry.ts';
import { SystemClock } from './system-clock.ts';

class ListLogger implements Logger {
  lines: string[] = [];

  debug(): void {}

  info(_category: string, text: string): void {
    this.lines.push(text);
  }

  warning(_category: string, text: string): void {
    this.lines.push(`! ${text}`);
  }

  error(_category: string, text: string, error?: unknown): void {
    this.lines.push(`!! ${text} ${String(error)}`);
  }

  take(): string[] {
    const lines = this.lines;
    this.lines = [];
    return lines;
  }
}

function brokerCore(t: { after(stop: () => void): void }) {
  const scheduler = new LoopScheduler();
  t.after(() => scheduler.stop());
  const logger = new ListLogger();
  const settings = { nodeName: 'rabbit@test' };
  const core = new BrokerCore({
    clock: new SystemClock(),
    scheduler,
    logger,
    settings,
    exchangeTypes,
    queueTypes,
    formats: messageFormats,
  });
  return { core, logger };
}

class FakeMemory implements ProcessMemory {
  residentBytes = 100;
  allocatedBytes = 50;
  garbageBytes = 0;
  collectCount = 0;
  heapBytes = 0;

  heap() {
    return { usedBytes: this.heapBytes, limitBytes: 1000 };
  }

  sample() {
    return { residentBytes: this.residentBytes + this.garbageBytes, allocatedBytes: this.allocatedBytes + this.garbageBytes };
  }

  collectGarbage(): void {
    this.collectCount++;
    this.garbageBytes = 0;
  }
}

test('the memory alarm is set above the watermark and cleared well below it', t => {
  const { core, logger } = brokerCore(t);
  const memory = new FakeMemory();
  const monitor = new MemoryMonitor(core, { watermarkBytes: 1000, totalBytes: 4_194_304, checkIntervalMillis: 3_600_000 }, memory);
  monitor.start();
  t.after(() => monitor.stop());
  assert.deepEqual(logger.take(), ['Memory high watermark set to 0 MiB (1000 bytes) of 4 MiB (4194304 bytes) total']);
  assert.deepEqual(core.alarms.active, []);
  memory.residentBytes = 1001;
  monitor.check();
  assert.deepEqual(core.alarms.active, ['memory']);
  assert.deepEqual(logger.take(), [
    'vm_memory_high_watermark set. Memory used:1001 allowed:1000',
    '! memory resource limit alarm set on node rabbit@test.',
    '! *** Publishers will be blocked until this alarm clears ***',
  ]);
  memory.residentBytes = 951;
  monitor.check();
  assert.deepEqual(core.alarms.active, ['memory']);
  memory.residentBytes = 950;
  monitor.check();
  assert.deepEqual(core.alarms.active, []);
  assert.deepEqual(logger.take(), [
    'vm_memory_high_watermark clear. Memory used:950 allowed:1000',
    '! memory resource limit alarm cleared on node rabbit@test',
    '! memory resource limit alarm cleared across the cluster',
  ]);
});

test('a heap that is nearly full is an alarm too, and nothing new is declared until there is room', t => {
  const { core, logger } = brokerCore(t);
  const memory = new FakeMemory();
  const monitor = new MemoryMonitor(core, { watermarkBytes: 1000, totalBytes: 4_194_304, checkIntervalMillis: 3_600_000 }, memory);
  core.addVhost({ name: '/', description: '', tags: [], defaultQueueType: null });
  const vhost = core.vhosts.get('/') as Vhost;
  const actor = { user: 'test', owner: null, isBroker: true } as const;
  const declare = (name: string): unknown =>
    core.topology.declareQueue(vhost, { name, isDurable: false, isAutoDelete: false, owner: null, arguments: new Map() }, actor);
  declare('old');
  memory.heapBytes = 851;
  monitor.check();
  assert.deepEqual(core.alarms.active, ['memory']);
  assert.deepEqual(logger.take().slice(0, 2), [
    'vm_memory_high_watermark set. Memory used:100 allowed:1000',
    '! queues, bindings, connections or remembered values are too many for the heap of Node.js. Used:851 allowed:850. Delete some, or start with NODE_OPTIONS=--max-old-space-size=MEGABYTES',
  ]);
  declare('old');
  assert.throws(() => declare('new'), /cannot declare queue 'new': the node is low on memory/);
  const bind = (key: string): void => core.topology.bind(vhost, 'amq.topic', 'queue', 'old', key, new Map(), actor);
  assert.throws(() => bind('k'), /cannot bind to exchange 'amq\.topic' in vhost '\/': the node is low on memory/);
  memory.heapBytes = 800;
  monitor.check();
  assert.deepEqual(core.alarms.active, []);
  declare('new');
  bind('k');
});

test('the watermark can be moved; zero blocks always', t => {
  const { core } = brokerCore(t);
  const limit = { watermarkBytes: 0, totalBytes: 1000, checkIntervalMillis: 3_600_000 };
  const monitor = new MemoryMonitor(core, limit, new FakeMemory());
  monitor.start();
  t.after(() => monitor.stop());
  assert.deepEqual(core.alarms.active, ['memory']);
  monitor.setLimit({ ...limit, watermarkBytes: 500 });
  assert.deepEqual(core.alarms.active, []);
});

test('an eighth of the watermark, 256 MiB at most, is kept for large messages while somebody looks at the memory', t => {
  const { core } = brokerCore(t);
  const mebibyte = 1024 * 1024;
  const limit = { watermarkBytes: 800 * mebibyte, totalBytes: 1000 * mebibyte, checkIntervalMillis: 3_600_000 };
  const monitor = new MemoryMonitor(core, limit, new FakeMemory());
  assert.equal(blockPool.freeBytesMax, keptBytes);
  monitor.start();
  assert.equal(blockPool.freeBytesMax, 100 * mebibyte);
  monitor.setLimit({ ...limit, watermarkBytes: 8000 * mebibyte });
  assert.equal(blockPool.freeBytesMax, 256 * mebibyte);
  monitor.setLimit({ ...limit, watermarkBytes: 80 * mebibyte });
  assert.equal(blockPool.freeBytesMax, keptBytes);
  monitor.stop();
  assert.equal(blockPool.freeBytesMax, keptBytes);
});

test('garbage is collected before it makes an alarm, but a full store is not collected again and again', t => {
  const { core } = brokerCore(t);
  const memory = new FakeMemory();
  const monitor = new MemoryMonitor(core, { watermarkBytes: 20_000_000, totalBytes: 40_000_000, checkIntervalMillis: 3_600_000 }, memory);
  monitor.start();
  t.after(() => monitor.stop());
  memory.garbageBytes = 30_000_000;
  monitor.check();
  assert.equal(memory.collectCount, 1);
  assert.deepEqual(core.alarms.active, []);
  memory.residentBytes = 30_000_000;
  monitor.check();
  assert.equal(memory.collectCount, 1);
  assert.deepEqual(core.alarms.active, ['memory']);
});

test('the collector gives back what the process no longer refers to', () => {
  const before = machineMemory.sample().allocatedBytes;
  (() => Array.from({ length: 64 }, () => Buffer.allocUnsafeSlow(1024 * 1024)).length)();
  machineMemory.collectGarbage();
  machineMemory.collectGarbage();
  assert.ok(machineMemory.sample().allocatedBytes < before + 32 * 1024 * 1024);
});

test('the disk alarm is set below the limit and cleared when there is more than that', async t => {
  const { core, logger } = brokerCore(t);
  let freeBytes = 60_000_000;
  const monitor = new DiskMonitor(core, { freeBytesMin: 50_000_000, checkIntervalMillis: 3_600_000 }, async () => freeBytes);
  await monitor.start();
  t.after(() => monitor.stop());
  assert.deepEqual(logger.take(), ['Disk free limit set to 50MB']);
  freeBytes = 49_999_999;
  await monitor.check();
  assert.deepEqual(core.alarms.active, ['disk']);
  assert.equal(core.alarms.reason, 'low on disk');
  assert.deepEqual(logger.take(), [
    'Free disk space is insufficient. Free bytes: 49999999. Limit: 50000000',
    '! disk resource limit alarm set on node rabbit@test.',
    '! *** Publishers will be blocked until this alarm clears ***',
  ]);
  freeBytes = 50_999_999;
  await monitor.check();
  assert.deepEqual(core.alarms.active, ['disk']);
  freeBytes = 51_000_000;
  await monitor.check();
  assert.deepEqual(core.alarms.active, []);
  assert.deepEqual(logger.take(), [
    'Free disk space is sufficient. Free bytes: 51000000. Limit: 50000000',
    '! disk resource limit alarm cleared on node rabbit@test',
    '! disk resource limit alarm cleared across the cluster',
  ]);
});

test('publishers hear of the alarms that are left', async t => {
  const { core } = brokerCore(t);
  let freeBytes = 0;
  const disk = new DiskMonitor(core, { freeBytesMin: 10, checkIntervalMillis: 3_600_000 }, async () => freeBytes);
  const memory = new MemoryMonitor(core, { watermarkBytes: 1, totalBytes: 2, checkIntervalMillis: 3_600_000 }, new FakeMemory());
  await disk.start();
  memory.start();
  t.after(() => (disk.stop(), memory.stop()));
  assert.equal(core.alarms.reason, 'low on memory & disk');
  freeBytes = 1000;
  await disk.check();
  assert.equal(core.alarms.reason, 'low on memory');
});

test('a disk that cannot be asked is reported once and asked one question at a time', async t => {
  const { core, logger } = brokerCore(t);
  let questionCount = 0;
  let answer = Promise.withResolvers<number>();
  const monitor = new DiskMonitor(core, { freeBytesMin: 10, checkIntervalMillis: 3_600_000 }, () => {
    questionCount++;
    return answer.promise;
  });
  const first = monitor.start();
  t.after(() => monitor.stop());
  await monitor.check();
  assert.equal(questionCount, 1);
  answer.reject(new Error('EIO'));
  await first;
  answer = Promise.withResolvers();
  answer.reject(new Error('EIO'));
  await monitor.check();
  assert.deepEqual(logger.take().slice(1), ['!! Free disk space monitor encountered an error Error: EIO']);
});

test('the disk of a directory has free bytes', async () => {
  assert.ok((await freeDiskBytes('.')) > 0);
});

test('publishers are held before there are more messages than can be named, however little of them is in memory', t => {
  const { core, logger } = brokerCore(t);
  const monitor = new MemoryMonitor(core, { watermarkBytes: 200, totalBytes: 500, checkIntervalMillis: 1000 }, new FakeMemory());
  const slabs = Array.from({ length: 31_129 }, (_, logSequence) => core.store.addLogSlab(logSequence));
  monitor.check();
  assert.equal(core.alarms.reason, null);
  slabs.push(core.store.addLogSlab(slabs.length));
  monitor.check();
  assert.equal(core.alarms.reason, 'low on memory');
  assert.match(logger.take().join('\n'), /almost as many messages as can be: 32 GiB/);
  while (core.store.slabCount < 32_768 - 64) slabs.push(core.store.addLogSlab(slabs.length));
  const p = new Publication();
  assert.throws(() => core.store.append(p, 1, 0, false), /address space used up/);
  core.store.retire(slabs.pop() as Slab);
  assert.ok(core.store.append(p, 1, 0, false) > 0);
  for (const slab of slabs) core.store.retire(slab);
  monitor.check();
  assert.equal(core.alarms.reason, null);
});
