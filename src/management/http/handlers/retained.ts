import { listRetained, retainedOf, type ShownRetained } from '../../messages/retained.ts';
import { payloadToJson } from '../../messages/payload-json.ts';
import { propertiesToJson } from '../../messages/properties-json.ts';
import { retainedQueueName } from '../../../core/retained/retained-queue-type.ts';
import type { ApiCall } from '../api-call.ts';
import { badRequest, type JsonObject, noContent, notFound, ok, type Reply } from '../reply.ts';
import { numberOf } from './messages.ts';

const countDefault = 50;
const countMax = 500;

/** Retained MQTT messages whose topic the filter `topic` matches (default: all), in no order. */
export async function listRetainedMessages(call: ApiCall): Promise<Reply> {
  const vhost = call.vhost();
  call.core.topology.check(call.actor, vhost, 'read', 'queue', retainedQueueName);
  const offset = numberOf(call, 'offset', 0, Number.MAX_SAFE_INTEGER);
  const count = numberOf(call, 'count', countDefault, countMax);
  const queue = retainedOf(vhost);
  const filter = call.query.get('topic') ?? '#';
  const pattern = filter.replaceAll('/', '.').replaceAll('+', '*');
  return ok(queue === null ? [] : (await listRetained(call.core, queue, pattern, offset, count)).map(view));
}

/** Forgets the retained message of one topic. */
export async function deleteRetainedMessage(call: ApiCall): Promise<Reply> {
  const vhost = call.vhost();
  call.core.topology.check(call.actor, vhost, 'write', 'queue', retainedQueueName);
  const topic = call.query.get('topic');
  if (topic === null || /[+#]/.test(topic)) throw badRequest('topic should name one topic');
  const queue = retainedOf(vhost);
  if (queue === null) throw notFound();
  call.core.turn.begin();
  await new Promise<void>(resolve => queue.whenRead(resolve));
  if (!queue.remove(topic.replaceAll('/', '.'))) throw notFound();
  await call.core.committed();
  return noContent;
}

function view({ routingKey, properties, body, remainingMillis }: ShownRetained): JsonObject {
  const { payload, encoding } = payloadToJson(body, 'auto');
  return {
    topic: routingKey.replaceAll('.', '/'),
    routing_key: routingKey,
    payload_bytes: body.length,
    payload,
    payload_encoding: encoding,
    properties: propertiesToJson(properties),
    expires_in_millis: remainingMillis === null ? null : Math.ceil(remainingMillis),
  };
}
