import { Entry } from '../../core/queues/entry.ts';
import type { Queue, RestorableQueue } from '../../core/queues/queue.ts';
import type { MessagePlace } from './message-id.ts';

/** Whether single messages can be taken out of the queue. */
export function hasSingleMessages(queue: Queue): queue is RestorableQueue {
  return typeof (queue as Partial<RestorableQueue>).removeRestored === 'function';
}

/** Takes one ready message out of the queue and lets go of it; false when it is not there. */
export function dropMessage(queue: RestorableQueue, { priority, sequence }: MessagePlace): boolean {
  const entry = new Entry();
  if (!queue.removeRestored(priority, sequence, entry)) return false;
  queue.release(entry);
  return true;
}
