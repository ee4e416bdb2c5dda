import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BrokerCore } from '../core/broker.ts';
import { blockPool, keptBytes } from '../core/messages/block-pool.ts';
import { type Heap, HeapWatch } from './heap-watch.ts';
import { type MemorySample, MemoryUse } from './memory-use.ts';
import { ResourceAlarm } from './resource-alarm.ts';

export interface MemoryLimit {
  /** Publishers are blocked above it. [rabbitmq.conf: vm_memory_high_watermark] */
  readonly watermarkBytes: number;
  /** What there is, for the log. */
  readonly totalBytes: number;
  readonly checkIntervalMillis: number;
}

/** The process, as the monitor sees it. */
export interface ProcessMemory extends Heap {
  sample(): MemorySample;
  /** Frees what nobody refers to any more. Without allocations V8 sees no reason to. */
  collectGarbage(): void;
}

/** The alarm ends when this part of the watermark is reached from above: it must not come and go with every message. */
const clearedPart = 0.95;
/** Of the memory that large messages have been in, so much stays for the next ones, within this part of the watermark. */
const freeBlocksBytesMax = 256 * 1024 * 1024;
const freeBlocksPart = 1 / 8;
/** How often slabs of messages with little in them are emptied. */
const compactMillis = 2000;
/** A collection holds up everything for some 10 ms: not more often than this ... */
const collectMillis = 2000;
/** ... and only if this much may be garbage. */
const garbageBytesMin = 16 * 1024 * 1024;
/** The heap is looked at so often, and after so many declarations. */
const heapCheckMillis = 250;
const declaredMax = 1000;

/** Watches the memory of the process, and gives back what the broker holds for no use. */
export class MemoryMonitor {
  readonly #core: BrokerCore;
  readonly #process: ProcessMemory;
  readonly #alarm: ResourceAlarm;
  readonly #use = new MemoryUse();
  readonly #heap: HeapWatch;
  /** At the last check. */
  #isHeapFull = false;
  #declaredCount = 0;
  #limit: MemoryLimit;
  #interval: NodeJS.Timeout | null = null;
  #heapInterval: NodeJS.Timeout | null = null;
  #compactedMillis = -Infinity;
  #collectedMillis = -Infinity;
  /** Allocated for other things than messages, after the last collection. */
  #keptBytes = 0;
  /** At the last look, for whoever shows it. */
  usedBytes = 0;

  constructor(core: BrokerCore, limit: MemoryLimit, processMemory: ProcessMemory = machineMemory) {
    this.#core = core;
    this.#limit = limit;
    this.#process = processMemory;
    this.#heap = new HeapWatch(processMemory);
    core.isHeapFull = () => this.#isFullForMore();
    this.#alarm = new ResourceAlarm(core, 'memory');
  }

  get limit(): MemoryLimit {
    return this.#limit;
  }

  start(): void {
    this.#logLimit();
    this.#keptBytes = this.#otherBytes(this.#process.sample());
    this.check();
    this.#schedule();
  }

  stop(): void {
    if (this.#interval !== null) clearInterval(this.#interval);
    if (this.#heapInterval !== null) clearInterval(this.#heapInterval);
    this.#interval = null;
    this.#heapInterval = null;
    blockPool.freeBytesMax = keptBytes;
    blockPool.trim(true);
  }

  /** In fresh memory for each, one message of 128 MiB after another has V8 collect its heap again and again. */
  #keepBlocks(): void {
    const share = Math.floor(this.#limit.watermarkBytes * freeBlocksPart);
    blockPool.freeBytesMax = Math.max(keptBytes, Math.min(freeBlocksBytesMax, share));
  }

  /** Moves the watermark of a running broker. */
  setLimit(limit: MemoryLimit): void {
    this.#limit = limit;
    this.#logLimit();
    this.check();
    if (this.#interval === null) return;
    this.stop();
    this.#schedule();
  }

  /** Looks once. */
  check(): void {
    const now = performance.now();
    if (now - this.#compactedMillis >= compactMillis) {
      this.#compactedMillis = now;
      this.#core.compactMemory();
      blockPool.trim();
    }
    const { watermarkBytes } = this.#limit;
    const sample = this.#process.sample();
    this.usedBytes = this.#use.note(sample);
    if (this.usedBytes > watermarkBytes * clearedPart && now - this.#collectedMillis >= collectMillis) {
      this.#collectedMillis = now;
      this.#core.compactMemory(0);
      blockPool.trim(true);
      if (this.#otherBytes(sample) - this.#keptBytes >= garbageBytesMin) this.#collect();
    }
    const { isScarce } = this.#core.store;
    const isHeapFull = this.#heap.check();
    this.#isHeapFull = isHeapFull;
    if (!this.#alarm.isSet && isScarce) {
      this.#core.logger.warning('default', 'there are almost as many messages as can be: 32 GiB, in memory and on disk');
      this.#alarm.set();
    } else if (!this.#alarm.isSet && (this.usedBytes > watermarkBytes || isHeapFull)) {
      this.#log('set', isHeapFull);
      this.#alarm.set();
    } else if (this.#alarm.isSet && !isScarce && this.usedBytes <= watermarkBytes * clearedPart && !isHeapFull) {
      this.#log('clear', false);
      this.#alarm.clear();
    }
  }

  /** Asked for each thing that is declared: a client that declares and declares fills a small heap between two timers. */
  #isFullForMore(): boolean {
    if (++this.#declaredCount % declaredMax === 0) this.#heap.check();
    return this.#heap.isFull;
  }

  #log(what: 'set' | 'clear', isHeapFull: boolean): void {
    const { logger } = this.#core;
    logger.info('default', `vm_memory_high_watermark ${what}. Memory used:${this.usedBytes} allowed:${this.#limit.watermarkBytes}`);
    if (!isHeapFull) return;
    const { usedBytes, allowedBytes } = this.#heap;
    const why = 'queues, bindings, connections or remembered values are too many for the heap of Node.js';
    logger.warning(
      'default',
      `${why}. Used:${usedBytes} allowed:${Math.floor(allowedBytes)}. Delete some, or start with NODE_OPTIONS=--max-old-space-size=MEGABYTES`,
    );
  }

  /** Freed messages stay allocated until the collector runs; the rest of the heap may hold garbage as well. */
  #otherBytes(sample: MemorySample): number {
    return sample.allocatedBytes - this.#core.store.heldBytes - blockPool.freeBytes;
  }

  #collect(): void {
    this.#process.collectGarbage();
    const sample = this.#process.sample();
    this.#keptBytes = this.#otherBytes(sample);
    this.usedBytes = this.#use.note(sample);
  }

  #schedule(): void {
    this.#keepBlocks();
    this.#interval = setInterval(() => this.check(), this.#limit.checkIntervalMillis).unref();
    this.#heapInterval = setInterval(() => {
      if (this.#heap.check() !== this.#isHeapFull) this.check();
    }, heapCheckMillis).unref();
  }

  #logLimit(): void {
    const { watermarkBytes, totalBytes } = this.#limit;
    const mebibytes = (bytes: number): number => Math.floor(bytes / 1_048_576);
    this.#core.logger.info(
      'default',
      `Memory high watermark set to ${mebibytes(watermarkBytes)} MiB (${watermarkBytes} bytes) of ${mebibytes(totalBytes)} MiB (${totalBytes} bytes) total`,
    );
  }
}

const youngGenerationBytes = 192 * 1024 * 1024;
const oldGenerationBytesMin = 64 * 1024 * 1024;

type Collector = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

let collector: Collector | null = null;

export const machineMemory: ProcessMemory = {
  sample() {
    const { rss, heapTotal, external } = process.memoryUsage();
    return { residentBytes: rss, allocatedBytes: heapTotal + external };
  },

  heap() {
    // V8's limit is that of the old generation; what it reports has the young one, three times 64 MiB, on top.
    const limitBytes = Math.max(oldGenerationBytesMin, getHeapStatistics().heap_size_limit - youngGenerationBytes);
    let usedBytes = 0;
    for (const { space_name: name, space_used_size: bytes } of getHeapSpaceStatistics()) if (!name.startsWith('new_')) usedBytes += bytes;
    return { usedBytes, limitBytes };
  },

  collectGarbage() {
    if (collector === null) {
      // V8 offers its collector to programs by a flag only, which need not stay set.
      setFlagsFromString('--expose-gc');
      collector = runInNewContext('gc') as Collector;
      setFlagsFromString('--no-expose-gc');
    }
    collector({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  },
};
