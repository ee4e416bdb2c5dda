import { delayMillisMax, deliverAtMillisMin, deliverInMillisMax, parseDeliverAt } from '../../../core/delays/delay.ts';
import { findHeld, listHeld, type MessageHolder, type ShownHeld } from '../../messages/held.ts';
import { payloadToJson } from '../../messages/payload-json.ts';
import { propertiesToJson } from '../../messages/properties-json.ts';
import type { ApiCall } from '../api-call.ts';
import { badRequest, type JsonObject, noContent, notFound, ok, type Reply } from '../reply.ts';
import { exchangeOf } from './exchanges.ts';
import { numberOf } from './messages.ts';
import { queueOf } from './queues.ts';

const countDefault = 50;
const countMax = 500;

type Handler = (call: ApiCall) => Promise<Reply>;
/** Finds who holds messages for a call, and whether its user may; null for one that holds none. */
type FindHolder = (call: ApiCall, permission: 'read' | 'write') => MessageHolder | null;

/** What can be asked of messages that are held for later. */
interface HeldHandlers {
  readonly list: Handler;
  readonly get: Handler;
  /** Holds a message until another time. */
  readonly reschedule: Handler;
  /** Drops a message. */
  readonly cancel: Handler;
}

export const delayedByExchange: HeldHandlers = handlersFor((call, permission) => {
  const exchange = exchangeOf(call);
  call.core.topology.check(call.actor, call.vhost(), permission, 'exchange', exchange.name);
  const { delay } = exchange;
  if (delay === null) return null;
  return {
    list: (offset, count) => delay.held.list(offset, count),
    find: number => delay.held.find(number),
    reschedule: (number, dueMillis) => delay.reschedule(number, dueMillis),
    cancel: number => delay.cancel(number),
  };
});

/** What a queue lets wait to be tried again; who may take its messages may do with them as he likes. */
export const delayedByQueue: HeldHandlers = handlersFor(call => {
  const queue = queueOf(call);
  call.core.topology.check(call.actor, call.vhost(), 'read', 'queue', queue.name);
  return queue.retries;
});

function handlersFor(holderOf: FindHolder): HeldHandlers {
  return {
    list: async call => {
      const offset = numberOf(call, 'offset', 0, Number.MAX_SAFE_INTEGER);
      const count = numberOf(call, 'count', countDefault, countMax);
      const held = holderOf(call, 'read');
      return ok(held === null ? [] : (await listHeld(call.core, held, offset, count)).map(view));
    },
    get: async call => {
      const held = holderOf(call, 'read');
      const message = held === null ? null : await findHeld(call.core, held, numberOfPath(call));
      if (message === null) throw notFound();
      return ok(view(message));
    },
    reschedule: async call => {
      const held = holderOf(call, 'write');
      call.core.turn.begin();
      const { clock } = call.core;
      const waitMillis = waitOf(call.body, clock.wallMillis);
      if (held?.reschedule(numberOfPath(call), clock.nowMillis + waitMillis) !== true) throw notFound();
      await call.core.committed();
      return noContent;
    },
    cancel: async call => {
      const held = holderOf(call, 'write');
      call.core.turn.begin();
      if (held?.cancel(numberOfPath(call)) !== true) throw notFound();
      await call.core.committed();
      return noContent;
    },
  };
}

function numberOfPath(call: ApiCall): number {
  const id = call.parameter('id');
  if (!/^\d{1,16}$/.test(id)) throw notFound();
  return Number(id);
}

/** How long to wait: {"delay": milliseconds} from now, or {"deliver_at": Unix milliseconds or an RFC 3339 text}. */
function waitOf({ delay, deliver_at: deliverAt }: JsonObject, wallMillis: number): number {
  if ((delay === undefined) === (deliverAt === undefined)) throw badRequest('one of delay and deliver_at has to be given');
  if (delay !== undefined) {
    if (typeof delay === 'number' && Number.isInteger(delay) && delay >= 0 && delay <= delayMillisMax) return delay;
    throw badRequest(`delay should be milliseconds from 0 to ${delayMillisMax}`);
  }
  const millis = typeof deliverAt === 'string' ? parseDeliverAt(deliverAt) : deliverAt;
  const isTime = typeof millis === 'number' && Number.isFinite(millis) && millis >= deliverAtMillisMin;
  if (isTime && millis - wallMillis <= deliverInMillisMax) return Math.max(0, millis - wallMillis);
  throw badRequest('deliver_at should be a Unix time in milliseconds or an RFC 3339 text, up to ten years ahead');
}

function view(message: ShownHeld): JsonObject {
  const { payload, encoding } = payloadToJson(message.body, 'auto');
  return {
    id: message.id,
    deliver_at: message.deliverAtMillis,
    remaining: Math.ceil(message.remainingMillis),
    ...(message.retryCount === null ? {} : { retry_count: message.retryCount }),
    exchange: message.exchange,
    routing_key: message.routingKey,
    payload,
    payload_encoding: encoding,
    payload_bytes: message.body.length,
    properties: propertiesToJson(message.properties),
  };
}
