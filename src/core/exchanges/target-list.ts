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

  /** Brings the targets in an order that does not depend on when they were bound. */
  sort(): void {
    const pairs = this.targets.map((target, at) => ({ target, key: this.#keys[at] as string, id: `${target.kind}\0${target.name}` }));
    pairs.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.key < b.key ? -1 : 1));
    pairs.forEach(({ target, key }, at) => {
      this.targets[at] = target;
      this.#keys[at] = key;
    });
  }
}
