import type { RetryDelays } from '../retries/retry-delays.ts';

/** What to do with a message for a full queue. [RabbitMQ docs: queue length limit] */
export type Overflow = 'drop-head' | 'reject-publish' | 'reject-publish-dlx';

/** Whether a dead letter leaves its queue at once or when all its targets have taken it. [RabbitMQ docs: at-least-once dead lettering] */
export type DeadLetterStrategy = 'at-most-once' | 'at-least-once';

/**
 * How a queue behaves, from its arguments and the policies that apply to it. Replaced as a whole when a policy changes.
 * -1 means not set.
 */
export interface QueueSettings {
  readonly messageTtlMillis: number;
  readonly expiresMillis: number;
  readonly lengthMax: number;
  readonly lengthBytesMax: number;
  readonly overflow: Overflow;
  /** Name of the exchange that gets dead letters; null: they are dropped. */
  readonly deadLetterExchange: string | null;
  /** Replaces the routing keys of dead letters; null: they keep theirs. */
  readonly deadLetterRoutingKey: string | null;
  readonly deadLetterStrategy: DeadLetterStrategy;
  /** Redeliveries after which a message is dead-lettered. */
  readonly deliveryLimit: number;
  /** How long a delivery may stay unacknowledged; -1: the broker's default. */
  readonly consumerTimeoutMillis: number;
  /** After which times a rejected message comes back; null: it does not. */
  readonly retryDelays: RetryDelays | null;
  /** Age at which messages of a stream go. */
  readonly ageMillisMax: number;
  /** Size of a stream's segments, and of the filters of its chunks. */
  readonly segmentBytesMax: number;
  readonly filterBytes: number;
}

export const defaultQueueSettings: QueueSettings = {
  messageTtlMillis: -1,
  expiresMillis: -1,
  lengthMax: -1,
  lengthBytesMax: -1,
  overflow: 'drop-head',
  deadLetterExchange: null,
  deadLetterRoutingKey: null,
  deadLetterStrategy: 'at-most-once',
  deliveryLimit: -1,
  consumerTimeoutMillis: -1,
  retryDelays: null,
  ageMillisMax: -1,
  segmentBytesMax: -1,
  filterBytes: -1,
};

const keys = Object.keys(defaultQueueSettings) as (keyof QueueSettings)[];
let latest = defaultQueueSettings;

/** The settings, or equal ones that other queues have already: most of ten thousand queues are alike. */
export function keptSettings(settings: QueueSettings): QueueSettings {
  for (const kept of [latest, defaultQueueSettings]) if (keys.every(key => settings[key] === kept[key])) return kept;
  latest = settings;
  return settings;
}
