import { tableFromJson } from '../../../base/field-table.ts';
import type { Queue, RestorableQueue } from '../../../core/queues/queue.ts';
import { browse, isDelayed, isUnacked, messageStates } from '../../messages/browse.ts';
import { explainRouting } from '../../messages/explain.ts';
import { type MessagePlace, parseMessageId } from '../../messages/message-id.ts';
import { moveMessages, type MoveTarget } from '../../messages/move.ts';
import { planRedrive } from '../../messages/redrive.ts';
import { payloadToJson } from '../../messages/payload-json.ts';
import { propertiesToJson } from '../../messages/properties-json.ts';
import { dropMessage, hasSingleMessages } from '../../messages/take-out.ts';
import type { ApiCall } from '../api-call.ts';
import { booleanOf, objectOf } from '../json-body.ts';
import { badRequest, HttpError, missing, noContent, notFound, ok, type Reply } from '../reply.ts';
import { bindingView } from '../views/binding-view.ts';
import { exchangeOf } from './exchanges.ts';
import { queueOf } from './queues.ts';

const countDefault = 50;
const countMax = 500;

/** Messages of a queue from the head, without changing anything. */
export async function listMessages(call: ApiCall): Promise<Reply> {
  const queue = queueOf(call);
  call.core.topology.check(call.actor, call.vhost(), 'read', 'queue', queue.name);
  const given = call.query.get('state') ?? 'ready';
  const state = messageStates.find(each => each === given);
  if (state === undefined) throw badRequest('state is ready, unacked, delayed or dead-lettered');
  const messages = await browse(call.core, queue, {
    offset: numberOf(call, 'offset', 0, Number.MAX_SAFE_INTEGER),
    count: numberOf(call, 'count', countDefault, countMax),
    search: call.query.get('search') ?? '',
    state,
  });
  const truncate = numberOf(call, 'truncate', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return ok(
    messages.map(message => {
      const { payload, encoding } = payloadToJson(shortened(message.body, truncate), 'auto');
      return {
        id: message.id,
        state: message.state,
        payload,
        payload_encoding: encoding,
        payload_bytes: message.body.length,
        properties: propertiesToJson(message.properties),
        exchange: message.exchange,
        routing_key: message.routingKey,
        redelivered: message.isRedelivered,
      };
    }),
  );
}

/** Takes one ready message away. */
export function deleteMessage(call: ApiCall): Reply {
  const queue = singleMessages(call);
  call.core.topology.check(call.actor, call.vhost(), 'read', 'queue', queue.name);
  const id = call.parameter('id');
  const place = parseMessageId(id);
  if (place !== null && dropMessage(queue, place)) return noContent;
  if (isUnacked(call.core, queue, id)) throw new HttpError(409, 'conflict', 'the message was delivered and waits for its acknowledgement');
  if (isDelayed(queue, id)) throw new HttpError(409, 'conflict', 'the message waits to be tried again');
  throw notFound();
}

/** Moves messages to another queue, or publishes them to an exchange. */
export async function moveFromQueue(call: ApiCall): Promise<Reply> {
  const { core, body } = call;
  const vhost = call.vhost();
  const source = singleMessages(call);
  core.topology.check(call.actor, vhost, 'read', 'queue', source.name);
  const target = moveTarget(call);
  const places = placesOf(body['ids']);
  const count = body['count'] === undefined ? Infinity : wholeNumber(body['count'], 'count');
  if (booleanOf(body, 'dry_run', false)) return ok({ moved: Math.min(count, places?.length ?? source.readyCount) });
  const moved = await moveMessages(core, {
    vhost,
    source,
    target,
    countMax: count,
    places,
    isCopy: booleanOf(body, 'copy', false),
    rate: rateOf(body['rate']),
    checkKey: key => {
      if (target.kind === 'exchange') core.topology.checkTopic(call.actor, vhost, target.exchange, 'write', key);
    },
    isAborted: () => call.isAborted,
  });
  return ok({ moved });
}

/** Sends dead letters back to the queues in which they died. */
export async function redriveFromQueue(call: ApiCall): Promise<Reply> {
  const { core, body } = call;
  const vhost = call.vhost();
  const source = singleMessages(call);
  core.topology.check(call.actor, vhost, 'read', 'queue', source.name);
  const only = body['queue'] ?? null;
  if (only !== null && typeof only !== 'string') throw badRequest(['not_string', 'queue']);
  const count = body['count'] === undefined ? Infinity : wholeNumber(body['count'], 'count');
  // For those that the user may not write to, or that are somebody's own, it is as if they were gone.
  const queueOf = (name: string): Queue | null => {
    const queue = only === null || name === only ? vhost.queues.get(name) : undefined;
    if (queue === undefined || queue.isExclusive || queue === source) return null;
    return call.actor.isBroker || core.access.authorize(call.actor.user, vhost.name, 'write', name) ? queue : null;
  };
  if (booleanOf(body, 'dry_run', false)) {
    const { byQueue, skipped } = await planRedrive(core, source, count, only, name => queueOf(name) !== null);
    const moved = [...byQueue.values()].reduce((sum, each) => sum + each, 0);
    return ok({ moved, skipped, queues: Object.fromEntries(byQueue) });
  }
  const byQueue = new Map<string, number>();
  let skipped = 0;
  const moved = await moveMessages(core, {
    vhost,
    source,
    target: { kind: 'origins', queueOf },
    countMax: count,
    places: placesOf(body['ids']),
    isCopy: false,
    rate: rateOf(body['rate']),
    checkKey() {},
    isAborted: () => call.isAborted,
    onLeftBehind: () => void skipped++,
    onRedriven: name => void byQueue.set(name, (byQueue.get(name) ?? 0) + 1),
  });
  return ok({ moved, skipped, queues: Object.fromEntries(byQueue) });
}

function rateOf(rate: unknown): number {
  return rate === undefined ? Infinity : Math.max(1, wholeNumber(rate, 'rate'));
}

/** What a publish to the exchange would reach. */
export async function explainPublish(call: ApiCall): Promise<Reply> {
  const exchange = exchangeOf(call);
  const key = call.body['routing_key'] ?? '';
  if (typeof key !== 'string') throw badRequest(['not_string', 'routing_key']);
  let headers;
  try {
    headers = tableFromJson(objectOf(call.body, 'headers'));
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(error.message);
    throw error;
  }
  const { queues, bindings } = await explainRouting(call.core, call.vhost(), exchange, key, headers);
  return ok({ queues, bindings: bindings.map(bindingView) });
}

/** The first bytes; of a text no half character at the end, which would make it look like no text. */
function shortened(body: Buffer, bytesMax: number): Buffer {
  if (body.length <= bytesMax) return body;
  let end = bytesMax;
  while (end > 0 && end > bytesMax - 4 && ((body[end] ?? 0) & 0xc0) === 0x80) end--;
  return body.subarray(0, end);
}

function moveTarget(call: ApiCall): MoveTarget {
  const { core, body } = call;
  const vhost = call.vhost();
  const { destination, exchange } = body;
  if (typeof destination === 'string' && exchange === undefined) {
    core.topology.check(call.actor, vhost, 'write', 'queue', destination);
    if (!vhost.queues.has(destination)) throw missing(`no queue '${destination}' in vhost '${vhost.name}'`);
    return { kind: 'queue', queue: core.topology.queue(vhost, destination, call.actor) };
  }
  if (typeof exchange === 'string' && destination === undefined) {
    const name = exchange === 'amq.default' ? '' : exchange;
    core.topology.check(call.actor, vhost, 'write', 'exchange', name);
    const found = core.topology.exchange(vhost, name);
    if (found.isInternal) throw badRequest(`cannot publish to internal exchange '${name}' in vhost '${vhost.name}'`);
    return { kind: 'exchange', exchange: found };
  }
  throw badRequest('one of destination (a queue) and exchange has to be given');
}

function singleMessages(call: ApiCall): RestorableQueue {
  const queue = call.core.topology.queue(call.vhost(), queueOf(call).name, call.actor);
  if (!hasSingleMessages(queue)) throw badRequest(`single messages cannot be taken out of a queue of type ${queue.type.name}`);
  return queue;
}

function placesOf(ids: unknown): MessagePlace[] | null {
  if (ids === undefined) return null;
  if (!Array.isArray(ids) || !ids.every(id => typeof id === 'string')) throw badRequest('ids should be a list of texts');
  return ids.map(id => {
    const place = parseMessageId(id);
    if (place === null) throw badRequest(`'${id.slice(0, 50)}' is no id of a message`);
    return place;
  });
}

function wholeNumber(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw badRequest(`${name} should be a whole number`);
}

/** A whole number of the query. @throws HttpError 400 */
export function numberOf(call: ApiCall, name: string, absent: number, max: number): number {
  const text = call.query.get(name);
  if (text === null) return absent;
  if (!/^\d{1,15}$/.test(text) || Number(text) > max)
    throw badRequest(`${name} should be a whole number${max === countMax ? ` up to ${max}` : ''}`);
  return Number(text);
}
