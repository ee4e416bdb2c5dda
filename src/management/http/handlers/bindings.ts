import { type Binding, presentBindings } from '../../../core/exchanges/binding.ts';
import type { Vhost } from '../../../core/vhost.ts';
import type { ApiCall } from '../api-call.ts';
import { list, type Listing, single } from '../listing.ts';
import { accessRefused, badRequest, noContent, notFound, type Reply } from '../reply.ts';
import {
  bindingView,
  defaultBinding,
  percentEncoded,
  plainPropertiesKey,
  propertiesKey,
  shownBinding,
  type ShownBinding,
} from '../views/binding-view.ts';
import { exchangeName } from './exchanges.ts';
import { argumentsOf } from './queues.ts';

export const bindingListing: Pick<Listing<ShownBinding>, 'keys'> = {
  keys: {
    vhost: binding => binding.vhost,
    source: binding => binding.source,
    destination_type: binding => binding.kind,
    destination: binding => binding.destination,
    routing_key: binding => binding.key,
    properties_key: binding => propertiesKey(binding.key, binding.arguments),
  },
};

export function listBindings(call: ApiCall): Promise<Reply> {
  return list(call, bindingsOf(call.memberVhosts()), { ...bindingListing, view: bindingView, name: binding => binding.destination });
}

export function listBindingsOfVhost(call: ApiCall): Promise<Reply> {
  return list(call, bindingsOf([call.vhost()]), { ...bindingListing, view: bindingView, name: binding => binding.destination });
}

function* bindingsOf(vhosts: Iterable<Vhost>): Iterable<ShownBinding> {
  for (const vhost of vhosts) {
    for (const queue of vhost.queues.values()) yield defaultBinding(queue);
    for (const exchange of vhost.exchanges.values()) {
      for (const binding of presentBindings(exchange.bindings.values())) yield shownBinding(vhost.name, binding);
    }
  }
}

/** The bindings between an exchange and a queue, or another exchange. */
export function listBindingsBetween(call: ApiCall): Promise<Reply> {
  return list(call, between(call), { ...bindingListing, view: bindingView });
}

export function postBinding(call: ApiCall): Reply {
  const vhost = call.vhost();
  const { kind, source, destination } = endsOf(call);
  const key = call.body['routing_key'] ?? '';
  if (typeof key !== 'string') throw badRequest(['not_string', 'routing_key']);
  if (Buffer.byteLength(key) > 255) throw badRequest('routing_key is longer than 255 bytes');
  const args = argumentsOf(call.body);
  call.core.topology.bind(vhost, source, kind, destination, key, args, call.actor);
  const location = `${percentEncoded(destination)}/${percentEncoded(propertiesKey(key, args)).replaceAll('%7E', '~')}`;
  return { status: 201, headers: { location } };
}

export function getBinding(call: ApiCall): Reply {
  return single(call, bindingView(bindingOf(call)));
}

export function deleteBinding(call: ApiCall): Reply {
  const { kind, key, arguments: args, destination, source } = bindingOf(call);
  if (source === '') throw accessRefused();
  call.core.topology.unbind(call.vhost(), source, kind, destination, key, args, call.actor);
  return noContent;
}

interface Ends {
  readonly kind: 'queue' | 'exchange';
  readonly source: string;
  readonly destination: string;
}

function endsOf(call: ApiCall): Ends {
  const kind = call.route.path.includes('/q/') ? 'queue' : 'exchange';
  const destination = kind === 'queue' ? call.parameter('destination') : exchangeName(call, 'destination');
  return { kind, source: exchangeName(call, 'source'), destination };
}

function* between(call: ApiCall): Iterable<ShownBinding> {
  const vhost = call.vhost();
  const { kind, source, destination } = endsOf(call);
  if (source === '' && kind === 'queue') {
    const queue = vhost.queues.get(destination);
    if (queue !== undefined) yield defaultBinding(queue);
  }
  const target = kind === 'queue' ? vhost.queues.get(destination) : vhost.exchanges.get(destination);
  for (const binding of presentBindings(target?.incoming)) if (isFrom(binding, source)) yield shownBinding(vhost.name, binding);
}

function isFrom(binding: Binding, source: string): boolean {
  return binding.source.name === source;
}

/** By its properties key; a routing key that is not escaped in it is understood too. [RabbitMQ: unpack_binding_props] */
function bindingOf(call: ApiCall): ShownBinding {
  const key = call.parameter('props');
  let found: ShownBinding | undefined;
  for (const binding of between(call)) {
    if (propertiesKey(binding.key, binding.arguments) === key) return binding;
    if (plainPropertiesKey(binding.key, binding.arguments) === key) found = binding;
  }
  if (found === undefined) throw notFound();
  return found;
}
