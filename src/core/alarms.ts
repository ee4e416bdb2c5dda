import type { ConnectionRegistry } from './connection-registry.ts';

/** A resource that runs short: publishers wait until it is over, consumers go on. [RabbitMQ docs: alarms] */
export type AlarmSource = 'memory' | 'disk';

/** The node's alarms, and who is told of them. */
export class Alarms {
  readonly #connections: ConnectionRegistry;
  readonly #active = new Set<AlarmSource>();

  /** Hears of alarms that begin and end. */
  onChange: (source: AlarmSource, isActive: boolean) => void = () => {};

  constructor(connections: ConnectionRegistry) {
    this.#connections = connections;
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
    this.#tell();
  }

  clear(source: AlarmSource): void {
    if (!this.#active.delete(source)) return;
    this.onChange(source, false);
    this.#tell();
  }

  #tell(): void {
    for (const connection of [...this.#connections]) connection.alarmChanged(this.reason);
  }
}
