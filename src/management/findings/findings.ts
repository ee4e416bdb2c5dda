import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BrokerCore } from '../../core/broker.ts';
import type { Queue } from '../../core/queues/queue.ts';
import type { Statistics } from '../../core/statistics/statistics.ts';
import type { Vhost } from '../../core/vhost.ts';
import type { Finding } from './finding.ts';
import { connectionFindings, nodeFindings, vhostFindings } from './node-findings.ts';
import { parameterFindings } from './parameter-findings.ts';
import { queueFindings } from './queue-findings.ts';

const sliceMillis = 4;
/** How long an answer holds: pages of many users ask for the same. */
const freshMillis = 4000;
/** Findings that are kept of one look. */
const foundMax = 2000;
const order = { bad: 0, warn: 1, info: 2 } as const;

/** Looks through the broker for what its operators should know. It reads, in slices, and changes nothing. */
export class Findings {
  readonly #core: BrokerCore;
  readonly #statistics: Statistics;
  #found: Promise<readonly Finding[]> | null = null;
  #foundMillis = 0;

  constructor(core: BrokerCore, statistics: Statistics) {
    this.#core = core;
    this.#statistics = statistics;
  }

  /** Everything that is to be said, the worst first; at most a few seconds old. */
  async all(): Promise<readonly Finding[]> {
    if (this.#found === null || performance.now() - this.#foundMillis > freshMillis) {
      this.#foundMillis = performance.now();
      this.#found = this.#look();
    }
    return await this.#found;
  }

  /** What is to be said of one queue, now. */
  ofQueue(vhost: Vhost, queue: Queue): readonly Finding[] {
    return sorted([...queueFindings(vhost, queue, this.#statistics.of(queue), this.#statistics.sampleMillis)]);
  }

  async #look(): Promise<readonly Finding[]> {
    const core = this.#core;
    const found: Finding[] = [...nodeFindings(core), ...parameterFindings(core)];
    let startMillis = performance.now();
    const add = async (findings: Iterable<Finding>): Promise<void> => {
      for (const finding of findings) if (found.length < foundMax) found.push(finding);
      if (performance.now() - startMillis < sliceMillis) return;
      await nextTurn();
      startMillis = performance.now();
      core.turn.begin();
    };
    for (const vhost of [...core.vhosts.values()]) {
      await add(vhostFindings(vhost, this.#statistics));
      for (const queue of vhost.queues.values()) {
        await add(queueFindings(vhost, queue, this.#statistics.of(queue), this.#statistics.sampleMillis));
      }
    }
    for (const connection of [...core.connections]) await add(connectionFindings(connection, core.clock.nowMillis));
    return sorted(found);
  }
}

function sorted(findings: Finding[]): readonly Finding[] {
  return findings.sort((a, b) => order[a.severity] - order[b.severity] || b.weight - a.weight);
}
