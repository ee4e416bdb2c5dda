import type { Consumer } from '../../../core/consumer.ts';
import { getters, type Group } from '../../../core/groups/group.ts';
import type { GroupLists } from '../../../core/groups/group-lists.ts';
import { Entry } from '../../../core/queues/entry.ts';
import type { Queue } from '../../../core/queues/queue.ts';
import type { ApiCall } from '../api-call.ts';
import { badRequest, type JsonObject, missing, ok, type Reply } from '../reply.ts';
import { numberOf } from './messages.ts';
import { queueOf } from './queues.ts';

const countDefault = 100;
const countMax = 1000;

/** The groups of a queue that have messages, ready, unacknowledged or waiting, or are parked. */
export async function listGroups(call: ApiCall): Promise<Reply> {
  const offset = numberOf(call, 'offset', 0, Number.MAX_SAFE_INTEGER);
  const count = numberOf(call, 'count', countDefault, countMax);
  const parked = call.query.get('parked');
  const { queue, groups } = groupsOf(call);
  await known(call, queue, groups);
  const list: Group[] = [];
  for (const group of groups.table.all()) {
    if (group.key !== null && (parked === null || String(group.isParked) === parked)) list.push(group);
  }
  const shown = list.sort((a, b) => ((a.key as string) < (b.key as string) ? -1 : 1)).slice(offset, offset + count);
  return ok(shown.map(group => view(groups, group)));
}

/** Stops a group: its messages stay where they are. */
export async function parkGroup(call: ApiCall): Promise<Reply> {
  const { queue, groups } = groupsOf(call);
  await known(call, queue, groups);
  const key = keyOf(call);
  const group = key === null ? undefined : groups.table.get(key);
  if (group === undefined) throw missing('there is no such group');
  groups.table.park(group, true);
  return ok({ parked: 1 });
}

/** Lets one parked group, or all, go on. */
export function unparkGroups(call: ApiCall): Reply {
  const { queue, groups } = groupsOf(call);
  const key = keyOf(call);
  let count = 0;
  call.core.turn.begin();
  for (const group of [...groups.table.all()]) {
    if (!group.isParked || (key !== null && group.key !== key)) continue;
    groups.table.park(group, false);
    count++;
  }
  if (key !== null && count === 0) throw missing('there is no such parked group');
  call.core.turn.queueReady(queue);
  return ok({ unparked: count });
}

function groupsOf(call: ApiCall): { readonly queue: Queue; readonly groups: GroupLists } {
  const queue = call.core.topology.queue(call.vhost(), queueOf(call).name, call.actor);
  call.core.topology.check(call.actor, call.vhost(), 'read', 'queue', queue.name);
  if (queue.groups === null) throw badRequest('the queue has no message groups: see x-group-header');
  return { queue, groups: queue.groups };
}

/** After a restart it has to be read to which groups messages belong. */
async function known(call: ApiCall, queue: Queue, groups: GroupLists): Promise<void> {
  const entry = new Entry();
  for (;;) {
    call.core.turn.begin();
    if (queue.isDeleted || call.isAborted || groups.indexAll(entry)) return;
    await new Promise<void>(resolve => call.core.store.fetch(entry.ref, resolve));
  }
}

/** The key in the body; null when there is none. */
function keyOf({ body }: ApiCall): string | null {
  const key = body['key'];
  if (key === undefined) return null;
  if (typeof key !== 'string') throw badRequest(['not_string', 'key']);
  return key;
}

function view(groups: GroupLists, group: Group): JsonObject {
  return {
    key: group.key,
    messages_ready: groups.readyCount(group),
    messages_unacknowledged: group.unackedCount,
    messages_delayed: group.heldCount,
    parked: group.isParked,
    consumer_tag: group.owner === null || group.owner === getters ? null : (group.owner as Consumer).tag,
  };
}
