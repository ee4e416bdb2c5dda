import { BrokerError } from '../../../core/broker-error.ts';
import { presentBindings } from '../../../core/exchanges/binding.ts';
import type { Exchange } from '../../../core/exchanges/exchange.ts';
import type { Vhost } from '../../../core/vhost.ts';
import { fromBase64 } from '../../messages/payload-json.ts';
import { propertiesFromJson } from '../../messages/properties-json.ts';
import { publishMessage } from '../../messages/publish-message.ts';
import type { ApiCall } from '../api-call.ts';
import { publishErrorOf } from '../broker-errors.ts';
import { list, single } from '../listing.ts';
import { booleanOf, objectOf, requireKeys } from '../json-body.ts';
import { badRequest, createdOrThere, noContent, notFound, ok, type Reply } from '../reply.ts';
import { sampleRangesOf } from '../sample-ranges.ts';
import { bindingView, defaultBinding, shownBinding, type ShownBinding } from '../views/binding-view.ts';
import { exchangeView } from '../views/exchange-view.ts';
import { bindingListing } from './bindings.ts';
import { argumentsOf, over } from './queues.ts';

interface VhostExchange {
  readonly vhost: string;
  readonly exchange: Exchange;
}

/** The name by which paths call the default exchange, which has none. */
const defaultExchangePath = 'amq.default';

export function listExchanges(call: ApiCall): Promise<Reply> {
  return listOf(call, call.memberVhosts());
}

export function listExchangesOfVhost(call: ApiCall): Promise<Reply> {
  return listOf(call, [call.vhost()]);
}

function listOf(call: ApiCall, vhosts: Iterable<Vhost>): Promise<Reply> {
  const ranges = sampleRangesOf(call.query);
  const withStatistics = !call.flag('disable_stats', call.services.settings.management.disableStats);
  return list(call, exchangesOf(vhosts), {
    keys: { vhost: each => each.vhost, name: each => each.exchange.name, type: each => each.exchange.type.name },
    name: each => each.exchange.name,
    view: each => exchangeView(call.services, each.vhost, each.exchange, ranges, withStatistics),
  });
}

function* exchangesOf(vhosts: Iterable<Vhost>): Iterable<VhostExchange> {
  for (const vhost of vhosts) for (const exchange of vhost.exchanges.values()) yield { vhost: vhost.name, exchange };
}

export function getExchange(call: ApiCall): Reply {
  const exchange = exchangeOf(call);
  const view = exchangeView(call.services, call.vhost().name, exchange, sampleRangesOf(call.query), true);
  return single(call, { ...view, incoming: [], outgoing: [] });
}

export async function putExchange(call: ApiCall): Promise<Reply> {
  const vhost = call.vhost();
  const name = exchangeName(call);
  const isNew = !vhost.exchanges.has(name);
  const type = call.body['type'] ?? 'direct';
  if (typeof type !== 'string') throw badRequest(['not_string', 'type']);
  const declaration = {
    name,
    isDurable: booleanOf(call.body, 'durable', false),
    isAutoDelete: booleanOf(call.body, 'auto_delete', false),
    isInternal: booleanOf(call.body, 'internal', false),
    arguments: argumentsOf(call.body),
  };
  const exchange = call.core.topology.declareExchange(vhost, type, declaration, call.actor);
  await over(call.core.sharding.taskOf(exchange));
  return createdOrThere(isNew);
}

export async function deleteExchange(call: ApiCall): Promise<Reply> {
  const vhost = call.vhost();
  const { name } = exchangeOf(call);
  call.core.topology.deleteExchange(vhost, name, call.flag('if-unused'), call.actor);
  await over(vhost.departures.of('exchange', name));
  return noContent;
}

/** Bindings from the exchange. */
export function listSourceBindings(call: ApiCall): Promise<Reply> {
  const vhost = call.vhost();
  const exchange = vhost.exchanges.get(exchangeName(call));
  return list(call, outgoing(vhost, exchange), { ...bindingListing, view: bindingView });
}

/** Bindings to the exchange. */
export function listDestinationBindings(call: ApiCall): Promise<Reply> {
  const vhost = call.vhost();
  const exchange = vhost.exchanges.get(exchangeName(call));
  const bindings = Array.from(presentBindings(exchange?.incoming), binding => shownBinding(vhost.name, binding));
  return list(call, bindings, { ...bindingListing, view: bindingView });
}

function* outgoing(vhost: Vhost, exchange: Exchange | undefined): Iterable<ShownBinding> {
  if (exchange === undefined) return;
  if (exchange === vhost.defaultExchange) for (const queue of vhost.queues.values()) yield defaultBinding(queue);
  for (const binding of presentBindings(exchange.bindings.values())) yield shownBinding(vhost.name, binding);
}

export function publishToExchange(call: ApiCall): Reply {
  const vhost = call.vhostToEnter();
  const { body, core } = call;
  if (!call.user.isLocal && !core.access.mayAccessVhost(call.user.name, vhost.name)) core.access.checkVhost(call.user.name, vhost.name);
  requireKeys(body, ['routing_key', 'properties', 'payload', 'payload_encoding']);
  const { payload } = body;
  if (typeof payload !== 'string') throw badRequest('payload_not_string');
  const message = {
    exchange: exchangeName(call),
    routingKey: typeof body['routing_key'] === 'string' ? body['routing_key'] : String(body['routing_key']),
    properties: propertiesFromJson(objectOf(body, 'properties')),
    body: payloadOf(payload, body['payload_encoding']),
  };
  try {
    return ok({ routed: publishMessage(core, vhost, call.actor, message) });
  } catch (error) {
    if (error instanceof BrokerError) throw publishErrorOf(error);
    throw error;
  }
}

function payloadOf(payload: string, encoding: unknown): Buffer {
  if (encoding === 'string') return Buffer.from(payload);
  if (encoding !== 'base64') throw badRequest(['unsupported_encoding', encoding]);
  const bytes = fromBase64(payload);
  if (bytes === null) throw badRequest(['not_base64', payload]);
  return bytes;
}

/** The exchange's own name: the default exchange has none. */
export function exchangeName(call: ApiCall, parameter = 'name'): string {
  const name = call.parameter(parameter);
  return name === defaultExchangePath ? '' : name;
}

/** The exchange of the path. @throws HttpError 404 */
export function exchangeOf(call: ApiCall): Exchange {
  const exchange = call.vhost().exchanges.get(exchangeName(call));
  if (exchange === undefined) throw notFound();
  return exchange;
}
