import { readFileSync } from 'node:fs';
import { readdir, statfs } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { BrokerCore } from '../core/broker.ts';
import type { NodeFigures } from '../core/statistics/statistics.ts';

const probeMillis = 1000;
const delayResolutionMillis = 20;

/** Event loop delay since the last reset, in seconds. */
export interface LoopDelay {
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Numbers about this process and its machine, read at most once a second. Files are read without holding up the event loop. */
export class NodeProbe {
  readonly fdLimit: number;
  readonly processors = availableParallelism();
  readonly #core: BrokerCore;
  readonly #dataDir: string;
  readonly #loopDelay: ReturnType<typeof monitorEventLoopDelay>;
  #memory = process.memoryUsage();
  #memoryMillis = -Infinity;
  #filesMillis = -Infinity;
  /** Bytes free where the data is; Infinity while unknown. */
  diskFreeBytes = Infinity;
  fdCount = 0;
  /** How long the latest commit took that was looked at; 0 for a broker in memory. */
  commitSeconds = 0;
  #isTimingCommit = false;
  readonly figures: NodeFigures;

  constructor(core: BrokerCore, dataDir: string | null) {
    this.#core = core;
    this.#dataDir = dataDir ?? tmpdir();
    this.fdLimit = readFdLimit();
    this.#loopDelay = monitorEventLoopDelay({ resolution: delayResolutionMillis });
    this.#loopDelay.enable();
    this.figures = {
      names: ['mem_used', 'fd_used', 'sockets_used', 'proc_used', 'disk_free', 'context_switches'],
      read: (into, at) => this.#read(into, at),
    };
  }

  stop(): void {
    this.#loopDelay.disable();
  }

  get memory(): NodeJS.MemoryUsage {
    const now = performance.now();
    if (now - this.#memoryMillis > probeMillis) {
      this.#memoryMillis = now;
      this.#memory = process.memoryUsage();
    }
    return this.#memory;
  }

  get socketCount(): number {
    return this.#core.connections.size;
  }

  /** What corresponds to Erlang's processes: queues, connections and channels. */
  get processCount(): number {
    const { counters, connections, vhosts } = this.#core;
    let count = connections.size + Math.max(0, counters.channelsOpened - counters.channelsClosed);
    for (const vhost of vhosts.values()) count += vhost.queues.size;
    return count;
  }

  get contextSwitches(): number {
    const usage = process.resourceUsage();
    return usage.voluntaryContextSwitches + usage.involuntaryContextSwitches;
  }

  get loopDelay(): LoopDelay {
    const histogram = this.#loopDelay;
    if (histogram.count === 0) return { mean: 0, p50: 0, p99: 0, max: 0 };
    // The histogram holds the times between two ticks of its own timer.
    const seconds = (nanos: number): number => Math.max(0, nanos / 1e9 - delayResolutionMillis / 1000);
    return {
      mean: seconds(histogram.mean),
      p50: seconds(histogram.percentile(50)),
      p99: seconds(histogram.percentile(99)),
      max: seconds(histogram.max),
    };
  }

  resetLoopDelay(): void {
    this.#loopDelay.reset();
  }

  /** Reads again what takes files to read. */
  async refresh(): Promise<void> {
    const now = performance.now();
    if (now - this.#filesMillis < probeMillis) return;
    this.#filesMillis = now;
    const [disk, descriptors] = await Promise.allSettled([statfs(this.#dataDir), readdir('/proc/self/fd')]);
    if (disk.status === 'fulfilled') this.diskFreeBytes = disk.value.bavail * disk.value.bsize;
    if (descriptors.status === 'fulfilled') this.fdCount = descriptors.value.length;
  }

  /** Times one commit, when there is one to wait for. */
  #timeCommit(): void {
    const { log } = this.#core;
    if (this.#isTimingCommit || !log.isPending) return;
    this.#isTimingCommit = true;
    const start = performance.now();
    log.commit(() => {
      this.#isTimingCommit = false;
      this.commitSeconds = (performance.now() - start) / 1000;
    }, null);
  }

  #read(into: Float64Array, at: number): void {
    void this.refresh();
    this.#timeCommit();
    into[at] = this.memory.rss;
    into[at + 1] = this.fdCount;
    into[at + 2] = this.socketCount;
    into[at + 3] = this.processCount;
    into[at + 4] = Number.isFinite(this.diskFreeBytes) ? this.diskFreeBytes : 0;
    into[at + 5] = this.contextSwitches;
  }
}

/** How many files and sockets the process may have open; 0 where that cannot be known. */
function readFdLimit(): number {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return match === null ? 0 : Number(match[1]);
  } catch {
    return 0;
  }
}
