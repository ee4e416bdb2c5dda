import type { ConnectionRegistry } from './connection-registry.ts';
import type { Steps } from './stepped-work.ts';

/** A resource that runs short: publishers wait until it is over, consumers go on. [RabbitMQ docs: alarms] */
export type AlarmSource = 'memory' | 'disk';

/** What it costs to tell a publisher, with its frame and write, and anybody else, in units of stepped work. */
const publisherCost = 20;
const otherCost = 1;

/** The node's alarms, and who is told of them. */
export class Alarms {
  readonly #connections: ConnectionRegistry;
  readonly #active = new Set<AlarmSource>();
  readonly #work: (steps: Steps) => void;
  #changeCount = 0;

  /** Hears of alarms that begin and end. */
  onChange: (source: AlarmSource, isActive: boolean) => void = () => {};

  /** `work` does in steps what is much. */
  constructor(connections: ConnectionRegistry, work: (steps: Steps) => void) {
    this.#connections = connections;
    this.#work = work;
  }

  get active(): readonly AlarmSource[] {
    return [...this.#active];
  }

  /** Why publishers wait, in RabbitMQ's words; null when they do not. */
  get reason(): string | null {
    if (this.#active.size === 0) return null;
    const words = [...this.#active].sort().reverse();
    return words.map((source, index) => (index === 0 ? `low on ${source}` : source)).join(' & ');
  }

  set(source: AlarmSource): void {
    if (this.#active.has(source)) return;
    this.#active.add(source);
    this.onChange(source, true);
    this.#changed();
  }

  clear(source: AlarmSource): void {
    if (!this.#active.delete(source)) return;
    this.onChange(source, false);
    this.#changed();
  }

  #changed(): void {
    this.#work(this.#telling(++this.#changeCount));
  }

  /** Who comes meanwhile asks for the reason with the first publish. */
  *#telling(change: number): Steps {
    for (const connection of [...this.#connections]) {
      // With the next change all are told of that.
      if (change !== this.#changeCount) return;
      connection.alarmChanged(this.reason);
      yield connection.isPublisher ? publisherCost : otherCost;
    }
  }
}
