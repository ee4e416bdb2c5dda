import type { StreamReader } from '../ports/stream-log.ts';
import type { Timer } from '../../base/timer-queue.ts';
import { type FieldTable, keptTable } from '../../base/field-table.ts';
import type { Consumer } from '../consumer.ts';
import { type QueueDeduplication, queueDeduplication } from '../deduplication/queue-deduplication.ts';
import type { Binding } from '../exchanges/binding.ts';
import type { Route } from '../exchanges/route.ts';
import type { Publication } from '../messages/publication.ts';
import type { MessageRef, Rename, RefHolder } from '../messages/message-ref.ts';
import { type EffectivePolicy, noPolicy } from '../policies/effective-policy.ts';
import type { GroupLists } from '../groups/group-lists.ts';
import type { QueueRetries } from '../retries/queue-retries.ts';
import type { QueueType } from './queue-type.ts';
import type { ShapeChange } from '../shape/shape-change.ts';
import { DurableMarks } from './durable-marks.ts';
import type { QueueContext } from './queue-context.ts';
import type { QueuePause } from './queue-pause.ts';
import { defaultQueueSettings, type QueueSettings } from './queue-settings.ts';
import { QueueCounters } from './queue-counters.ts';
import type { Entry } from './entry.ts';

/** What became of a delivery. `rejected` is for good (dead-lettered where the queue says so); `returned` goes back to its place. */
export type Outcome = 'accepted' | 'rejected' | 'returned';

/** Identity of a queue, as declared. */
export interface QueueDeclaration {
  readonly name: string;
  readonly isDurable: boolean;
  /** The connection that owns an exclusive queue; null for others. */
  readonly owner: object | null;
  readonly isAutoDelete: boolean;
  readonly arguments: FieldTable;
}

/** What recovery needs of a queue, or something else that holds messages, whose messages are in the log. */
export interface Restorable {
  /** Names it in the log. */
  readonly id: number;
  /** What it held is gone. */
  readonly isDeleted: boolean;
  /** Whether it holds messages, as RefOwner says. */
  readonly holdsMessages: boolean;
  /** Messages of one level have one order; several priorities may share one. */
  levelOf(priority: number): number;
  /** Puts a message to the place it had. Those of a level come in ascending order. */
  restore(priority: number, sequence: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void;
  /** The message just put back was tried so often, and waits until a time of the clock; 0: it does not wait. */
  restoreRetry(priority: number, sequence: number, retryCount: number, dueMillis: number): void;
  /** These queues, by their numbers, have taken the message just put back, which is dead and kept until all its targets have. */
  restoreTaken(priority: number, sequence: number, targetIds: readonly number[]): void;
  /** All messages are there; in an old log, messages of different priorities may have the same number. */
  restored(areNumbersShared: boolean): void;
}

/** Holds what is of use only when it is read, at recovery: values that are remembered. */
export interface BodyRestorable extends Restorable {
  /** The body of what was just put back; null when it is damaged. */
  restoreBody(sequence: number, body: Buffer | null): void;
}

/** A queue whose messages are in the log. */
export interface RestorableQueue extends Queue, Restorable {
  readonly id: number;
  isDeleted: boolean;
  /** Takes a ready message out, wherever it stands; false when it is not there. Whoever calls lets go of it. */
  removeRestored(priority: number, sequence: number, into: Entry): boolean;
}

/** What is to be told of a queue that keeps a log of its own. */
export interface OwnLogFacts {
  readonly firstOffset: number;
  /** Behind the last message that is durable. */
  readonly endOffset: number;
  readonly segmentCount: number;
}

/**
 * A queue of any type: the port between those who publish and consume and the type's own way to keep messages. Everything is
 * synchronous and batched by the turn; a refusal reaches a publisher through `Publication.isRefused`, a confirm through the ledger,
 * never through a return value, so that a queue may live elsewhere one day (architecture, D6).
 */
export abstract class Queue implements RefHolder {
  readonly kind = 'queue';
  /** Type, arguments and what follows from them change by `reshape` only. */
  type: QueueType;
  readonly vhostName: string;
  readonly name: string;
  readonly isDurable: boolean;
  readonly owner: object | null;
  readonly isExclusive: boolean;
  readonly isAutoDelete: boolean;
  arguments: FieldTable;
  readonly counters = new QueueCounters();
  protected readonly context: QueueContext;
  settings: QueueSettings = defaultQueueSettings;
  /** The policies that apply; `settings` has them in it. */
  policy: EffectivePolicy = noPolicy;
  /** Knows duplicates; null for a queue that takes everything. Changes by `reshape` only. */
  deduplication: QueueDeduplication | null;
  /** Set while nothing is handed out; changes by `setPaused` only. */
  paused: QueuePause | null = null;
  /** A change of type or arguments that is under way; null as a rule. */
  change: ShapeChange | null = null;
  /** What the protocol whose queue it is remembers beside the messages; null until there is something. */
  marks: DurableMarks | null = null;
  /** Whether messages that are not persistent are recorded in the log as well: see QueueCapabilities. */
  keepsTransient: boolean;
  /** Whether it is told how often a message came back: see QueueCapabilities. */
  countsDeliveries: boolean;
  /** Messages that are dead and kept until all targets have taken them, and their bytes. Bumped by DeadLetters. */
  dyingCount = 0;
  dyingBytes = 0;
  /** Whether the queue keeps messages' bytes itself and not in the message store. */
  readonly hasOwnLog: boolean = false;
  readonly holdsMessages: boolean = true;
  isDeleted = false;
  /** Written by the turn: whether the queue is in its list of queues to pump. */
  isMarkedReady = false;
  /** Bindings to this queue; null until there is one. */
  incoming: Set<Binding> | null = null;
  /** Last collector that took this queue into a route: how routes are free of duplicates without a set. */
  routeStamp = 0;
  /** The route to this queue alone, once there was one. */
  soleRoute: Route | null = null;
  /** When the queue was last used, for x-expires. */
  lastUsedMillis: number;
  /** Number given at creation and never again: names the queue in the log. */
  readonly id: number;

  constructor(type: QueueType, vhostName: string, id: number, declaration: QueueDeclaration, context: QueueContext) {
    this.type = type;
    this.keepsTransient = type.capabilities.keepsTransient;
    this.countsDeliveries = type.capabilities.countsDeliveries;
    this.vhostName = vhostName;
    this.id = id;
    this.name = declaration.name;
    this.isDurable = declaration.isDurable;
    this.owner = declaration.owner;
    this.isExclusive = declaration.owner !== null;
    this.isAutoDelete = declaration.isAutoDelete;
    this.arguments = keptTable(declaration.arguments);
    this.context = context;
    this.lastUsedMillis = context.clock.nowMillis;
    this.deduplication = queueDeduplication(this, declaration.arguments, context);
  }

  /**
   * Becomes a queue of this type with these arguments, which have been checked; messages, deliveries, consumers and bindings stay. `record` is
   * called when all that has to be in the log before the change is there. A long queue takes more than this turn: see `change`. Returns null,
   * and has done nothing, when that type keeps its messages in another way. Settings are for the caller to apply, when it is over.
   * @throws BrokerError PRECONDITION_FAILED
   */
  reshape(_type: QueueType, _args: FieldTable, _record: () => void): ShapeChange | null {
    return null;
  }

  /** Hands out nothing, neither to consumers nor to those who ask, until this is called with null. What was delivered can be settled. */
  setPaused(paused: QueuePause | null): void {
    this.paused = paused;
    this.context.turn.queueReady(this);
  }

  protected become(type: QueueType, args: FieldTable): void {
    this.type = type;
    this.keepsTransient = type.capabilities.keepsTransient;
    this.countsDeliveries = type.capabilities.countsDeliveries;
    this.arguments = keptTable(args);
  }

  abstract get readyCount(): number;
  abstract get unackedCount(): number;
  abstract get readyBytes(): number;
  abstract get unackedBytes(): number;
  abstract get consumerCount(): number;
  abstract consumers(): Iterable<Consumer>;
  /** The only consumer there may be (exclusive), or null. */
  abstract get exclusiveConsumer(): Consumer | null;

  /** Whether the queue takes the message; asked before its bytes are stored. A queue that does not has seen to its dead-lettering. */
  abstract admits(p: Publication): boolean;
  /** Takes over one ownership of `ref`; a queue with a log of its own copies what it needs, and gets 0. */
  abstract enqueue(p: Publication, ref: MessageRef): void;
  /** Whether the queue can serve such a consumer at all; asked first. @throws BrokerError when it cannot */
  checkConsumer(_consumer: Consumer): void {}

  /** @throws BrokerError ACCESS_REFUSED when an exclusive consumer is or would be in the way. */
  abstract attach(consumer: Consumer): void;
  /** No delivery to the consumer follows. */
  abstract detach(consumer: Consumer): void;
  /** A consumer got credit. */
  abstract consumerReady(consumer: Consumer): void;
  /** A consumer that is not the active one has settled all it had. */
  consumerDrained(_consumer: Consumer): void {}
  /** Hands messages to consumers with credit, at most about `budget`. Returns whether there is more to do at once. */
  abstract pump(budget: number): boolean;
  /**
   * Hands out what consumers can take of what came before. Whoever acts on the queue next meets it as if it had acted on one thing after the
   * other: a message published before a basic.cancel went to that consumer. [RabbitMQ: a queue is a process with a mailbox]
   */
  catchUp(): void {
    if (this.isMarkedReady) this.pump(Infinity);
  }

  /**
   * Takes the first message for basic.get; false when the queue is empty. The caller settles it later unless `noAck`. Where messages may be
   * on disk, `fetchHead` must have said just before that the first is there.
   */
  abstract take(into: Entry, noAck: boolean): boolean;
  /**
   * Somebody gives many deliveries back, one after the other: nothing is handed out before they are all there, so that none is overtaken. Ends when
   * `endReturning` was called as often.
   */
  startReturning(): void {}
  endReturning(): void {}
  /** Ends a delivery. `entry` is what was delivered. */
  abstract settle(entry: Entry, outcome: Outcome): void;
  /** Drops all ready messages; returns how many there were. */
  abstract purge(): number;
  /** Visits the ready messages but the first `skip` in the order of delivery, without changing anything, until `visit` answers false. */
  abstract forEachReady(visit: (entry: Entry) => boolean, skip?: number): void;
  /** Fills `into` with a ready message, wherever it stands, and leaves it in place; false when it is not there. */
  abstract findReady(priority: number, sequence: number, into: Entry): boolean;
  abstract relocate(rename: Rename, slabs?: ReadonlySet<number>): void;
  /** Records what the meta of a message says that is in the queue and not ready. */
  noteFate(_entry: Entry): void {}
  /** Records that another queue has taken a message that is dead and kept. */
  noteTaken(_entry: Readonly<Entry>, _targetId: number): void {}
  /** Lets go of a message that has left the queue: the log hears of it, the store gets its memory back. */
  abstract release(entry: Entry): void;
  /**
   * Whether the first message that is alive is in memory, or there is none; if not, fetches it and calls `then`. What has expired or is
   * damaged on the way is dropped.
   */
  abstract fetchHead(then: () => void): boolean;
  /** Messages that were rejected and wait for another try: they are not ready. Null when there never was one. */
  get retries(): QueueRetries | null {
    return null;
  }
  /** Message groups; null for a queue without. */
  get groups(): GroupLists | null {
    return null;
  }
  /** Whether persistent messages are recorded in the log. */
  abstract get isLogging(): boolean;
  /** Settings have changed: enforces them on what is there. */
  abstract applySettings(settings: QueueSettings): void;
  /** Lets go of everything; consumers are cancelled. */
  abstract close(): void;

  /** Another queue has its name, its bindings and its messages. */
  supersede(): void {
    this.close();
  }

  /** Null for a queue whose messages are in the message store. */
  get ownLog(): OwnLogFacts | null {
    return null;
  }

  /** Reads a log of the queue's own from an offset on, as a consumer does, without being one; null when there is none. */
  readLog(_offset: number, _onReadable: () => void): StreamReader | null {
    return null;
  }

  /** Offset of what a consumer was given last; -1: nothing yet, or the queue has no offsets. */
  offsetOf(_consumer: Consumer): number {
    return -1;
  }

  /** Names the place that the next message gets, unlike all others the queue had; -1: the queue cannot say. */
  get nextPlace(): number {
    return -1;
  }

  /** Names the place of a message that was taken out, as `nextPlace` did before it came. */
  placeOf(_entry: Entry): number {
    return -1;
  }

  get messageCount(): number {
    return this.readyCount + this.unackedCount;
  }

  /** Marks the queue as used (x-expires counts from the last declare, get or consumer). */
  touch(): void {
    this.lastUsedMillis = this.context.clock.nowMillis;
  }

  /** For what a protocol remembers beside the messages; null where nothing of the queue is in the log. */
  durableMarks(): DurableMarks | null {
    const { log, store, clock } = this.context;
    if (this.marks === null && log !== null && this.isLogging)
      this.marks = new DurableMarks({ clock, store, log }, () => this.context.claimId(this, 'queue.marks'));
    return this.marks;
  }

  protected setTimer(timer: Timer, dueMillis: number): void {
    this.context.timers.set(timer, dueMillis);
  }
}
