import type { TimerQueue } from '../../base/timer-queue.ts';
import type { DeadLetters } from '../dead-letters.ts';
import type { FlowControl } from '../flow-control.ts';
import type { MessageStore } from '../messages/message-store.ts';
import type { MessageFormat, PivotFormat } from '../ports/message-format.ts';
import type { Backlog } from '../ports/commit-log.ts';
import type { QueueLog } from '../ports/queue-log.ts';
import type { StreamLogs } from '../ports/stream-log.ts';
import type { Entry } from './entry.ts';
import type { IndexPager } from './index-pager.ts';
import type { DetachedList } from './ready-lists.ts';
import type { Clock } from '../ports/clock.ts';
import type { Turn } from '../turn.ts';
import type { Queue } from './queue.ts';

/** What a queue needs of the broker around it. */
export interface QueueContext {
  readonly clock: Clock;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  readonly timers: TimerQueue;
  readonly turn: Turn;
  readonly store: MessageStore;
  readonly deadLetters: DeadLetters;
  readonly flow: FlowControl;
  /** Where durable queues record their entries; null for a broker in memory. */
  readonly log: QueueLog | null;
  /** What is recorded and not written yet. */
  readonly backlog: Backlog;
  /** Where streams are; null for a broker that has none. */
  readonly streams: StreamLogs | null;
  /** Keeps what queues know of their messages within a budget. */
  readonly indexPager: IndexPager;
  /** The format that messages are changed in. */
  pivot(): PivotFormat;
  format(tag: number): MessageFormat;
  /** A number that names what the queue, or the protocol for it, remembers in the log from now on; recorded. */
  claimId(queue: Queue, kind: 'queue.remembers' | 'queue.marks'): number;
  /** A message group of the queue is parked, or goes on; recorded. */
  groupParked(queue: Queue, key: string, isParked: boolean): void;
  /** Messages of the queue that are in it and not ready: deliveries that wait for their acknowledgement, and what waits to be tried again. */
  outstanding(queue: Queue): Entry[];
  /** Lets go of messages that are in no queue any more, and in the log neither. */
  letGo(list: DetachedList): void;
  /** A message read back from disk is not what was stored; it is dropped. */
  messageDamaged(queue: Queue, entry: Entry): void;
  /** The queue asks to be deleted: its last consumer left (auto-delete) or it was not used for long enough (x-expires). */
  removeQueue(queue: Queue, why: 'auto-delete' | 'expired'): void;
}
