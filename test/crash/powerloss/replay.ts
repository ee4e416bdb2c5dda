import { metaRedelivered } from '../../../src/core/queues/entry.ts';
import { SimFiles } from '../../support/sim-files.ts';
import { dataLosses, Inode, nameLosses, Platter, type PowerLoss, type Write } from '../../support/sim-platter.ts';
import { Random } from '../../support/random.ts';
import { expectations, Ledger } from '../campaign/ledger.ts';
import { nameOf, queueNumbers, queues } from '../campaign/topology.ts';
import { queueNameOf } from '../campaign/mqtt-state.ts';
import { Recovered, type RecoveredOptions } from '../recovered.ts';
import type { Knowledge, TraceEvent } from './trace.ts';

/** Of crash states, how many are followed by a crash while they are recovered from, and by a kill instead of a loss of power. */
const doubleShare = 0.1;
const killShare = 0.1;
/** What comes out of the files is all flagged. */
const inOrder = { ...expectations.inOrder, mayBeFlagged: true };

export interface ReplayResult {
  states: number;
  doubles: number;
  readonly violations: string[];
}

/** Goes through a trace and crashes at many moments, each in a way that its seed decides; looks at what is recovered. */
export class Replay {
  readonly #events: readonly TraceEvent[];
  readonly #options: RecoveredOptions;
  readonly #seed: number;
  readonly #platter = new Platter();
  readonly #files = new Map<number, Inode>();
  readonly #writes = new Map<number, Write>();
  /** How far a sync that was begun goes. */
  readonly #syncs = new Map<number, { readonly until: number; readonly size: number }>();
  readonly #knowledge: Knowledge = { ledger: new Ledger(), metadata: new Map(), seen: new Map() };
  readonly result: ReplayResult = { states: 0, doubles: 0, violations: [] };

  constructor(events: readonly TraceEvent[], seed: number, options: RecoveredOptions) {
    this.#events = events;
    this.#seed = seed;
    this.#options = options;
  }

  /** Crashes about `states` times. */
  run(states: number): ReplayResult {
    const disk = this.#events.filter(({ kind }) => kind !== 'learn').length;
    let due = 0.5;
    for (const [index, event] of this.#events.entries()) {
      this.#apply(event);
      if (event.kind === 'learn') continue;
      for (due += states / disk; due >= 1; due--) this.#crash(index);
      if (this.result.violations.length > 0) break;
    }
    return this.result;
  }

  #apply(event: TraceEvent): void {
    const platter = this.#platter;
    switch (event.kind) {
      case 'make': {
        const inode = new Inode();
        this.#files.set(event.file, inode);
        platter.change({ kind: 'link', name: event.name, inode });
        return;
      }
      case 'size': {
        const { cache } = this.#inode(event.file);
        cache.size = Math.max(cache.size, event.bytes);
        return;
      }
      case 'write':
        this.#writes.set(event.operation, event);
        this.#inode(event.file).flying.add(event);
        return;
      case 'written': {
        const inode = this.#inode(event.file);
        const write = this.#writes.get(event.operation) as Write;
        this.#writes.delete(event.operation);
        inode.flying.delete(write);
        inode.apply(write.position, write.bytes);
        return;
      }
      case 'sync': {
        const { dirtyFrom, dirty, cache } = this.#inode(event.file);
        this.#syncs.set(event.operation, { until: dirtyFrom + dirty.length, size: cache.size });
        return;
      }
      case 'synced': {
        const { until, size } = this.#syncs.get(event.operation) as { until: number; size: number };
        this.#inode(event.file).clean(until, size);
        return;
      }
      case 'rename':
        platter.change({ kind: 'rename', from: event.from, to: event.to, inode: platter.names.get(event.from) as Inode });
        return;
      case 'remove':
        platter.change({ kind: 'unlink', name: event.name });
        return;
      case 'syncDirectory':
        this.#syncs.set(event.operation, { until: platter.lastChange, size: 0 });
        return;
      case 'syncedDirectory':
        platter.syncNames((this.#syncs.get(event.operation) as { until: number }).until, event.folder);
        return;
      case 'learn':
        event.apply(this.#knowledge);
    }
  }

  #inode(file: number): Inode {
    return this.#files.get(file) as Inode;
  }

  #crash(index: number): void {
    const state = this.result.states++;
    const random = new Random(this.#seed * 1_000_003 + state);
    const isKill = random.chance(killShare);
    const loss: PowerLoss = { data: random.pick(dataLosses), names: random.pick(nameLosses) };
    const what = isKill ? 'kill' : `power cut (data ${loss.data}, names ${loss.names})`;
    const after = isKill ? this.#killed(random) : this.#platter.afterLoss(random, loss);
    let where = `state ${state}, behind event ${index} of ${this.#events.length}, ${what}`;
    try {
      let files = new SimFiles(random, after);
      if (random.chance(doubleShare)) {
        this.result.doubles++;
        files.freezeAt = random.below(12);
        const first = new Recovered(files, this.#options);
        first.begin();
        const again: PowerLoss = { data: random.pick(dataLosses), names: random.pick(nameLosses) };
        where += `, recovery cut (data ${again.data}, names ${again.names})`;
        files = files.cutPower(again);
      }
      this.#look(new Recovered(files, this.#options));
    } catch (error) {
      this.result.violations.push(`${where}: ${(error as Error).stack}`);
      return;
    }
    const { violations } = this.#knowledge.ledger;
    if (violations.length > 0) this.result.violations.push(`${where}: ${violations.slice(0, 3).join('; ')} (${violations.length} in all)`);
  }

  /** The page cache survives; writes under way are done, or not, or in part. */
  #killed(random: Random): Platter {
    const platter = this.#platter.fork();
    platter.endWrites(random);
    return platter;
  }

  /** Compares what was recovered with what clients knew. */
  #look(recovered: Recovered): void {
    const { ledger, metadata, seen } = this.#knowledge;
    const { report, streamsReport, queues: found } = recovered;
    const damaged = [...report.damaged, ...streamsReport.damaged];
    if (damaged.length > 0) throw new Error(`damage is reported where there is none: ${damaged.join('; ')}`);
    ledger.beginAudit(0);
    for (const [number, queue] of queues.entries()) {
      found.get(queueNameOf(number))?.forEachReady(entry => {
        const body = recovered.bodyOf(entry) ?? Buffer.alloc(0);
        const isFlagged = (entry.meta & metaRedelivered) !== 0;
        if (!isFlagged && !report.wasClean) ledger.violation('unflagged', `a message of ${queue.name} is not flagged`);
        ledger.delivered(number, body, true, queue.deadLettersOf.length === 0 ? inOrder : expectations.returning);
        return true;
      });
    }
    const copies = recovered
      .streamBodies(nameOf(queueNumbers.stream))
      .map(body => ledger.delivered(queueNumbers.stream, body, false, expectations.streamInOrder));
    const told = recovered.logs.find(text => text.includes('damaged'));
    if (told !== undefined) throw new Error(`damage is found where there is none: ${told}`);
    for (const [offset, copy] of seen) {
      if (copies[offset] !== copy)
        ledger.violation('offsets', `offset ${offset} of the stream had message ${copy} and has ${copies[offset]}`);
    }
    ledger.endAudit(0, () => true);
    for (const [name, state] of metadata) {
      if (state !== 'unknown' && found.has(name) !== (state === 'there')) ledger.violation('metadata', `queue ${name} should be ${state}`);
    }
  }
}
