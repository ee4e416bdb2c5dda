// hot path: see docs/STYLE.md
import type { DeadLetters } from '../dead-letters.ts';
import type { Entry } from './entry.ts';
import type { Queue } from './queue.ts';
import type { QueueSettings } from './queue-settings.ts';
import type { ReadyMessages } from './ready-messages.ts';

/** Entries looked at when limits are enforced at once on a queue that became too long. */
const enforceBatchMax = 10_000;

/** Whether so many messages and bytes are more than a queue may have. [RabbitMQ docs: queue length limit] */
function isTooMuch({ lengthMax, lengthBytesMax }: QueueSettings, count: number, bytes: number): boolean {
  return (lengthMax >= 0 && count > lengthMax) || (lengthBytesMax >= 0 && bytes > lengthBytesMax);
}

/** Whether a queue would have more than it may with one more message, of `bodyBytes`. */
export function wouldOverflow(queue: Queue, ready: ReadyMessages, bodyBytes: number): boolean {
  return isTooMuch(queue.settings, ready.count + queue.dyingCount + 1, ready.bytes + queue.dyingBytes + bodyBytes);
}

/** Drops messages at the head of a queue that has more than it may, or lets consumers have them. `entry` is filled again each time. */
export function enforceLimit(queue: Queue, ready: ReadyMessages, deadLetters: DeadLetters, entry: Entry): void {
  // What was moved cannot go first; when that is over the limits are enforced.
  if (ready.move !== null || queue.settings.overflow !== 'drop-head' || !isTooMuch(queue.settings, ready.count, ready.bytes)) return;
  queue.pump(Infinity);
  dropHeads(queue, ready, deadLetters, entry);
}

/** Drops messages at the head until the queue has no more than it may. */
export function dropHeads(queue: Queue, ready: ReadyMessages, deadLetters: DeadLetters, entry: Entry): void {
  if (ready.move !== null) return;
  const { lists } = ready;
  for (let count = 0; count < enforceBatchMax && !lists.isEmpty && isTooMuch(queue.settings, ready.count, ready.bytes); count++) {
    lists.shift(entry);
    ready.bytes -= entry.bytes;
    deadLetters.add(queue, entry, 'maxlen');
  }
}
