import type { Group } from './group.ts';

/** Groups whose next message may be handed out, the one with the oldest message first. */
export class GroupHeap {
  readonly #heap: Group[] = [];

  get first(): Group | null {
    return this.#heap[0] ?? null;
  }

  /** Adds a group, or gives it its new place when its first message is another. */
  put(group: Group): void {
    if (group.heapIndex < 0) group.heapIndex = this.#heap.push(group) - 1;
    this.#up(group);
    this.#down(group);
  }

  remove(group: Group): void {
    const index = group.heapIndex;
    if (index < 0) return;
    group.heapIndex = -1;
    const last = this.#heap.pop() as Group;
    if (last === group) return;
    this.#set(index, last);
    this.#up(last);
    this.#down(last);
  }

  #set(index: number, group: Group): void {
    this.#heap[index] = group;
    group.heapIndex = index;
  }

  #up(group: Group): void {
    let index = group.heapIndex;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#heap[parent] as Group;
      if (above.firstPlace <= group.firstPlace) break;
      this.#set(index, above);
      index = parent;
    }
    this.#set(index, group);
  }

  #down(group: Group): void {
    let index = group.heapIndex;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && (this.#heap[child + 1] as Group).firstPlace < (this.#heap[child] as Group).firstPlace) child++;
      const below = this.#heap[child] as Group;
      if (below.firstPlace >= group.firstPlace) break;
      this.#set(index, below);
      index = child;
    }
    this.#set(index, group);
  }
}
