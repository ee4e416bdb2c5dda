// hot path: see docs/STYLE.md
import type { Consumer } from '../consumer.ts';

/** Empty levels are kept up to this many: consumers leave and come back with every delivery they wait for. */
const keptLevelsMax = 4;

class Level {
  readonly priority: number;
  first: Consumer | null = null;
  last: Consumer | null = null;

  constructor(priority: number) {
    this.priority = priority;
  }
}

/** Of all rotas that never had a consumer; nothing is put into it. */
const noLevels: Level[] = [];

/**
 * The consumers of a queue that have credit: by priority, and in turn among equals. [RabbitMQ docs: consumer priorities]
 * Consumers without credit are not in it, so finding the next one costs the same for one consumer as for ten thousand.
 */
export class ConsumerRota {
  /** Highest priority first. Most queues have one level, idle ones none. */
  #levels: Level[] = noLevels;
  /** Those whose consumers are served: the same, or none while the rota is held. */
  #served: Level[] = noLevels;
  #isHeld = false;

  /** The consumer whose turn it is, or null. It stays where it is until `rotate` or `remove`. */
  get current(): Consumer | null {
    const levels = this.#served;
    for (let i = 0; i < levels.length; i++) {
      const first = (levels[i] as Level).first;
      if (first !== null) return first;
    }
    return null;
  }

  /** While it is held nobody has a turn; consumers come and go as before. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#served = isHeld ? noLevels : this.#levels;
  }

  add(consumer: Consumer): void {
    const level = this.#level(consumer.priority);
    consumer.isInRota = true;
    consumer.next = null;
    consumer.previous = level.last;
    if (level.last === null) level.first = consumer;
    else level.last.next = consumer;
    level.last = consumer;
  }

  remove(consumer: Consumer): void {
    if (!consumer.isInRota) return;
    const level = this.#level(consumer.priority);
    if (consumer.previous === null) level.first = consumer.next;
    else consumer.previous.next = consumer.next;
    if (consumer.next === null) level.last = consumer.previous;
    else consumer.next.previous = consumer.previous;
    consumer.next = null;
    consumer.previous = null;
    consumer.isInRota = false;
    if (level.first === null && this.#levels.length > keptLevelsMax) this.#levels.splice(this.#levels.indexOf(level), 1);
  }

  /** Moves the current consumer behind its equals. */
  rotate(consumer: Consumer): void {
    if (consumer.next === null) return;
    this.remove(consumer);
    this.add(consumer);
  }

  #level(priority: number): Level {
    const levels = this.#levels;
    let index = 0;
    for (; index < levels.length; index++) {
      const level = levels[index] as Level;
      if (level.priority === priority) return level;
      if (level.priority < priority) break;
    }
    const level = new Level(priority);
    if (levels === noLevels) {
      this.#levels = [level];
      this.hold(this.#isHeld);
    } else levels.splice(index, 0, level);
    return level;
  }
}
