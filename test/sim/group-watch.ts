import type { Queue } from '../../src/core/queues/queue.ts';
import type { Arrival } from './durable-client.ts';
import type { Copy, Ledger, LedgerQueue } from './durable-ledger.ts';
import type { KnownQueues } from './durable-names.ts';
import type { Session } from './durable-session.ts';

/** A group that was seen to be parked, or to go on. */
interface Seen {
  readonly isParked: boolean;
  readonly event: number;
}

interface GroupArrival {
  readonly copy: Copy;
  readonly group: string;
  readonly owner: string;
}

/**
 * What must hold in a queue with message groups: the messages of a key come in their order, to one consumer at a time, none before one that
 * is in the queue or waits to be tried again; none of a group that is parked; and what was parked stays so over a cut once that is durable.
 */
export class GroupWatch {
  readonly #ledger: Ledger;
  readonly #known: KnownQueues;
  /** Messages of each group in their order, by queue and key. */
  readonly #copies = new Map<string, Copy[]>();
  readonly #groupOf = new Map<Copy, string>();
  /** As last seen, by queue and key. */
  readonly #parked = new Map<string, Seen>();
  /** Groups that were parked when the last thing had been done. */
  #parkedThen = new Set<string>();
  #arrivals: GroupArrival[] = [];

  constructor(ledger: Ledger, known: KnownQueues) {
    this.#ledger = ledger;
    this.#known = known;
  }

  published(copy: Copy, key: string): void {
    const group = `${copy.queueId}/${key}`;
    this.#groupOf.set(copy, group);
    const copies = this.#copies.get(group);
    if (copies === undefined) this.#copies.set(group, [copy]);
    else copies.push(copy);
  }

  arrived(session: Session, queue: LedgerQueue, { messageId, consumerTag }: Arrival): void {
    const copy = this.#ledger.copy(queue.id, messageId);
    const group = copy === undefined ? undefined : this.#groupOf.get(copy);
    if (copy !== undefined && group !== undefined) this.#arrivals.push({ copy, group, owner: ownerOf(session, consumerTag) });
  }

  /** Notes which groups are parked. `event` is what did it; null: whatever was acted on so far. */
  seeParked(queue: Queue, event: number | null): void {
    const now = this.#parkedNow(queue);
    const groups = new Set([...now, ...this.#parkedOf(queue)]);
    for (const group of groups) {
      const isParked = now.has(group);
      if ((this.#parked.get(group)?.isParked ?? false) !== isParked)
        this.#parked.set(group, { isParked, event: event ?? this.#ledger.nextEvent() });
    }
    this.#parkedThen = now;
  }

  /** All that was sent has arrived: compares. */
  look(queue: Queue, sessions: readonly Session[]): void {
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    const parkedThen = this.#parkedThen;
    const parkedNow = this.#parkedNow(queue);
    const owners = new Map<string, string>();
    const outstanding = new Set<Copy>();
    for (const session of sessions) {
      for (const { queue: of, messageId, consumerTag } of session.unacked) {
        const copy = of.hasGroups ? this.#ledger.copy(of.id, messageId) : undefined;
        if (copy === undefined) continue;
        outstanding.add(copy);
        const group = this.#groupOf.get(copy);
        if (group === undefined) continue;
        const owner = ownerOf(session, consumerTag);
        const other = owners.get(group);
        if (other !== undefined && other !== owner) throw new Error(`group ${group} has two at work: ${owner} and ${other}`);
        owners.set(group, owner);
      }
    }
    const last = new Map<string, Copy>();
    for (const { copy, group, owner } of arrivals) {
      const what = `message ${copy.messageId} of group ${group}`;
      if (parkedThen.has(group) && parkedNow.has(group)) throw new Error(`${what} came though the group is parked`);
      const before = last.get(`${group} ${owner}`);
      if (before !== undefined && before.event > copy.event) throw new Error(`${what} came behind ${before.messageId}`);
      last.set(`${group} ${owner}`, copy);
      for (const older of this.#alive(group)) {
        if (older.event >= copy.event) break;
        if (!outstanding.has(older)) throw new Error(`${what} came before message ${older.messageId}, which is in the queue`);
      }
    }
    this.seeParked(queue, null);
  }

  /** Compares with what is parked after a start. */
  audit(queue: Queue, isClean: boolean): void {
    this.#arrivals = [];
    const now = this.#parkedNow(queue);
    for (const group of new Set([...now, ...this.#parkedOf(queue)])) {
      const seen = this.#parked.get(group);
      const isSure = isClean || (seen !== undefined && seen.event <= this.#ledger.durableEvent);
      if (isSure && now.has(group) !== (seen?.isParked ?? false))
        throw new Error(`group ${group} is ${now.has(group) ? '' : 'not '}parked after the start`);
    }
  }

  /** The start is over: what was found is what there is. */
  accept(queue: Queue): void {
    const now = this.#parkedNow(queue);
    for (const group of new Set([...now, ...this.#parkedOf(queue)])) this.#parked.set(group, { isParked: now.has(group), event: 0 });
    this.#parkedThen = now;
  }

  #parkedNow(queue: Queue): Set<string> {
    const id = this.#known.ledgerId(queue);
    return new Set(Array.from(queue.groups?.table.parkedKeys() ?? [], key => `${id}/${key}`));
  }

  #parkedOf(queue: Queue): string[] {
    const prefix = `${this.#known.ledgerId(queue)}/`;
    return [...this.#parked.keys()].filter(group => group.startsWith(prefix));
  }

  /** Messages of a group that are there, oldest first. */
  #alive(group: string): readonly Copy[] {
    const copies = (this.#copies.get(group) ?? []).filter(copy => !copy.isGone);
    this.#copies.set(group, copies);
    return copies.filter(({ isThere }) => isThere);
  }
}

function ownerOf(session: Session, consumerTag: string | null): string {
  return consumerTag === null ? 'who gets' : `client ${session.number} ${consumerTag}`;
}
