import { delayMillisMax, deliverAtMillisMin, deliverInMillisMax, parseDeliverAt } from '../../../core/delays/delay.ts';
import type { HeldMessages } from '../../../core/delays/held-messages.ts';
import { findHeld, listHeld, type ShownHeld } from '../../messages/held.ts';
import { payloadToJson } from '../../messages/payload-json.ts';
import { propertiesToJson } from '../../messages/properties-json.ts';
import type { ApiCall } from '../api-call.ts';
import { badRequest, type JsonObject, noContent, notFound, ok, type Reply } from '../reply.ts';
import { exchangeOf } from './exchanges.ts';
import { numberOf } from './messages.ts';

const countDefault = 50;
const countMax = 500;

/** What an exchange holds for later, in the order of release. */
export async function listDelayed(call: ApiCall): Promise<Reply> {
  const offset = numberOf(call, 'offset', 0, Number.MAX_SAFE_INTEGER);
  const count = numberOf(call, 'count', countDefault, countMax);
  const held = heldOf(call, 'read');
  return ok(held === null ? [] : (await listHeld(call.core, held, offset, count)).map(view));
}

export async function getDelayed(call: ApiCall): Promise<Reply> {
  const held = heldOf(call, 'read');
  const message = held === null ? null : await findHeld(call.core, held, numberOfPath(call));
  if (message === null) throw notFound();
  return ok(view(message));
}

/** Drops a held message. */
export async function cancelDelayed(call: ApiCall): Promise<Reply> {
  heldOf(call, 'write');
  call.core.turn.begin();
  if (exchangeOf(call).delay?.cancel(numberOfPath(call)) !== true) throw notFound();
  await call.core.committed();
  return noContent;
}

/** Holds a message until another time. */
export async function rescheduleDelayed(call: ApiCall): Promise<Reply> {
  heldOf(call, 'write');
  call.core.turn.begin();
  const { clock } = call.core;
  const waitMillis = waitOf(call.body, clock.wallMillis);
  if (exchangeOf(call).delay?.reschedule(numberOfPath(call), clock.nowMillis + waitMillis) !== true) throw notFound();
  await call.core.committed();
  return noContent;
}

function heldOf(call: ApiCall, permission: 'read' | 'write'): HeldMessages | null {
  const exchange = exchangeOf(call);
  call.core.topology.check(call.actor, call.vhost(), permission, 'exchange', exchange.name);
  return exchange.delay?.held ?? null;
}

function numberOfPath(call: ApiCall): number {
  const id = call.parameter('id');
  if (!/^\d{1,15}$/.test(id)) throw notFound();
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
    exchange: message.exchange,
    routing_key: message.routingKey,
    payload,
    payload_encoding: encoding,
    payload_bytes: message.body.length,
    properties: propertiesToJson(message.properties),
  };
}
