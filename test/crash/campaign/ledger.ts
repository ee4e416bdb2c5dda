import { readBody } from './body.ts';
import { type Kind, kinds, nameOf, queues, type Route } from './topology.ts';

const confirmed = 1;
/** A consumer had it, in this life of the broker or an earlier one. */
const delivered = 2;
/** An acknowledgement was sent, or its queue was purged or deleted: it may be gone. */
const mayBeGone = 4;
/** It went, and something that was recorded later was confirmed. */
const isGone = 8;
/** It must never be delivered: rolled back, or its commit was never sent. */
const refused = 16;
/** Found in the audit that is under way. */
const found = 32;
/** Its broker was killed since it was published: it comes flagged though no consumer had it. */
const wasRestarted = 64;
/** In the column of queues: the message's first copy. */
const firstOfMessage = 0x80;

/** What a check found, by the numbers of the promises. */
export const checkNames = [
  'lost',
  'unexpected',
  'wrongBody',
  'unflagged',
  'twice',
  'order',
  'offsets',
  'early',
  'resurrected',
  'confirms',
  'metadata',
  'counts',
] as const;
export type Check = (typeof checkNames)[number];

/** What is known of the deliveries of one consumer. */
export interface Expectation {
  /** Nothing was requeued in the queue since the last restart, and nobody else takes from it. */
  readonly isOrdered: boolean;
  /** Whether what comes again says so: not in streams, where everything may be read again. */
  readonly hasFlags: boolean;
  /** A flag may stand on what no consumer saw. */
  readonly mayBeFlagged: boolean;
  /** Nothing comes again. */
  readonly isOnce: boolean;
  /** Of what left the exchange that held it, a kill may undo that it left: then it leaves again, as a new message without a flag. */
  readonly mayLeaveAgain: boolean;
}

const plain: Expectation = { isOrdered: false, hasFlags: true, mayBeFlagged: false, isOnce: false, mayLeaveAgain: false };

export const expectations = {
  inOrder: { ...plain, isOrdered: true },
  /** A queue of dead letters, or one to which messages come back. */
  disordered: plain,
  held: { ...plain, mayLeaveAgain: true, mayBeFlagged: true },
  returning: { ...plain, mayBeFlagged: true },
  stream: { ...plain, hasFlags: false },
  streamInOrder: { ...plain, hasFlags: false, isOrdered: true },
  once: { ...plain, hasFlags: false, isOrdered: true, isOnce: true },
} as const satisfies Record<string, Expectation>;

/**
 * What a broker has promised, and what must follow, for millions of messages: a byte for each copy of a message in a queue. Copies are
 * numbered as they are published, and a message's copies one after the other; its body names the first. [reliability: section 3]
 */
export class Ledger {
  #flags = new Uint8Array(1 << 16);
  #queue = new Uint8Array(1 << 16);
  #publisher = new Uint8Array(1 << 16);
  /** Copies so far. */
  count = 0;
  confirmedMessages = 0;
  readonly confirmedByKind = Object.fromEntries(kinds.map(kind => [kind, 0])) as Record<Kind, number>;
  deliveries = 0;
  readonly violations: string[] = [];
  readonly violationCounts = Object.fromEntries(checkNames.map(check => [check, 0])) as Record<Check, number>;
  /** The last copy that came in order, by queue and publisher. */
  readonly #last = new Map<number, number>();
  /** Copies before this one are audited, but those of queues that are kept. */
  floor = 0;

  /** A message is about to be sent. Returns its first copy. */
  published(route: Route, publisher: number): number {
    const first = this.count;
    this.count += route.queues.length;
    if (this.count > this.#flags.length) this.#grow();
    for (let i = 0; i < route.queues.length; i++) {
      this.#queue[first + i] = (route.queues[i] as number) | (i === 0 ? firstOfMessage : 0);
      this.#publisher[first + i] = publisher;
    }
    return first;
  }

  confirmed(route: Route, first: number): void {
    for (let i = 0; i < route.queues.length; i++) this.#set(first + i, confirmed);
    this.confirmedMessages++;
    this.confirmedByKind[route.kind]++;
  }

  /** Nothing of the message may ever be seen. */
  refused(route: Route, first: number): void {
    for (let i = 0; i < route.queues.length; i++) this.#set(first + i, refused);
  }

  /** An acknowledgement is about to be sent. */
  acknowledging(copy: number): void {
    this.#set(copy, mayBeGone);
  }

  /** Acknowledgements that were sent are durable. */
  acknowledged(copy: number): void {
    this.#set(copy, isGone);
  }

  /** A purge or delete of a queue is about to be sent, or under way: what is in it may go. Returns what is there for sure. */
  emptying(queue: number, from: number): number[] {
    const there: number[] = [];
    for (let copy = from; copy < this.count; copy++) {
      if (this.#queueOf(copy) !== queue) continue;
      if ((this.#get(copy) & confirmed) !== 0) there.push(copy);
      this.#set(copy, mayBeGone);
    }
    return there;
  }

  isConfirmed(copy: number): boolean {
    return (this.#get(copy) & confirmed) !== 0;
  }

  /** A broker died: what it held comes flagged from now on, and order begins anew. */
  restarted(): void {
    for (let copy = this.floor; copy < this.count; copy++) this.#set(copy, wasRestarted);
    this.#last.clear();
  }

  /** A message came to a consumer of a queue. Returns the copy; -1 when it is none. */
  delivered(queue: number, body: Buffer, redelivered: boolean, expectation: Expectation): number {
    const { isOrdered, hasFlags, mayBeFlagged, isOnce, mayLeaveAgain } = expectation;
    this.deliveries++;
    const first = readBody(body);
    if (first < 0) {
      this.violation('wrongBody', `a body of ${body.length} bytes that nobody sent, in ${nameOf(queue)}`);
      return -1;
    }
    const copy = this.#copyIn(queue, first);
    if (copy < 0) {
      this.violation('unexpected', `message ${first} came to ${nameOf(queue)}, where it was not routed`);
      return -1;
    }
    const flags = this.#get(copy);
    const name = `message ${copy} of ${nameOf(queue)}`;
    if ((flags & refused) !== 0) this.violation('unexpected', `${name} was never committed`);
    if ((flags & isGone) !== 0) this.violation('resurrected', `${name} is back though it was settled`);
    // A dead letter is a message of its own in its new queue.
    const isAnother = this.#queueOf(copy) !== queue || (mayLeaveAgain && (flags & wasRestarted) !== 0);
    if (isOnce && (flags & delivered) !== 0) this.violation('twice', `${name} comes a second time`);
    if (hasFlags && (flags & delivered) !== 0 && !redelivered && !isAnother)
      this.violation('unflagged', `${name} comes again without its flag`);
    if (hasFlags && (flags & (delivered | wasRestarted)) === 0 && redelivered && !mayBeFlagged)
      this.violation('unflagged', `${name} is flagged, and nobody had it before`);
    if (isOrdered) {
      const key = queue * 256 + (this.#publisher[copy] as number);
      const last = this.#last.get(key) ?? -1;
      if (copy <= last) this.violation(copy === last ? 'unflagged' : 'order', `${name} came behind ${last}`);
      this.#last.set(key, copy);
    }
    this.#set(copy, delivered | found);
    return copy;
  }

  /** Order begins anew in a queue: its consumer is another one. */
  reordered(queue: number): void {
    for (const key of [...this.#last.keys()]) if (key >> 8 === queue) this.#last.delete(key);
  }

  /** Begins to look what is there. */
  beginAudit(from: number): void {
    for (let copy = from; copy < this.count; copy++) this.#flags[copy] = this.#get(copy) & ~found;
    this.#last.clear();
  }

  /** How much was promised of queues and has not come since the audit began. */
  missing(from: number, isAudited: (queue: number) => boolean): number {
    let count = 0;
    for (let copy = from; copy < this.count; copy++) if (this.#isMissing(copy) && isAudited(this.#queueOf(copy))) count++;
    return count;
  }

  /** Everything that is there has come: what was promised and has not is lost. `isAudited` says whether a queue was looked at. */
  endAudit(from: number, isAudited: (queue: number) => boolean): void {
    for (let copy = from; copy < this.count; copy++) {
      const queue = this.#queueOf(copy);
      if (this.#isMissing(copy) && isAudited(queue))
        this.violation('lost', `message ${copy} of ${nameOf(queue)} was confirmed and is not there`);
    }
  }

  #isMissing(copy: number): boolean {
    const flags = this.#get(copy);
    return (flags & confirmed) !== 0 && (flags & (found | mayBeGone | isGone)) === 0;
  }

  violation(check: Check, text: string): void {
    this.violationCounts[check]++;
    if (this.violations.length < 50) this.violations.push(`${check}: ${text}`);
  }

  /** Where a message is in a queue, or was on its way to a queue of dead letters. */
  #copyIn(queue: number, first: number): number {
    const sources = queues[queue]?.deadLettersOf ?? [];
    for (let copy = first; copy < this.count && (copy === first || (this.#queue[copy] as number) < firstOfMessage); copy++) {
      const its = this.#queueOf(copy);
      if (its === queue || sources.includes(its)) return copy;
    }
    return -1;
  }

  #queueOf(copy: number): number {
    return (this.#queue[copy] as number) & ~firstOfMessage;
  }

  #get(copy: number): number {
    return this.#flags[copy] as number;
  }

  #set(copy: number, flag: number): void {
    this.#flags[copy] = this.#get(copy) | flag;
  }

  #grow(): void {
    const length = this.#flags.length * 2;
    this.#flags = grown(this.#flags, length);
    this.#queue = grown(this.#queue, length);
    this.#publisher = grown(this.#publisher, length);
  }
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(length);
  result.set(bytes);
  return result;
}
