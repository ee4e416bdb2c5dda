import { Publication } from '../messages/publication.ts';
import { fillFromStore } from '../messages/stored-publication.ts';
import type { QueueLog } from '../ports/queue-log.ts';
import { type Entry, lastingPart, metaLogged, priorityOf } from './entry.ts';
import type { QueueContext } from './queue-context.ts';

/** What a queue says in the log of messages that are there already. Not for the hot path. */
export class EntryRecord {
  readonly #queueId: number;
  readonly #log: QueueLog;
  readonly #context: QueueContext;

  constructor(queueId: number, log: QueueLog, context: QueueContext) {
    this.#queueId = queueId;
    this.#log = log;
    this.#context = context;
  }

  /** The message has come back, or died and is kept: `meta` says so. Nothing for one that is not in the log. */
  noted(entry: Entry): void {
    if ((entry.meta & metaLogged) !== 0) this.#log.returned(this.#queueId, priorityOf(entry.meta), entry.sequence, entry.meta);
  }

  /** Another queue has taken the message, which is dead and kept. */
  taken(entry: Readonly<Entry>, targetId: number): void {
    if ((entry.meta & metaLogged) !== 0) this.#log.taken(this.#queueId, priorityOf(entry.meta), entry.sequence, targetId);
  }

  /** The message, which was at another place, is at that of `entry`. */
  moved(from: number, entry: Entry): void {
    const { ref, meta, bytes, sequence } = entry;
    if ((meta & metaLogged) !== 0)
      this.#log.moved(this.#queueId, priorityOf(meta), from, sequence, ref, bytes, this.#expiryOf(entry), meta);
  }

  /** Puts a message into the log that was not to outlive the broker. One that is damaged stays as it is: its queue finds out. */
  keep(entry: Entry): void {
    if ((entry.meta & metaLogged) !== 0) return;
    const { store, clock } = this.#context;
    if (!store.isInLog(entry.ref)) {
      if (!store.isResident(entry.ref)) store.fetchNow(entry.ref);
      if (!store.isIntact(entry.ref)) return;
      const p = new Publication();
      fillFromStore(store, entry.ref, p);
      const ref = store.append(p, 1, clock.nowMillis, true);
      store.release(entry.ref, entry.bytes);
      entry.ref = ref;
    }
    entry.meta |= metaLogged;
    this.#enqueued(entry);
    if (lastingPart(entry.meta) !== 0) this.noted(entry);
  }

  #enqueued(entry: Entry): void {
    const { ref, meta, bytes, sequence } = entry;
    this.#log.enqueued(this.#queueId, priorityOf(meta), sequence, ref, bytes, this.#expiryOf(entry));
  }

  /** Unix time; 0: never. */
  #expiryOf({ expiryMillis }: Entry): number {
    const { clock } = this.#context;
    return expiryMillis === 0 ? 0 : clock.wallMillis + (expiryMillis - clock.nowMillis);
  }
}
