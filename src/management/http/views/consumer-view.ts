import { tableToJson } from '../../../base/field-table.ts';
import { channelName } from '../../../core/connection-registry.ts';
import type { Consumer } from '../../../core/consumer.ts';
import type { JsonObject } from '../reply.ts';

export function consumerView(consumer: Consumer, nodeName: string): JsonObject {
  const { queue } = consumer;
  const identity = consumer.sink.identity?.();
  const isSingle = queue.arguments.get('x-single-active-consumer')?.value === true;
  const offset = queue.offsetOf(consumer);
  return {
    // Of a stream: where the consumer is. [RabbitMQ: rabbitmq_stream_management, consumers]
    ...(queue.ownLog === null || offset < 0 ? {} : { offset, offset_lag: queue.ownLog.endOffset - 1 - offset }),
    ack_required: !consumer.noAck,
    active: consumer.isActive,
    activity_status: isSingle ? (consumer.isActive ? 'single_active' : 'waiting') : 'up',
    arguments: tableToJson(consumer.arguments),
    channel_details:
      identity === undefined
        ? {}
        : {
            connection_name: identity.connectionName,
            name: channelName(identity.connectionName, identity.number),
            node: nodeName,
            number: identity.number,
            peer_host: identity.peerHost,
            peer_port: identity.peerPort,
            user: identity.user,
          },
    consumer_tag: consumer.tag,
    exclusive: consumer.isExclusive,
    prefetch_count: consumer.prefetchCount,
    queue: { name: queue.name, vhost: queue.vhostName },
  };
}
