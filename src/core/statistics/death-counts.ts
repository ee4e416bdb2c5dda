import { type DeathReason, deathReasons } from '../dead-letter.ts';
import type { Queue } from '../queues/queue.ts';
import type { QueueType } from '../queues/queue-type.ts';

/** How dead letters were handled, in the words of RabbitMQ's metrics; `disabled`: there was no exchange for them. */
export const deathStrategies = ['at_most_once', 'at_least_once', 'disabled'] as const;
type DeathStrategy = (typeof deathStrategies)[number];

/** Messages that died in queues of one type since the broker started. */
export class TypeDeaths {
  readonly #counts = new Float64Array(deathStrategies.length * deathReasons.length);
  /** Letters of the strategy at-least-once that all their targets have taken. */
  confirmed = 0;

  count(strategy: DeathStrategy, reason: DeathReason): number {
    return this.#counts[indexOf(strategy, reason)] ?? 0;
  }

  add(strategy: DeathStrategy, reason: DeathReason): void {
    const index = indexOf(strategy, reason);
    this.#counts[index] = (this.#counts[index] as number) + 1;
  }
}

function indexOf(strategy: DeathStrategy, reason: DeathReason): number {
  return deathStrategies.indexOf(strategy) * deathReasons.length + deathReasons.indexOf(reason);
}

/** What died in all queues, those that are gone among them, by queue type. */
export class DeathCounts {
  readonly #byType = new Map<QueueType, TypeDeaths>();

  of(type: QueueType): TypeDeaths {
    let deaths = this.#byType.get(type);
    if (deaths === undefined) this.#byType.set(type, (deaths = new TypeDeaths()));
    return deaths;
  }

  add({ type, settings }: Queue, reason: DeathReason): void {
    const isSafe = settings.deadLetterStrategy === 'at-least-once';
    this.of(type).add(settings.deadLetterExchange === null ? 'disabled' : isSafe ? 'at_least_once' : 'at_most_once', reason);
  }
}
