import { preconditionFailed } from '../broker-error.ts';
import { Publication } from '../messages/publication.ts';
import { fillFromStore } from '../messages/stored-publication.ts';
import { type Entry, priorityOf } from '../queues/entry.ts';
import { hasLeft, mustWait } from '../queues/list-move.ts';
import type { MessageQueueType } from '../queues/message-queue-type.ts';
import type { MessageQueue } from '../queues/message-queue.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import type { Queue } from '../queues/queue.ts';
import { queueTerm } from '../resource-name.ts';
import { Succession, type SuccessionHome } from './succession.ts';
import { stepBytesMax, stepCopiesMax, stepMessagesMax, type StepResult } from './shape-work.ts';

/** What a message counts for in a step besides its body. */
const messageBytes = 64;

/**
 * The ready messages of a queue become those of a stream in the order in which they came. The queue hands nothing out meanwhile, so that none is
 * with a consumer and in the stream. What is unacknowledged at the end, or waits to be tried again, comes last: a stream keeps what was
 * delivered, and has no other place for it. A settlement of such a delivery is of the old queue and ends it there.
 */
export class CopyToStream extends Succession {
  readonly #queue: MessageQueue;
  readonly #publication = new Publication();

  constructor(source: MessageQueue, successor: Queue, context: QueueContext, home: SuccessionHome) {
    super(source, successor, context, home);
    this.#queue = source;
    const { type, arguments: args } = source;
    source.startMoving((type as MessageQueueType).options(args, context).lists, () =>
      this.change.giveUp('messages were taken out of it meanwhile'),
    );
  }

  protected step(): StepResult {
    const { context, source } = this;
    const isAll = this.#queue.moveSome(stepCopiesMax, stepBytesMax, entry => this.#copy(entry));
    if (isAll !== true) return isAll === null ? 'waits' : 'more';
    // What has died goes where it goes as a message of the old queue.
    if (context.deadLetters.has(source)) {
      if (source.dyingCount === 0) return 'more';
      throw preconditionFailed(
        `cannot change ${queueTerm(source.name, source.vhostName)}: it has dead letters that not all their targets have taken`,
      );
    }
    const outstanding = context.outstanding(source);
    if (!outstanding.every(({ ref }) => this.work.isThere(ref))) return 'waits';
    for (const entry of outstanding) this.#append(entry);
    this.takeOver();
    return 'done';
  }

  protected end(isTakenOver: boolean): void {
    if (!isTakenOver) this.#queue.stopMoving();
  }

  protected clear(): boolean {
    return this.#queue.dropSome(stepMessagesMax);
  }

  #copy(entry: Entry): number {
    if (entry.expiryMillis !== 0 && entry.expiryMillis <= this.context.clock.nowMillis) {
      this.#queue.expireMoved(entry);
      return hasLeft;
    }
    if (!this.work.isThere(entry.ref)) return mustWait;
    return this.#append(entry);
  }

  #append(entry: Entry): number {
    const { ref, meta, bytes } = entry;
    const { store } = this.context;
    if (!store.isIntact(ref)) {
      this.context.messageDamaged(this.source, entry);
      return 0;
    }
    const p = this.#publication;
    fillFromStore(store, ref, p);
    p.isPersistent = true;
    p.priority = priorityOf(meta);
    this.successor.deduplication?.learnOf(p, p.priority, 0);
    this.successor.enqueue(p, 0);
    p.large = null;
    return bytes + messageBytes;
  }
}
