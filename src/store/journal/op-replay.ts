import type { BrokerCore } from '../../core/broker.ts';
import type { MetadataChange } from '../../core/ports/metadata-journal.ts';
import { lastingPart } from '../../core/queues/entry.ts';
import type { Restorable } from '../../core/queues/queue.ts';
import { MetadataReplay } from '../../core/topology-replay.ts';
import type { Journal } from './journal.ts';
import type { OpVisitor } from './ops.ts';
import { JournalError } from './recovery-report.ts';
import { RestoringGroups } from './restoring-group.ts';
import { RestoringList } from './restoring-list.ts';

/** What the operations of the log leave when they are done one after the other: definitions, and the messages that were not settled. */
export class OpReplay implements OpVisitor {
  readonly #journal: Journal;
  readonly metadata: MetadataReplay;
  /** Messages by queue number and level. */
  readonly lists = new Map<number, Map<number, RestoringList>>();
  /** What they have, as far as there is room in memory. */
  readonly #groups: RestoringGroups;
  /** Definitions up to this frame are in the snapshot. */
  snapshotSequence = 0;
  /** Operations for queues that do not exist any more, and settlements of messages that are not there. */
  orphans = 0;
  hasMetadata = false;
  isLastOpClean = false;
  /** Sequence and slab of the frame whose operations are read. */
  #frameSequence = 0;
  #frameSlab = 0;

  constructor(core: BrokerCore, journal: Journal) {
    this.#journal = journal;
    this.metadata = new MetadataReplay(core);
    this.#groups = new RestoringGroups(journal.indexPages, core.settings.queueIndexBytesMax);
  }

  /** The operations that follow are those of a frame. */
  frame(sequence: number, slab: number): void {
    this.#frameSequence = sequence;
    this.#frameSlab = slab;
    this.isLastOpClean = false;
  }

  onEnqueue(
    queueId: number,
    priority: number,
    sequence: number,
    logSequence: number,
    unit: number,
    bodyBytes: number,
    expiryMillis: number,
  ): void {
    const queue = this.metadata.queues.get(queueId);
    // A body before the first segment was given up because every message there was settled; the settlement itself may be gone.
    if (queue === undefined || this.#journal.segments.numberOf(logSequence) < this.#journal.segments.first) {
      this.orphans++;
      return;
    }
    // A message that was moved comes again, under its old place in the queue.
    this.#list(queue, priority).put(sequence, logSequence, unit, priority, bodyBytes, expiryMillis);
  }

  onSettle(queueId: number, priority: number, sequence: number, count: number): void {
    const queue = this.metadata.queues.get(queueId);
    if (queue === undefined) {
      this.orphans += count;
      return;
    }
    const list = this.#list(queue, priority);
    for (let i = 0; i < count; i++) if (!list.remove(sequence + i)) this.orphans++;
  }

  onMetadata(json: string): void {
    this.hasMetadata = true;
    this.#journal.metadataSequence = this.#frameSequence;
    this.#journal.segments.hasMetadata(this.#frameSlab, this.#frameSequence);
    if (this.#frameSequence <= this.snapshotSequence) return;
    const change = JSON.parse(json) as MetadataChange;
    this.apply(change);
    const { id } = change as unknown as { readonly id: number };
    if (change.kind === 'queue.delete' || change.kind === 'queue.replace') this.lists.delete(id);
    if (change.kind === 'queue.reshape') this.#relevel(id);
  }

  /** A queue has other levels: its messages keep their numbers, each of which is then its own in the whole queue. */
  #relevel(queueId: number): void {
    const queue = this.metadata.queues.get(queueId);
    const levels = this.lists.get(queueId);
    if (queue === undefined || levels === undefined) return;
    this.lists.delete(queueId);
    for (const level of levels.values()) {
      level.drain(({ sequence, logSequence, unit, priority, bodyBytes, expiryMillis, meta, retryCount, dueMillis, taken }) => {
        const list = this.#list(queue, priority);
        list.put(sequence, logSequence, unit, priority, bodyBytes, expiryMillis);
        if (meta !== 0) list.flag(sequence, meta);
        if (retryCount !== 0) list.wait(sequence, dueMillis, retryCount);
        for (const targetId of taken) list.take(sequence, targetId);
      });
    }
  }

  onFlags(queueId: number, priority: number, sequence: number, meta: number): void {
    const queue = this.metadata.queues.get(queueId);
    if (queue !== undefined) this.#list(queue, priority).flag(sequence, meta);
  }

  onWait(queueId: number, priority: number, sequence: number, dueMillis: number, retryCount: number): void {
    const queue = this.metadata.queues.get(queueId);
    if (queue !== undefined) this.#list(queue, priority).wait(sequence, dueMillis, retryCount);
  }

  onMove(
    queueId: number,
    priority: number,
    from: number,
    sequence: number,
    logSequence: number,
    unit: number,
    bodyBytes: number,
    expiryMillis: number,
    meta: number,
  ): void {
    this.onEnqueue(queueId, priority, sequence, logSequence, unit, bodyBytes, expiryMillis);
    if (lastingPart(meta) !== 0) this.onFlags(queueId, priority, sequence, meta);
    this.onSettle(queueId, priority, from, 1);
  }

  onTaken(queueId: number, priority: number, sequence: number, targetId: number): void {
    const queue = this.metadata.queues.get(queueId);
    if (queue !== undefined) this.#list(queue, priority).take(sequence, targetId);
  }

  onClean(): void {
    this.isLastOpClean = true;
  }

  onBegin(): void {}

  /** @throws JournalError for a change that this version cannot apply: what hangs on it would be lost with the next cleaning */
  apply(change: MetadataChange): void {
    try {
      this.metadata.apply(change);
    } catch (error) {
      throw new JournalError(`a recorded change (${change.kind}) cannot be applied: ${(error as Error).message}`, { cause: error });
    }
  }

  #list(queue: Restorable, priority: number): RestoringList {
    let levels = this.lists.get(queue.id);
    if (levels === undefined) {
      levels = new Map();
      this.lists.set(queue.id, levels);
    }
    const level = queue.levelOf(priority);
    let list = levels.get(level);
    if (list === undefined) {
      list = new RestoringList(this.#groups);
      levels.set(level, list);
    }
    return list;
  }
}
