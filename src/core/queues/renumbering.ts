import type { QueueRetries } from '../retries/queue-retries.ts';
import { Entry, metaLogged, priorityOf } from './entry.ts';
import type { EntryRecord } from './entry-record.ts';
import type { ReadyLists } from './ready-lists.ts';

/**
 * Says in the log that the messages of a list have other numbers, `first` and up, each its own in the whole queue: in other levels they may
 * meet others of the same. The list keeps the old ones.
 */
export function recordRenumbering(lists: ReadyLists, first: number, record: EntryRecord | null, retries: QueueRetries | null): void {
  let sequence = first;
  lists.forEach(new Entry(), entry => {
    const from = entry.sequence;
    entry.sequence = sequence++;
    record?.moved(from, entry);
    // How often it was tried goes with it.
    retries?.moved(priorityOf(entry.meta), from, entry.sequence);
    if ((entry.meta & metaLogged) !== 0) retries?.record(priorityOf(entry.meta), entry.sequence);
    return true;
  });
}

/**
 * Moves the messages of a list to another one, whose levels are others; with new numbers from `first` on, or with 0 with those they have.
 * `keep` is called for each before it is there. No number that one has, or has had, is given again.
 */
export function moveAll(from: ReadyLists, to: ReadyLists, first: number, keep: (entry: Entry) => void): void {
  const entry = new Entry();
  const next = from.nextSequence;
  let sequence = first;
  while (!from.isEmpty) {
    from.shift(entry);
    if (first !== 0) entry.sequence = sequence++;
    keep(entry);
    to.restore(priorityOf(entry.meta), entry.sequence, entry.ref, entry.meta, entry.bytes, entry.expiryMillis);
  }
  to.startAt(Math.max(sequence, next));
}
