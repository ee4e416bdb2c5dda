import { exchangeOf, routingKeyOf } from '../../../core/messages/envelope.ts';
import type { UnroutableMessage } from '../../../core/messages/unroutable-log.ts';
import { payloadToJson } from '../../messages/payload-json.ts';
import { propertiesToJson } from '../../messages/properties-json.ts';
import { propertiesOf } from '../../messages/read-message.ts';
import type { ApiCall } from '../api-call.ts';
import { type JsonObject, noContent, ok, type Reply } from '../reply.ts';

/** The last messages of the virtual host that reached no queue, newest first: those of exchanges that the user may read from. */
export function listUnroutable(call: ApiCall): Reply {
  const vhost = call.vhost();
  const { core, actor } = call;
  const shown: JsonObject[] = [];
  for (const message of vhost.unroutable.list()) {
    const exchange = exchangeOf(message.envelope, 0);
    if (actor.isBroker || core.access.authorize(actor.user, vhost.name, 'read', exchange)) shown.push(view(call, exchange, message));
  }
  return ok(shown);
}

/** Forgets them. */
export function clearUnroutable(call: ApiCall): Reply {
  call.vhost().unroutable.clear();
  return noContent;
}

function view(call: ApiCall, exchange: string, message: UnroutableMessage): JsonObject {
  const { payload, encoding } = payloadToJson(Buffer.from(message.body), 'auto');
  return {
    id: String(message.number),
    timestamp: Math.floor(message.wallMillis),
    exchange,
    routing_key: routingKeyOf(message.envelope, 0),
    properties:
      message.properties === null ? null : propertiesToJson(propertiesOf(call.core, message.format, Buffer.from(message.properties))),
    payload,
    payload_encoding: encoding,
    payload_bytes: message.bodyBytes,
    is_truncated: message.body.length < message.bodyBytes,
  };
}
