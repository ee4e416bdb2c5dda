import { getters, Group, type GroupOwner } from './group.ts';
import { GroupHeap } from './group-heap.ts';

/** Parked groups without messages are kept as long as no more than this many are parked. */
export const parkedGroupsMax = 100_000;

/** The groups of a queue, by key: which of them may be handed out now, which are parked, and which wait for credit of their owner. */
export class GroupTable {
  readonly #groups = new Map<string | null, Group>();
  readonly #heap = new GroupHeap();
  /** In the order in which they were parked. */
  readonly #parked = new Set<Group>();
  /** Groups whose owner is out of credit. */
  readonly #stalled = new Map<GroupOwner, Set<Group>>();
  /** Called when somebody parks a group, or lets it go on. */
  onPark: (key: string, isParked: boolean) => void = () => {};

  get size(): number {
    return this.#groups.size;
  }

  all(): Iterable<Group> {
    return this.#groups.values();
  }

  get(key: string | null): Group | undefined {
    return this.#groups.get(key);
  }

  /** The group of that key, made when there is none. */
  obtain(key: string | null): Group {
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new Group(key);
      this.#groups.set(key, group);
    }
    return group;
  }

  /** The one with the oldest message of those that may be handed out; its owner may turn out to have no credit. */
  get first(): Group | null {
    return this.#heap.first;
  }

  /** The same of those that no consumer owns. */
  firstForGetters(): Group | null {
    const { first } = this.#heap;
    if (first === null || first.owner === null || first.owner === getters) return first;
    let best: Group | null = null;
    for (const group of this.#groups.values()) {
      if (!group.isOpen || (group.owner !== null && group.owner !== getters)) continue;
      if (group.firstPlace < (best?.firstPlace ?? Infinity)) best = group;
    }
    return best;
  }

  /** Gives a group that has changed its place among those that may be handed out, or forgets it when there is nothing of it. */
  update(group: Group): void {
    if (group.unackedCount === 0 && group.owner !== null) {
      if (group.isStalled) this.#unlist(group, group.owner);
      group.owner = null;
      group.isStalled = false;
    }
    if (group.placeCount === 0) {
      this.#heap.remove(group);
      if (group.unackedCount === 0 && group.heldCount === 0 && !group.isParked) this.#groups.delete(group.key);
    } else if (group.isOpen && !group.isStalled) {
      this.#heap.put(group);
    } else {
      this.#heap.remove(group);
    }
  }

  // --- waiting for credit

  /** The owner has no credit: the group is not looked at until it has. */
  stall(group: Group, owner: GroupOwner): void {
    group.isStalled = true;
    this.#heap.remove(group);
    const stalled = this.#stalled.get(owner);
    if (stalled === undefined) this.#stalled.set(owner, new Set([group]));
    else stalled.add(group);
  }

  unstall(owner: GroupOwner): void {
    const stalled = this.#stalled.get(owner);
    if (stalled === undefined) return;
    this.#stalled.delete(owner);
    for (const group of stalled) {
      group.isStalled = false;
      this.update(group);
    }
  }

  #unlist(group: Group, owner: GroupOwner): void {
    const stalled = this.#stalled.get(owner);
    if (stalled?.delete(group) && stalled.size === 0) this.#stalled.delete(owner);
  }

  // --- parking

  /** Keys of the groups that are parked. */
  *parkedKeys(): Generator<string> {
    for (const { key } of this.#parked) yield key as string;
  }

  /** Stops or goes on with a group. */
  park(group: Group, isParked: boolean): void {
    if (group.isParked === isParked || group.key === null) return;
    this.#setParked(group, isParked);
    this.onPark(group.key, isParked);
    if (this.#parked.size > parkedGroupsMax) this.#unparkEmpty();
  }

  /** Recovery: a group is parked, or goes on. */
  restorePark(key: string, isParked: boolean): void {
    this.#setParked(this.obtain(key), isParked);
  }

  #setParked(group: Group, isParked: boolean): void {
    group.isParked = isParked;
    if (isParked) this.#parked.add(group);
    else this.#parked.delete(group);
    this.update(group);
  }

  /** Forgets the group that was parked first of those that have no message any more. */
  #unparkEmpty(): void {
    for (const group of this.#parked) {
      if (group.placeCount + group.unackedCount + group.heldCount > 0) continue;
      this.park(group, false);
      return;
    }
  }
}
