// Which queues hold dead letters, what is in them, and how to send it back.
import { api, path } from './api.ts';
import { deathsOf } from './payload.ts';
import type { Binding, Message, Queue } from './types.ts';

export interface DeadLetterQueue {
  readonly vhost: string;
  readonly name: string;
  readonly ready: number;
  /** Queues whose dead letters may end here. */
  readonly origins: readonly string[];
}

/** Queues that dead letter exchanges lead to, by arguments and policies. */
export function findDeadLetterQueues(queues: readonly Queue[], bindings: readonly Binding[]): DeadLetterQueue[] {
  const origins = new Map<string, Set<string>>();
  const note = (vhost: string, target: string, origin: string): void => {
    const key = JSON.stringify([vhost, target]);
    const names = origins.get(key) ?? new Set();
    origins.set(key, names.add(origin));
  };
  const leadsTo = new Map<string, Set<string>>();
  for (const { vhost, source, destination, destination_type: kind } of bindings) {
    if (source === '' || kind !== 'queue') continue;
    const key = JSON.stringify([vhost, source]);
    leadsTo.set(key, (leadsTo.get(key) ?? new Set()).add(destination));
  }
  for (const queue of queues) {
    const exchange = queue.arguments['x-dead-letter-exchange'] ?? queue.effective_policy_definition?.['dead-letter-exchange'];
    if (typeof exchange !== 'string') continue;
    const key = queue.arguments['x-dead-letter-routing-key'] ?? queue.effective_policy_definition?.['dead-letter-routing-key'];
    if (exchange === '') {
      if (typeof key === 'string') note(queue.vhost, key, queue.name);
      continue;
    }
    for (const target of leadsTo.get(JSON.stringify([queue.vhost, exchange])) ?? []) note(queue.vhost, target, queue.name);
  }
  const byName = new Map(queues.map(queue => [JSON.stringify([queue.vhost, queue.name]), queue]));
  const found: DeadLetterQueue[] = [];
  for (const [key, names] of origins) {
    const queue = byName.get(key);
    if (queue !== undefined)
      found.push({ vhost: queue.vhost, name: queue.name, ready: queue.messages_ready ?? 0, origins: [...names].sort() });
  }
  return found.sort((a, b) => b.ready - a.ready || (a.name < b.name ? -1 : 1));
}

/** Messages that died for the same reason in the same queue. */
export interface DeadLetterGroup {
  readonly reason: string;
  readonly origin: string;
  readonly exchange: string;
  readonly ids: readonly string[];
  readonly sample: Message;
  readonly oldestSeconds: number | null;
}

const pageSize = 500;
/** Of a payload: only headers count here. */
const payloadBytes = 200;
export const readMax = 20_000;

/** Reads a queue from its head and groups what it finds. `progress` tells how many were read; stopped by `signal`. */
export async function readGroups(
  vhost: string,
  queue: string,
  progress: (count: number) => void,
  signal: AbortSignal,
): Promise<readonly DeadLetterGroup[]> {
  const groups = new Map<
    string,
    { reason: string; origin: string; exchange: string; ids: string[]; sample: Message; oldestSeconds: number | null }
  >();
  for (let offset = 0; offset < readMax; offset += pageSize) {
    const messages = await api.get<readonly Message[]>(
      `${path`queues/${vhost}/${queue}/messages`}?offset=${offset}&count=${pageSize}&truncate=${payloadBytes}`,
      signal,
    );
    for (const message of messages) {
      const [death] = deathsOf(message);
      const key = JSON.stringify([death?.reason, death?.queue, death?.exchange]);
      let group = groups.get(key);
      if (group === undefined) {
        group = {
          reason: death?.reason ?? '',
          origin: death?.queue ?? '',
          exchange: death?.exchange ?? '',
          ids: [],
          sample: message,
          oldestSeconds: null,
        };
        groups.set(key, group);
      }
      if (message.id !== undefined) group.ids.push(message.id);
      const seconds = death?.timeSeconds ?? null;
      if (seconds !== null && (group.oldestSeconds === null || seconds < group.oldestSeconds)) group.oldestSeconds = seconds;
    }
    progress(offset + messages.length);
    if (messages.length < pageSize) break;
  }
  return [...groups.values()].sort((a, b) => b.ids.length - a.ids.length);
}

const batchCount = 100;

/** Moves messages in batches, so that it can be told how far it is, and stopped. Returns how many were moved. */
export async function redrive(
  from: { readonly vhost: string; readonly queue: string },
  to: string,
  ids: readonly string[],
  progress: (done: number, moved: number) => void,
  signal: AbortSignal,
): Promise<number> {
  let moved = 0;
  for (let at = 0; at < ids.length && !signal.aborted; at += batchCount) {
    const batch = ids.slice(at, at + batchCount);
    // Each batch is carried through: an answer that is not waited for would leave its count unknown.
    const answer = await api.post<{ moved: number }>(path`queues/${from.vhost}/${from.queue}/move`, { destination: to, ids: batch });
    moved += answer.moved;
    progress(at + batch.length, moved);
    if (answer.moved < batch.length) break;
  }
  return moved;
}
