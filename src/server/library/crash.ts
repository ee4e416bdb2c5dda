import type { BrokerCore } from '../../core/broker.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import { Entry, metaPersistent, priorityOf } from '../../core/queues/entry.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { dropMessage, hasSingleMessages } from '../../management/messages/take-out.ts';

/**
 * Leaves of a broker, whose connections are gone, what a restart after a crash would: durable exchanges, queues and bindings, and in durable
 * queues their persistent messages, those that had been delivered as redelivered. `isLost` names messages that are gone all the same.
 */
export function keepDurable(core: BrokerCore, isLost: (queue: Queue, ref: MessageRef) => boolean): void {
  core.turn.begin();
  for (const vhost of core.vhosts.values()) {
    for (const queue of [...vhost.queues.values()]) {
      if (!queue.isDurable || queue.isExclusive) vhost.removeQueue(queue);
      else dropMessages(queue, entry => (entry.meta & metaPersistent) === 0 || isLost(queue, entry.ref));
    }
    for (const exchange of [...vhost.exchanges.values()]) {
      if (!exchange.isDurable) vhost.removeExchange(exchange);
    }
  }
  core.turn.run();
}

function dropMessages(queue: Queue, goes: (entry: Entry) => boolean): void {
  if (!hasSingleMessages(queue)) return;
  const going: Entry[] = [];
  queue.forEachReady(entry => {
    if (goes(entry)) going.push(Object.assign(new Entry(), entry));
    return true;
  });
  for (const { meta, sequence } of going) dropMessage(queue, { priority: priorityOf(meta), sequence });
}
