import { tableFromJson, type FieldTable, tableToJson } from '../../../base/field-table.ts';
import { BrokerError } from '../../../core/broker-error.ts';
import type { ConnectionInfo } from '../../../core/connection-registry.ts';
import { presentBindings } from '../../../core/exchanges/binding.ts';
import type { Queue } from '../../../core/queues/queue.ts';
import type { Task } from '../../../core/task.ts';
import type { Vhost } from '../../../core/vhost.ts';
import { getMessages, isAckMode } from '../../messages/get-messages.ts';
import { payloadToJson } from '../../messages/payload-json.ts';
import { propertiesToJson } from '../../messages/properties-json.ts';
import type { ApiCall } from '../api-call.ts';
import { readErrorOf } from '../broker-errors.ts';
import { list, type Listing, single } from '../listing.ts';
import { booleanOf, integerOf, objectOf, requireKeys } from '../json-body.ts';
import { badRequest, createdOrThere, type JsonObject, missing, noContent, notFound, ok, type Reply } from '../reply.ts';
import { sampleRangesOf } from '../sample-ranges.ts';
import { bindingView, defaultBinding, shownBinding, type ShownBinding } from '../views/binding-view.ts';
import { type QueueDetail, QueueViews } from '../views/queue-view.ts';
import { bindingListing } from './bindings.ts';
import { userOf } from './users.ts';

const keys: Listing<Queue>['keys'] = {
  vhost: queue => queue.vhostName,
  name: queue => queue.name,
  messages: queue => queue.messageCount,
  messages_ready: queue => queue.readyCount,
  messages_unacknowledged: queue => queue.unackedCount,
  message_bytes: queue => queue.readyBytes + queue.unackedBytes,
  consumers: queue => queue.consumerCount,
  type: queue => queue.type.name,
};

export function listQueues(call: ApiCall): Promise<Reply> {
  return listOf(call, queuesOf(call.memberVhosts()));
}

export function listQueuesOfVhost(call: ApiCall): Promise<Reply> {
  return listOf(call, queuesOf([call.vhost()]));
}

function listOf(call: ApiCall, queues: Iterable<Queue>): Promise<Reply> {
  const views = new QueueViews(call.services, sampleRangesOf(call.query));
  const detail = detailOf(call);
  return list(call, queues, { keys, name: queue => queue.name, view: queue => views.view(queue, detail) });
}

/** The exclusive queues of a user's connections; who declared others is not kept. */
export function listQueuesOfUser(call: ApiCall): Promise<Reply> {
  const { name } = userOf(call);
  const owned: Queue[] = [];
  for (const queue of queuesOf(call.core.vhosts.values()))
    if ((queue.owner as Partial<ConnectionInfo> | null)?.user === name) owned.push(queue);
  return listOf(call, owned);
}

function* queuesOf(vhosts: Iterable<Vhost>): Iterable<Queue> {
  for (const vhost of vhosts) yield* vhost.queues.values();
}

function detailOf(call: ApiCall): QueueDetail {
  const { disableStats, enableQueueTotals } = call.services.settings.management;
  if (!call.flag('disable_stats', disableStats)) return 'full';
  return call.flag('enable_queue_totals', enableQueueTotals) ? 'totals' : 'plain';
}

export function getQueue(call: ApiCall): Reply {
  const views = new QueueViews(call.services, sampleRangesOf(call.query));
  return single(call, views.detailed(queueOf(call), detailOf(call)));
}

export async function putQueue(call: ApiCall): Promise<Reply> {
  const vhost = call.vhost();
  const name = call.parameter('name');
  const isNew = !vhost.queues.has(name);
  const node = call.body['node'];
  if (node !== undefined && node !== null && node !== '' && node !== call.nodeName)
    throw badRequest(`Node ${typeof node === 'string' ? node : JSON.stringify(node)} could not be contacted`);
  const declaration = {
    name,
    isDurable: booleanOf(call.body, 'durable', false),
    isAutoDelete: booleanOf(call.body, 'auto_delete', false),
    owner: null,
    arguments: argumentsOf(call.body),
  };
  const queue = call.core.topology.declareQueue(vhost, declaration, call.actor);
  call.core.counters.queuesDeclared++;
  await changed(queue);
  return createdOrThere(isNew);
}

/** Messages and bindings stay. */
export async function reshapeQueue(call: ApiCall): Promise<Reply> {
  requireKeys(call.body, ['arguments']);
  const { name } = queueOf(call);
  const queue = await changed(call.core.topology.reshapeQueue(call.vhost(), name, argumentsOf(call.body), call.actor));
  // A stream counts what is durable.
  await call.core.committed();
  return ok({ type: queue.type.name, arguments: tableToJson(queue.arguments), messages: queue.messageCount });
}

/** Nothing is handed out from now on, also after a restart. */
export function pauseQueue(call: ApiCall): Promise<Reply> {
  return setPaused(call, true);
}

export function resumeQueue(call: ApiCall): Promise<Reply> {
  return setPaused(call, false);
}

async function setPaused(call: ApiCall, isPaused: boolean): Promise<Reply> {
  const { name } = queueOf(call);
  call.core.turn.begin();
  call.core.topology.pauseQueue(call.vhost(), name, isPaused, call.actor);
  await call.core.committed();
  return noContent;
}

/** The queue when the change of shape is over that is under way, if any. @throws BrokerError when it failed */
function changed(queue: Queue): Promise<Queue> {
  const { change } = queue;
  if (change === null) return Promise.resolve(queue);
  return new Promise((resolve, reject) => {
    change.whenOver(outcome => (outcome.error === null ? resolve(outcome.queue) : reject(outcome.error)));
  });
}

export async function deleteQueue(call: ApiCall): Promise<Reply> {
  const vhost = call.vhost();
  const { name } = queueOf(call);
  const conditions = { ifEmpty: call.flag('if-empty'), ifUnused: call.flag('if-unused') };
  call.core.topology.deleteQueue(vhost, name, conditions, call.actor);
  await over(vhost.departures.of('queue', name));
  return noContent;
}

/** Resolves when the task is over that somebody has asked for; null: it is done already. */
export function over(task: Task | null): Promise<void> {
  return new Promise(resolve => (task === null ? resolve() : task.whenOver(resolve)));
}

export function purgeQueue(call: ApiCall): Reply {
  call.core.topology.purgeQueue(call.vhost(), queueOf(call).name, call.actor);
  return noContent;
}

export function listQueueBindings(call: ApiCall): Promise<Reply> {
  const queue = queueOf(call);
  const bindings: ShownBinding[] = [defaultBinding(queue)];
  for (const binding of presentBindings(queue.incoming)) bindings.push(shownBinding(queue.vhostName, binding));
  return list(call, bindings, { ...bindingListing, view: bindingView });
}

/** Mirrors are of the past: there is nothing to synchronise. */
export function actOnQueue(call: ApiCall): Reply {
  requireKeys(call.body, ['action']);
  queueOf(call);
  const { action } = call.body;
  if (action !== 'sync' && action !== 'cancel_sync') throw badRequest(['unknown', action]);
  return noContent;
}

export async function getFromQueue(call: ApiCall): Promise<Reply> {
  const vhost = call.vhostToEnter();
  const name = call.parameter('name');
  const { body, core } = call;
  try {
    core.topology.check(call.actor, vhost, 'read', 'queue', name);
  } catch (error) {
    if (error instanceof BrokerError) throw readErrorOf(error);
    throw error;
  }
  if (!vhost.queues.has(name)) throw missing(`NOT_FOUND - no queue '${name}' in vhost '${vhost.name}'`);
  const queue = core.topology.queue(vhost, name, call.actor);
  requireKeys(body, ['ackmode', 'count', 'encoding']);
  const { ackmode, encoding } = body;
  if (!isAckMode(ackmode))
    throw badRequest('Unsupported ackmode. Please use ack_requeue_true, ack_requeue_false, reject_requeue_true or reject_requeue_false.');
  if (encoding !== 'auto' && encoding !== 'base64') throw badRequest('Unsupported encoding. Please use auto or base64.');
  const count = integerOf(body['count']);
  const truncate = body['truncate'] === undefined ? Infinity : Math.max(0, integerOf(body['truncate']));
  if (!queue.type.capabilities.hasGet)
    throw badRequest(`540 NOT_IMPLEMENTED - basic.get not supported by stream queues queue '${name}' in vhost '${vhost.name}'`);
  const messages = await getMessages(core, queue, count, ackmode);
  return ok(
    messages.map(message => {
      const shown = payloadToJson(message.body.subarray(0, truncate), encoding);
      return {
        payload_bytes: message.body.length,
        redelivered: message.isRedelivered,
        exchange: message.exchange,
        routing_key: message.routingKey,
        message_count: message.messageCount,
        properties: propertiesToJson(message.properties),
        payload: shown.payload,
        payload_encoding: shown.encoding,
      };
    }),
  );
}

/** The queue of the path. @throws HttpError 404 */
export function queueOf(call: ApiCall): Queue {
  const queue = call.vhost().queues.get(call.parameter('name'));
  if (queue === undefined) throw notFound();
  return queue;
}

/** Arguments of a declaration. @throws HttpError 400 */
export function argumentsOf(body: JsonObject): FieldTable {
  const json = objectOf(body, 'arguments');
  for (const key of Object.keys(json))
    if (Buffer.byteLength(key) > 255) throw badRequest('the name of an argument is longer than 255 bytes');
  try {
    return tableFromJson(json);
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(error.message);
    throw error;
  }
}
