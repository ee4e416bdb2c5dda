import type { TimerQueue } from '../../base/timer-queue.ts';
import type { MessageRef, RefHolder } from '../messages/message-ref.ts';
import type { MessageStore } from '../messages/message-store.ts';
import type { Publication } from '../messages/publication.ts';
import type { Clock } from '../ports/clock.ts';
import type { MessageFormat, PivotFormat } from '../ports/message-format.ts';
import type { QueueLog } from '../ports/queue-log.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeType, Target } from './exchange-type.ts';

/** What the virtual host offers to exchange types that keep messages. */
export interface ExchangeHome {
  readonly clock: Clock;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  readonly timers: TimerQueue;
  readonly store: MessageStore;
  /** All exchange types, by name. */
  readonly types: ReadonlyMap<string, ExchangeType>;
  format(tag: number): MessageFormat;
  pivot(): PivotFormat;
  /** Where durable exchanges record what they hold; null for a broker in memory. */
  readonly log: QueueLog | null;
  /** A number that names what the exchange holds, or remembers, in the log from now on; recorded. */
  claimId(exchange: Exchange, kind: 'exchange.holds' | 'exchange.remembers'): number;
  /** Calls back once at the end of the turn, before what it did is committed and confirmed. */
  beforeCommit(act: () => void): void;
  /** A held message read back from disk is not what was stored; it is dropped. */
  heldDamaged(exchange: Exchange, ref: MessageRef): void;
  /** Who keeps message references tells, so that they can be renamed when memory is compacted. */
  holdsRefs(holder: RefHolder): void;
  dropsRefs(holder: RefHolder): void;
  /** Puts a message into a queue, or publishes it to an exchange. Returns to how many queues it went. */
  deliver(target: Target, keys: readonly string[], p: Publication): number;
}
