import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BrokerCore } from '../../core/broker.ts';
import { type RetainedMessage, RetainedQueue } from '../../core/retained/retained-queue.ts';
import { retainedQueueName } from '../../core/retained/retained-queue-type.ts';
import type { Vhost } from '../../core/vhost.ts';
import { type ReadMessage, readMessage } from './read-message.ts';

export interface ShownRetained extends ReadMessage {
  /** Milliseconds until it expires; null: never. */
  readonly remainingMillis: number | null;
}

/** Messages looked at before others get their turn. */
const batchCount = 500;

/** The virtual host's retained messages; null when it never had one. */
export function retainedOf(vhost: Vhost): RetainedQueue | null {
  const queue = vhost.queues.get(retainedQueueName);
  return queue instanceof RetainedQueue ? queue : null;
}

/** Reads the retained messages that a pattern of routing keys matches, without changing anything. */
export async function listRetained(
  core: BrokerCore,
  queue: RetainedQueue,
  pattern: string,
  offset: number,
  count: number,
): Promise<ShownRetained[]> {
  core.turn.begin();
  await new Promise<void>(resolve => queue.whenRead(resolve));
  const found: RetainedMessage[] = [];
  let seen = 0;
  let steps = 0;
  for (const message of queue.matching(pattern)) {
    if (message !== null && seen++ >= offset) found.push(message);
    if (found.length >= count) break;
    if (++steps % batchCount === 0) await nextTurn();
  }
  const shown: ShownRetained[] = [];
  for (const message of found) {
    core.turn.begin();
    // One that another has taken the place of meanwhile is left out.
    for (let attempt = 0; attempt < 3 && queue.get(message.key) === message && !core.store.isResident(message.ref); attempt++)
      await new Promise<void>(resolve => core.store.fetch(message.ref, resolve));
    if (queue.get(message.key) !== message || !core.store.isResident(message.ref)) continue;
    const read = readMessage(core, message.ref);
    if (read === null) continue;
    const remainingMillis = message.expiryMillis === 0 ? null : Math.max(0, message.expiryMillis - core.clock.nowMillis);
    shown.push({ ...read, remainingMillis });
  }
  return shown;
}
