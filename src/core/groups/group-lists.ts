import type { Consumer } from '../consumer.ts';
import type { MessageRef } from '../messages/message-ref.ts';
import { Entry } from '../queues/entry.ts';
import type { ConsumerRota } from '../queues/consumer-rota.ts';
import type { IndexPager } from '../queues/index-pager.ts';
import { PlainLists } from '../queues/plain-lists.ts';
import type { DetachedList } from '../queues/ready-lists.ts';
import { getters, type Group, type GroupOwner } from './group.ts';
import { GroupTable } from './group-table.ts';

/** Messages whose group is found out in one go, after a restart. */
const indexBatchMax = 1000;
/** Places of messages that are gone are put up with, up to as many as there are messages and these. */
const sparePlacesMax = 4096;

/** Says of which group a message is, null: of none; undefined while its bytes are on disk only. */
export type KeyOf = (ref: MessageRef) => string | null | undefined;

/**
 * The ready messages of a queue with message groups. They are in one list in their order, as in any queue; beside it stands for each key where
 * its messages are, and who has unacknowledged ones: only that consumer gets the next. A place costs eight bytes, a key that has messages about
 * two hundred. What was there before a restart is looked into when it is needed, in order.
 */
export class GroupLists extends PlainLists {
  readonly #keyOf: KeyOf;
  readonly table = new GroupTable();
  /** Groups of messages that were delivered, and of those that wait to be tried again, by place. */
  readonly #unacked = new Map<number, Group>();
  readonly #held = new Map<number, Group>();
  /** Messages that have waited since before a restart, of which it is not known to which group they belong: their priorities, by place. */
  readonly #unknownHeld = new Map<number, number>();
  /** The bytes of a message that waits; null when it does not any more. To be set where messages may wait. */
  refOfHeld: (priority: number, place: number) => MessageRef | null = () => null;
  /** Places that are kept, in groups and of unknown ones, of messages that are there or gone. */
  #placeCount = 0;
  /** The group of the message that was put back last. */
  #lastBack: Group | null = null;
  /** Places of which it is not known to which group they belong, in order. */
  #unknown: number[] = [];
  #firstUnknown = 0;
  readonly #entry = new Entry();

  constructor(keyOf: KeyOf, pager: IndexPager) {
    super(pager);
    this.#keyOf = keyOf;
  }

  override push(ref: MessageRef, meta: number, bytes: number, expiryMillis: number, priority: number): number {
    const place = super.push(ref, meta, bytes, expiryMillis, priority);
    const key = this.#isAllKnown ? this.#keyOf(ref) : undefined;
    if (key === undefined) this.#noteUnknown(place);
    else this.#index(place, key);
    if (this.#placeCount > 2 * this.list.length + sparePlacesMax) this.#compact();
    return place;
  }

  override putBack(entry: Entry): void {
    super.putBack(entry);
    const place = entry.sequence;
    let group = this.#unacked.get(place);
    if (group !== undefined) {
      this.#unacked.delete(place);
      group.unackedCount--;
    } else {
      group = this.#held.get(place);
      if (group !== undefined) {
        this.#held.delete(place);
        group.heldCount--;
      } else if (this.#unknownHeld.delete(place)) {
        // It has waited since before a restart, and its place is still among the unknown ones.
        this.#lastBack = null;
        return;
      } else {
        group = this.table.obtain(this.#keyOf(entry.ref) ?? null);
      }
    }
    group.add(place);
    this.#placeCount++;
    this.#lastBack = group;
    this.table.update(group);
  }

  override restore(priority: number, sequence: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    super.restore(priority, sequence, ref, meta, bytes, expiryMillis);
    this.#noteUnknown(sequence);
  }

  override detach(): DetachedList[] {
    const detached = super.detach();
    this.#lastBack = null;
    this.#compact();
    return detached;
  }

  /** Recovery: a message that was restored, and taken out since, waits to be tried again. */
  restoreHeld(priority: number, place: number): void {
    this.#unknownHeld.set(place, priority);
  }

  /**
   * Goes on where the lists of another shape end, whose ready messages are here and not looked into: what was delivered, or waits to be tried
   * again, has its group as before.
   */
  takeOver(other: GroupLists): void {
    for (const key of other.table.parkedKeys()) this.table.restorePark(key, true);
    for (const [place, { key, owner }] of other.#unacked) {
      const group = this.table.obtain(key);
      group.owner = owner;
      group.unackedCount++;
      this.#unacked.set(place, group);
    }
    for (const [place, { key }] of other.#held) {
      const group = this.table.obtain(key);
      group.heldCount++;
      this.#held.set(place, group);
    }
    this.holdUnknown(other.#unknownHeld);
  }

  /** Messages that wait to be tried again, by place, with their priorities: to which groups they belong is found out. */
  holdUnknown(waiting: Iterable<readonly [place: number, priority: number]>): void {
    for (const [place, priority] of waiting) {
      this.#unknownHeld.set(place, priority);
      this.#noteUnknown(place);
    }
    this.#unknown.sort((a, b) => a - b);
  }

  // --- what to hand out

  /**
   * The group with the oldest message that may be handed out now, which is put into `into` and stays where it is; null when there is none. Its
   * owner, if it has one, has credit. `lacking` tells whether a message's bytes have to be fetched first, then it is in `into`.
   */
  next(into: Entry, rota: ConsumerRota): Group | null {
    this.#isLacking = false;
    for (let looked = 0; ; ) {
      const group = this.table.first;
      if (group === null) {
        if (this.#isAllKnown || looked >= indexBatchMax) return null;
        const found = this.#indexNext(into);
        if (found === 'lacking') return null;
        looked++;
        continue;
      }
      const place = group.firstPlace;
      if (!this.list.find(place, into)) {
        // It has left in another way: expired, dropped, deleted.
        this.#drop(group);
      } else if (group.owner === getters) {
        this.table.stall(group, getters);
      } else if (group.owner !== null && !group.owner.hasCredit) {
        // So that it is told of its credit when it has some again.
        rota.remove(group.owner);
        this.table.stall(group, group.owner);
      } else {
        return group;
      }
    }
  }

  /** Whether `next` has found nothing because the message whose entry it left behind is on disk. */
  get isLacking(): boolean {
    return this.#isLacking;
  }

  #isLacking = false;

  /** Takes the first message of a group out into `into`; `owner` gets it, and with it those behind it; null for one that acknowledges nothing. */
  takeFirst(group: Group, owner: GroupOwner | null, into: Entry): void {
    const place = group.firstPlace;
    this.remove(0, place, into);
    group.shift();
    this.#placeCount--;
    if (owner !== null && group.key !== null) group.owner = owner;
    if (owner !== null) {
      group.unackedCount++;
      this.#unacked.set(place, group);
    }
    this.table.update(group);
  }

  /** The group of which somebody who gets single messages may have one, the one with the oldest; null for none. */
  nextForGetters(into: Entry): Group | null {
    this.table.unstall(getters);
    this.#isLacking = false;
    for (;;) {
      const best = this.table.firstForGetters();
      if (best === null) {
        if (this.#isAllKnown || this.#indexNext(into) === 'lacking') return null;
      } else if (this.list.find(best.firstPlace, into)) {
        return best;
      } else {
        this.#drop(best);
      }
    }
  }

  /** A consumer has credit again. */
  consumerReady(consumer: Consumer): void {
    this.table.unstall(consumer);
  }

  /** What became of a delivery is done: it is back, gone, or waits to be tried again. */
  settled(place: number, isHeld: boolean): void {
    const group = this.#unacked.get(place);
    if (group !== undefined) {
      this.#unacked.delete(place);
      group.unackedCount--;
      if (isHeld) {
        group.heldCount++;
        this.#held.set(place, group);
      }
      this.table.update(group);
    }
  }

  /** A message is gone for good, wherever it was. */
  left(place: number): void {
    this.#unknownHeld.delete(place);
    const group = this.#held.get(place);
    if (group === undefined) return;
    this.#held.delete(place);
    group.heldCount--;
    this.table.update(group);
  }

  // --- for people

  /** Whether there are messages of which it is to be found out to which group they belong. */
  get hasUnknown(): boolean {
    return !this.#isAllKnown;
  }

  /** Whether all groups are known; after a restart some are not yet. */
  get #isAllKnown(): boolean {
    return this.#firstUnknown === this.#unknown.length;
  }

  /** Finds out groups until all are known; false while bytes have to be fetched, whose entry is then in `into`. */
  indexAll(into: Entry): boolean {
    while (!this.#isAllKnown) if (this.#indexNext(into) === 'lacking') return false;
    return true;
  }

  /** Ready messages of a group. */
  readyCount(group: Group): number {
    let count = 0;
    for (const place of group.places()) if (this.list.find(place, this.#entry)) count++;
    return count;
  }

  /** Stops the group of the message that was put back last. */
  parkLast(): void {
    if (this.#lastBack !== null) this.table.park(this.#lastBack, true);
  }

  // --- inside

  #noteUnknown(place: number): void {
    this.#unknown.push(place);
    this.#placeCount++;
  }

  #index(place: number, key: string | null): void {
    const group = this.table.obtain(key);
    group.add(place);
    this.#placeCount++;
    this.table.update(group);
  }

  /** Finds out to which group the next message belongs. */
  #indexNext(into: Entry): 'done' | 'lacking' {
    const place = this.#unknown[this.#firstUnknown] as number;
    this.#isLacking = false;
    if (this.list.find(place, into)) {
      const key = this.#keyOf(into.ref);
      if (key === undefined) {
        this.#isLacking = true;
        return 'lacking';
      }
      this.#index(place, key);
    } else if (this.#unknownHeld.has(place) && !this.#indexHeld(place, into)) {
      return 'lacking';
    }
    this.#firstUnknown++;
    // In its group it is counted, or it is gone.
    this.#placeCount--;
    if (this.#isAllKnown) {
      this.#unknown = [];
      this.#firstUnknown = 0;
    }
    return 'done';
  }

  /** Finds out to which group a message belongs that waits; false when its bytes have to be fetched. */
  #indexHeld(place: number, into: Entry): boolean {
    const ref = this.refOfHeld(this.#unknownHeld.get(place) as number, place);
    const key = ref === null ? null : this.#keyOf(ref);
    if (key === undefined) {
      into.ref = ref as MessageRef;
      this.#isLacking = true;
      return false;
    }
    this.#unknownHeld.delete(place);
    if (ref === null) return true;
    const group = this.table.obtain(key);
    group.heldCount++;
    this.#held.set(place, group);
    this.table.update(group);
    return true;
  }

  /** The first message of the group is gone. */
  #drop(group: Group): void {
    group.shift();
    this.#placeCount--;
    this.table.update(group);
  }

  /** Lets go of the places of messages that have left in another way: nobody may come by to notice. */
  #compact(): void {
    const isThere = (place: number): boolean => this.list.find(place, this.#entry);
    this.#unknown = this.#unknown.slice(this.#firstUnknown).filter(place => isThere(place) || this.#unknownHeld.has(place));
    this.#firstUnknown = 0;
    this.#placeCount = this.#unknown.length;
    for (const group of [...this.table.all()]) {
      group.keep(isThere);
      this.#placeCount += group.placeCount;
      this.table.update(group);
    }
  }
}
