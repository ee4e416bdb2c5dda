import type { Target } from './exchange-type.ts';

/** Targets by binding: a queue that is bound twice is in it twice. */
export class TargetList {
  readonly #keys: string[] = [];
  readonly targets: Target[] = [];

  add(target: Target, key: string): void {
    this.targets.push(target);
    this.#keys.push(key);
  }

  remove(target: Target, key: string): void {
    const index = this.targets.findIndex((each, at) => each === target && this.#keys[at] === key);
    if (index < 0) return;
    this.targets.splice(index, 1);
    this.#keys.splice(index, 1);
  }

  /** The target at a place, or the next one that is not deleted; null when there is none. */
  at(index: number): Target | null {
    const { targets } = this;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[(index + i) % targets.length] as Target;
      if (!target.isDeleted) return target;
    }
    return null;
  }

  /** Adds one in an order that does not depend on when targets were bound, where all were added so. */
  addInOrder(target: Target, key: string): void {
    let [low, high] = [0, this.targets.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBefore(middle, target, key)) low = middle + 1;
      else high = middle;
    }
    this.targets.splice(low, 0, target);
    this.#keys.splice(low, 0, key);
  }

  #isBefore(index: number, target: Target, key: string): boolean {
    const { kind, name } = this.targets[index] as Target;
    if (kind !== target.kind) return kind < target.kind;
    return name === target.name ? (this.#keys[index] as string) < key : name < target.name;
  }
}
