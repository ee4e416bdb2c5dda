import type { MessageStore } from '../../src/core/messages/message-store.ts';
import type { Backlog, CommitLog, PagedMessages } from '../../src/core/ports/commit-log.ts';
import type { IndexPages } from '../../src/core/ports/index-pages.ts';
import type { MetadataChange, MetadataJournal } from '../../src/core/ports/metadata-journal.ts';
import type { QueueLog } from '../../src/core/ports/queue-log.ts';
import { recordName } from './message-body.ts';

type Durability = CommitLog & QueueLog & MetadataJournal & PagedMessages;

type ShadowOp =
  | { readonly kind: 'enqueue'; readonly key: string; readonly value: string }
  | { readonly kind: 'settle'; readonly key: string }
  | { readonly kind: 'wait'; readonly key: string; readonly wait: string }
  | { readonly kind: 'change'; readonly change: MetadataChange };

/** Entries of all that has some in the log: place -> message and expiry, and behind a bar how it waits to be tried again. */
export type ShadowEntries = Map<string, string>;

export function entryKey(queueId: number, sequence: number): string {
  return `${queueId}/${sequence}`;
}

/** `name` as `recordName` has it; `expiryMillis` is a Unix time, 0: never. */
export function entryValue(name: string, bodyBytes: number, expiryMillis: number): string {
  return `${name} of ${bodyBytes} bytes${expiryMillis === 0 ? '' : `, until ${expiryMillis}`}`;
}

/** Which try of a message is next, and until when it waits, a Unix time; 0: it waits no longer. */
export function waitValue(retryCount: number, dueMillis: number): string {
  return `|try ${retryCount} at ${dueMillis}`;
}

/**
 * Stands between the broker and its journal and remembers what was recorded, in order, and up to where the journal has said that it is
 * durable. What is recovered after a crash must be what some beginning of that says, and one that reaches at least that far.
 */
export class ShadowLog implements Durability {
  readonly #journal: Durability;
  #entries: ShadowEntries = new Map();
  readonly #nameOf: (ref: number) => string;
  #ops: ShadowOp[] = [];
  #horizon = 0;
  /** While the journal is read nothing counts as recorded. */
  isRecording = false;

  constructor(journal: Durability, nameOf: (ref: number) => string) {
    this.#journal = journal;
    this.#nameOf = nameOf;
  }

  /** What was recovered is what there is to begin with. */
  startWith(entries: ShadowEntries): void {
    this.#entries = new Map(entries);
  }

  get isPending(): boolean {
    return this.#journal.isPending;
  }

  get isMetadataPending(): boolean {
    return this.#journal.isMetadataPending;
  }

  get pages(): Backlog {
    return this.#journal.pages;
  }

  get bodies(): Backlog {
    return this.#journal.bodies;
  }

  get indexPages(): IndexPages {
    return this.#journal.indexPages;
  }

  compactPages(slackBytes: number): void {
    this.#journal.compactPages(slackBytes);
  }

  get isBehind(): boolean {
    return this.#journal.isBehind;
  }

  onCaughtUp(callback: () => void): void {
    this.#journal.onCaughtUp(callback);
  }

  commit(then: ((argument: unknown) => void) | null, argument: unknown): void {
    if (then === null) {
      this.#journal.commit(null, argument);
      return;
    }
    const count = this.#ops.length;
    this.#journal.commit(given => {
      this.#horizon = Math.max(this.#horizon, count);
      then(given);
    }, argument);
  }

  moved(
    queueId: number,
    priority: number,
    from: number,
    sequence: number,
    ref: number,
    bodyBytes: number,
    expiryMillis: number,
    meta: number,
  ): void {
    const value = entryValue(this.#nameOf(ref), bodyBytes, expiryMillis);
    this.#ops.push({ kind: 'enqueue', key: entryKey(queueId, sequence), value });
    this.#ops.push({ kind: 'settle', key: entryKey(queueId, from) });
    this.#journal.moved(queueId, priority, from, sequence, ref, bodyBytes, expiryMillis, meta);
  }

  taken(queueId: number, priority: number, sequence: number, targetId: number): void {
    this.#journal.taken(queueId, priority, sequence, targetId);
  }

  waits(queueId: number, priority: number, sequence: number, dueMillis: number, retryCount: number): void {
    this.#ops.push({ kind: 'wait', key: entryKey(queueId, sequence), wait: waitValue(retryCount, dueMillis) });
    this.#journal.waits(queueId, priority, sequence, dueMillis, retryCount);
  }

  enqueued(queueId: number, priority: number, sequence: number, ref: number, bodyBytes: number, expiryMillis: number): void {
    const value = entryValue(this.#nameOf(ref), bodyBytes, expiryMillis);
    this.#ops.push({ kind: 'enqueue', key: entryKey(queueId, sequence), value });
    this.#journal.enqueued(queueId, priority, sequence, ref, bodyBytes, expiryMillis);
  }

  /** Entries are what counts here. */
  returned(queueId: number, priority: number, sequence: number, meta: number): void {
    this.#journal.returned(queueId, priority, sequence, meta);
  }

  settled(queueId: number, priority: number, sequence: number): void {
    this.#ops.push({ kind: 'settle', key: entryKey(queueId, sequence) });
    this.#journal.settled(queueId, priority, sequence);
  }

  settledRun(queueId: number, priority: number, first: number, count: number): void {
    for (let i = 0; i < count; i++) this.#ops.push({ kind: 'settle', key: entryKey(queueId, first + i) });
    this.#journal.settledRun(queueId, priority, first, count);
  }

  record(change: MetadataChange): void {
    if (this.isRecording) this.#ops.push({ kind: 'change', change: structuredClone(change) });
    this.#journal.record(change);
  }

  /** Everything recorded is durable: after a clean stop. */
  allDurable(): void {
    this.#horizon = this.#ops.length;
  }

  /**
   * The changes of metadata in each beginning of what was recorded that gives these entries.
   * @throws Error telling the differences when there is none
   */
  beginningsThatGive(found: ShadowEntries): MetadataChange[][] {
    const entries = new Map(this.#entries);
    const changes: MetadataChange[] = [];
    let wrong = 0;
    const isWrong = (key: string): number => (entries.get(key) === found.get(key) ? 0 : 1);
    const set = (key: string, value: string | undefined): void => {
      wrong -= isWrong(key);
      if (value === undefined) entries.delete(key);
      else entries.set(key, value);
      wrong += isWrong(key);
    };
    for (const key of new Set([...entries.keys(), ...found.keys()])) wrong += isWrong(key);
    const results: MetadataChange[][] = [];
    const reports: string[] = [];
    for (let count = 0; ; count++) {
      if (count >= this.#horizon) {
        if (wrong === 0) results.push([...changes]);
        else if (count === this.#horizon || count === this.#ops.length)
          reports.push(`after ${count} of ${this.#ops.length} operations (${this.#horizon} durable):\n${differences(entries, found)}`);
      }
      const op = this.#ops[count];
      if (op === undefined) break;
      // A message that comes again, at another place of the log, waits as before.
      if (op.kind === 'enqueue') set(op.key, op.value + waitIn(entries.get(op.key)));
      else if (op.kind === 'wait') {
        const value = entries.get(op.key);
        if (value !== undefined) set(op.key, value.slice(0, value.length - waitIn(value).length) + op.wait);
      } else if (op.kind === 'settle') set(op.key, undefined);
      else {
        changes.push(op.change);
        if (op.change.kind !== 'queue.delete') continue;
        const prefix = `${(op.change as unknown as { readonly id: number }).id}/`;
        for (const key of [...entries.keys()]) if (key.startsWith(prefix)) set(key, undefined);
      }
    }
    if (results.length === 0) throw new Error(`what was recovered is not what was recorded:\n${reports.join('\n')}`);
    return results;
  }
}

function waitIn(value: string | undefined): string {
  const bar = value === undefined ? -1 : value.lastIndexOf('|try ');
  return bar < 0 ? '' : (value as string).slice(bar);
}

function differences(expected: ShadowEntries, found: ShadowEntries): string {
  const lines: string[] = [];
  for (const [key, value] of expected) {
    const other = found.get(key);
    if (other !== value) lines.push(`  ${key}: ${value} ${other === undefined ? 'is missing' : `is ${other}`}`);
  }
  for (const [key, value] of found) if (!expected.has(key)) lines.push(`  ${key}: ${value} is there and should not be`);
  return lines.length > 12 ? [...lines.slice(0, 12), `  ... ${lines.length - 12} more`].join('\n') : lines.join('\n');
}

/** What a record is that is in memory. */
export function residentName(store: MessageStore, ref: number): string {
  store.locate(ref);
  const { loose } = store;
  if (loose === null) return recordName(store.bytes.subarray(store.bodyStart, store.bodyStart + store.bodyBytes));
  return recordName(loose.body === null ? Buffer.alloc(0) : (loose.body.pieces[0] as Buffer));
}
