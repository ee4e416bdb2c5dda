import type { BrokerCore } from '../../core/broker.ts';
import { ownFileBytesMin } from '../../core/messages/loose-message.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import { type Slab, slabBytes, unitBytes } from '../../core/messages/slab.ts';
import { lastingPart, metaHasTtl, metaLogged, metaPersistent, metaRedelivered } from '../../core/queues/entry.ts';
import type { BodyRestorable, Restorable } from '../../core/queues/queue.ts';
import type { Journal } from './journal.ts';
import type { OpReplay } from './op-replay.ts';
import { readBody, readLoose } from './record-reader.ts';
import type { RestoredEntry } from './restoring-list.ts';
import type { SlabReader } from './slab-reader.ts';

/** Gives queues, and whatever else holds messages, what the log has for them. */
export class QueueRestorer {
  readonly #core: BrokerCore;
  readonly #journal: Journal;
  readonly #reader: SlabReader;
  readonly #replay: OpReplay;
  /** Messages that were put back. */
  entries = 0;
  /** Loose messages that are alive, with the slab of their record. */
  readonly looseIds = new Map<number, number>();
  /** Files of large messages that nobody needs. */
  unusedLooseIds: readonly number[] = [];

  constructor(core: BrokerCore, journal: Journal, reader: SlabReader, replay: OpReplay) {
    this.#core = core;
    this.#journal = journal;
    this.#reader = reader;
    this.#replay = replay;
  }

  /**
   * Puts what is left into the queues, flags what may have been delivered before, and finds the bodies of large messages.
   * `areNumbersShared` is what `Restorable.restored` is told.
   */
  run(areNumbersShared: boolean): void {
    const { store, clock } = this.#core;
    const { lists, metadata, isLastOpClean } = this.#replay;
    const slabs = new Map<number, Slab>();
    const known = new Map<Slab, Uint32Array>();
    const suspects = new Map<MessageRef, { readonly logSequence: number; readonly bytes: number }>();
    for (const [queueId, levels] of lists) {
      const queue = metadata.queues.get(queueId);
      for (const list of levels.values()) {
        if (queue === undefined || queue.isDeleted) {
          this.#replay.orphans += list.count;
          continue;
        }
        list.drain((entry: RestoredEntry) => {
          const slab = this.#slabOf(entry.logSequence, slabs);
          const ref = (slab.id << 16) | entry.unit;
          store.adopt(ref, entry.bodyBytes, isFirst(known, slab, entry.unit));
          if (entry.bodyBytes > ownFileBytesMin) suspects.set(ref, { logSequence: entry.logSequence, bytes: entry.bodyBytes });
          let meta = metaLogged | metaPersistent | (entry.expiryMillis === 0 ? 0 : metaHasTtl);
          // After anything but a clean stop nobody knows what was delivered, only how often it came back at least and what died.
          meta |= isLastOpClean ? entry.meta & ~0xff00 : metaRedelivered | lastingPart(entry.meta);
          // It may have come back for another try while the clean stop was under way, behind the notes of what was delivered.
          if (entry.retryCount > 0) meta |= metaRedelivered;
          const expiry = entry.expiryMillis === 0 ? 0 : Math.max(1, clock.nowMillis + (entry.expiryMillis - clock.wallMillis));
          queue.restore(entry.priority, entry.sequence, ref, meta >>> 0, entry.bodyBytes, expiry);
          if (entry.retryCount > 0) {
            const due = entry.dueMillis === 0 ? 0 : Math.max(1, clock.nowMillis + (entry.dueMillis - clock.wallMillis));
            queue.restoreRetry(entry.priority, entry.sequence, entry.retryCount, due);
          }
          if (entry.taken.length > 0) queue.restoreTaken(entry.priority, entry.sequence, entry.taken);
          if (isBodyRestorable(queue))
            queue.restoreBody(entry.sequence, readBody(this.#reader, entry.logSequence, entry.unit * unitBytes, entry.bodyBytes));
          if (queue.holdsMessages) this.entries++;
        });
      }
      queue?.restored(areNumbersShared);
    }
    for (const [ref, { logSequence, bytes }] of suspects) {
      const message = readLoose(this.#reader, logSequence, (ref & 0xffff) * unitBytes, bytes);
      if (message === null) continue;
      this.looseIds.set(message.id, logSequence);
      store.addLoose(ref, message);
    }
    const ids = this.#journal.loose.ids();
    this.unusedLooseIds = ids.filter(id => !this.looseIds.has(id));
    for (const id of [...ids, ...this.looseIds.keys()]) store.lastLooseId = Math.max(store.lastLooseId, id);
  }

  #slabOf(logSequence: number, slabs: Map<number, Slab>): Slab {
    let slab = slabs.get(logSequence);
    if (slab === undefined) {
      slab = this.#core.store.addLogSlab(logSequence);
      slabs.set(logSequence, slab);
      this.#journal.segments.slabOpened(logSequence);
      this.#journal.pager.add(slab);
    }
    return slab;
  }
}

function isBodyRestorable(holder: Restorable): holder is BodyRestorable {
  return 'restoreBody' in holder;
}

/** Counts an entry of a message; whether it is the first. */
function isFirst(known: Map<Slab, Uint32Array>, slab: Slab, unit: number): boolean {
  let bits = known.get(slab);
  if (bits === undefined) {
    bits = new Uint32Array(slabBytes / unitBytes / 64);
    known.set(slab, bits);
  }
  const index = unit >> 1;
  const mask = 1 << (index & 31);
  const isNew = ((bits[index >> 5] as number) & mask) === 0;
  bits[index >> 5] = (bits[index >> 5] as number) | mask;
  return isNew;
}
