// hot path: see docs/STYLE.md
import type { DeadLetters } from '../dead-letters.ts';
import type { Entry } from './entry.ts';
import type { Queue } from './queue.ts';
import type { QueueSettings } from './queue-settings.ts';
import type { ReadyMessages } from './ready-messages.ts';

/** Entries that a queue which became too long drops at once; the others go when it is pumped, so many each time. */
const atOnceMax = 1000;
const perPumpMax = 256;

/** Whether so many messages and bytes are more than a queue may have. [RabbitMQ docs: queue length limit] */
function isTooMuch({ lengthMax, lengthBytesMax }: QueueSettings, count: number, bytes: number): boolean {
  return (lengthMax >= 0 && count > lengthMax) || (lengthBytesMax >= 0 && bytes > lengthBytesMax);
}

/** Whether a queue would have more than it may with one more message, of `bodyBytes`. */
export function wouldOverflow(queue: Queue, ready: ReadyMessages, bodyBytes: number): boolean {
  return isTooMuch(queue.settings, ready.count + queue.dyingCount + 1, ready.bytes + queue.dyingBytes + bodyBytes);
}

/**
 * Drops messages at the head of a queue that has more than it may, or lets consumers have them; those that are left then go with the next
 * pumps. `entry` is filled again each time.
 */
export function enforceLimit(queue: Queue, ready: ReadyMessages, deadLetters: DeadLetters, entry: Entry): void {
  // What was moved cannot go first; when that is over the limits are enforced.
  if (ready.move !== null || ready.isShrinking || queue.settings.overflow !== 'drop-head') return;
  if (!isTooMuch(queue.settings, ready.count, ready.bytes)) return;
  queue.pump(Infinity);
  dropHeads(queue, ready, deadLetters, entry);
}

/** Drops messages at the head until the queue has no more than it may. */
export function dropHeads(queue: Queue, ready: ReadyMessages, deadLetters: DeadLetters, entry: Entry): void {
  if (!ready.isShrinking) dropSome(queue, ready, deadLetters, entry, atOnceMax);
}

/** Goes on with what was too much to be dropped at once; returns whether there is still more to do. */
export function shrink(queue: Queue, ready: ReadyMessages, deadLetters: DeadLetters, entry: Entry): boolean {
  dropSome(queue, ready, deadLetters, entry, perPumpMax);
  return ready.isShrinking;
}

function dropSome(queue: Queue, ready: ReadyMessages, deadLetters: DeadLetters, entry: Entry, countMax: number): void {
  if (ready.move !== null) return;
  const { lists } = ready;
  const { settings } = queue;
  ready.isShrinking = false;
  for (let count = 0; settings.overflow === 'drop-head' && !lists.isEmpty && isTooMuch(settings, ready.count, ready.bytes); count++) {
    if (count === countMax) {
      ready.isShrinking = true;
      return;
    }
    lists.shift(entry);
    ready.bytes -= entry.bytes;
    deadLetters.add(queue, entry, 'maxlen');
  }
}
