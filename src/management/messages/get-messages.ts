import type { BrokerCore } from '../../core/broker.ts';
import type { RefHolder, Rename } from '../../core/messages/message-ref.ts';
import { Entry, metaRedelivered } from '../../core/queues/entry.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { type ReadMessage, readMessage } from './read-message.ts';

export type AckMode = 'ack_requeue_true' | 'ack_requeue_false' | 'reject_requeue_true' | 'reject_requeue_false';

export function isAckMode(value: unknown): value is AckMode {
  return (
    value === 'ack_requeue_true' || value === 'ack_requeue_false' || value === 'reject_requeue_true' || value === 'reject_requeue_false'
  );
}

export interface GotMessage extends ReadMessage {
  readonly isRedelivered: boolean;
  /** Ready messages left behind it. */
  readonly messageCount: number;
}

/** Bytes of bodies that one request gets at most; the rest stays in the queue. */
const bytesMax = 64 * 1024 * 1024;

/**
 * Takes up to `countMax` messages (-1: all) and settles them as `ackMode` says: messages that are put back are so after all were taken,
 * so that none comes twice.
 */
export async function getMessages(core: BrokerCore, queue: Queue, countMax: number, ackMode: AckMode): Promise<GotMessage[]> {
  const isPutBack = ackMode === 'ack_requeue_true' || ackMode === 'reject_requeue_true';
  const got: GotMessage[] = [];
  const taken = new TakenEntries(queue);
  let bytes = 0;
  const limit = countMax < 0 ? Infinity : countMax;
  core.holdsRefs(taken);
  try {
    while (got.length < limit && bytes < bytesMax && !queue.isDeleted) {
      await resident(core, queue);
      core.turn.begin();
      const entry = new Entry();
      if (queue.isDeleted || !queue.take(entry, false)) break;
      taken.entries.push(entry);
      const message = core.store.isResident(entry.ref) ? readMessage(core, entry.ref) : null;
      if (message === null) continue;
      bytes += message.body.length;
      got.push({ ...message, isRedelivered: (entry.meta & metaRedelivered) !== 0, messageCount: queue.readyCount });
    }
  } finally {
    core.turn.begin();
    core.dropsRefs(taken);
    for (const entry of taken.entries)
      queue.settle(entry, isPutBack ? 'returned' : ackMode === 'ack_requeue_false' ? 'accepted' : 'rejected');
  }
  return got;
}

/** What is out of its queue while the request waits for others: the store may rename it meanwhile. */
class TakenEntries implements RefHolder {
  readonly entries: Entry[] = [];
  readonly #queue: Queue;

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  relocate(rename: Rename): void {
    for (const entry of this.entries)
      entry.ref = rename(entry.ref, this.#queue, entry.meta, entry.sequence, entry.bytes, entry.expiryMillis);
  }
}

/** Waits until the first message's bytes are in memory. */
async function resident(core: BrokerCore, queue: Queue): Promise<void> {
  for (;;) {
    core.turn.begin();
    const fetched = Promise.withResolvers<void>();
    if (queue.isDeleted || queue.fetchHead(() => fetched.resolve())) return;
    await fetched.promise;
  }
}
