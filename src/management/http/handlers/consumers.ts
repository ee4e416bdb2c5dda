import type { Consumer } from '../../../core/consumer.ts';
import type { Vhost } from '../../../core/vhost.ts';
import type { ApiCall } from '../api-call.ts';
import { isMonitor } from '../api-user.ts';
import { list } from '../listing.ts';
import type { Reply } from '../reply.ts';
import { consumerView } from '../views/consumer-view.ts';

export function listConsumers(call: ApiCall): Promise<Reply> {
  return listOf(call, call.core.vhosts.values());
}

export function listConsumersOfVhost(call: ApiCall): Promise<Reply> {
  return listOf(call, [call.vhost()]);
}

function listOf(call: ApiCall, vhosts: Iterable<Vhost>): Promise<Reply> {
  return list(call, consumersOf(call, vhosts), {
    keys: {
      vhost: consumer => consumer.queue.vhostName,
      queue: consumer => consumer.queue.name,
      consumer_tag: consumer => consumer.tag,
    },
    name: consumer => consumer.tag,
    view: consumer => consumerView(consumer, call.nodeName),
  });
}

/** Monitors see all consumers, others those of their own connections. */
function* consumersOf(call: ApiCall, vhosts: Iterable<Vhost>): Iterable<Consumer> {
  const seesAll = isMonitor(call.user);
  for (const vhost of vhosts) {
    for (const queue of vhost.queues.values()) {
      if (queue.consumerCount === 0) continue;
      for (const consumer of queue.consumers()) {
        if (seesAll || consumer.sink.identity?.().user === call.user.name) yield consumer;
      }
    }
  }
}
