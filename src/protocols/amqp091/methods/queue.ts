import { notFound } from '../../../core/broker-error.ts';
import type { Queue } from '../../../core/queues/queue.ts';
import type { ShapeChange } from '../../../core/shape/shape-change.ts';
import { withoutLineBreaks } from '../../../core/resource-name.ts';
import {
  decodeQueueBind,
  decodeQueueDeclare,
  decodeQueueDelete,
  decodeQueuePurge,
  decodeQueueUnbind,
  encodeQueueBindOk,
  encodeQueueDeclareOk,
  encodeQueueDeleteOk,
  encodeQueuePurgeOk,
  encodeQueueUnbindOk,
  QueueDeclare,
} from '../../../wire/amqp091/methods.gen.ts';
import type { Channel } from '../channel.ts';
import { replyToName } from '../reply-to.ts';
import { replyWhenOver } from './late-answer.ts';

/** What fits the answer; a stream may have more. */
const messageCountMax = 0xffff_ffff;

/** The name, or the queue last declared on the channel for an empty one. @throws BrokerError NOT_FOUND [AMQP 0-9-1 domain queue-name] */
export function queueName(channel: Channel, name: string): string {
  if (name !== '') return withoutLineBreaks(name);
  if (channel.lastQueueName === null) throw notFound('no previously declared queue');
  return channel.lastQueueName;
}

/** [AMQP 0-9-1 queue.declare] */
export function declare(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeQueueDeclare(buffer, start, end);
  const { broker, vhost, actor } = channel.connection;
  broker.counters.queuesDeclared++;
  const name = broker.sharding.nameToDeclare(vhost, withoutLineBreaks(args.queue));
  // The pseudo-queue of direct reply-to exists for whoever asks; one of its real queues as long as its channel is there.
  if (args.queue === replyToName || args.queue.startsWith(`${replyToName}.`)) {
    const exists = args.queue === replyToName || vhost.hiddenQueues.has(args.queue);
    if (!exists) throw notFound(`no queue '${args.queue}' in vhost '${vhost.name}'`);
    if (!args.nowait) channel.reply(encodeQueueDeclareOk(channel.number, { queue: args.queue, messageCount: 0, consumerCount: 1 }));
    return;
  }
  // Here an empty name does not stand for the queue last declared.
  const queue = args.passive
    ? broker.topology.assertQueue(vhost, name, actor)
    : broker.topology.declareQueue(
        vhost,
        {
          name,
          isDurable: args.durable,
          owner: args.exclusive ? channel.connection : null,
          isAutoDelete: args.autoDelete,
          arguments: args.arguments,
        },
        actor,
      );
  channel.lastQueueName = queue.name;
  if (!args.passive && queue.change !== null) declareLate(channel, queue.change, args.nowait);
  else if (!args.nowait) channel.reply(declareOk(channel, queue));
}

function declareOk(channel: Channel, queue: Queue): Buffer {
  queue.catchUp();
  return encodeQueueDeclareOk(channel.number, {
    queue: queue.name,
    messageCount: Math.min(queue.readyCount, messageCountMax),
    consumerCount: queue.consumerCount,
  });
}

/** The queue is getting the shape that is declared: the answer comes when it has it, and that is durable. */
function declareLate(channel: Channel, change: ShapeChange, isSilent: boolean): void {
  const { connection } = channel;
  let isDurable = false;
  change.whenOver(() => {
    connection.broker.log.commit(() => {
      isDurable = true;
      channel.replyOn();
    }, null);
  });
  channel.replyLate(() => {
    const { outcome } = change;
    if (outcome === null || !isDurable) return false;
    if (outcome.error !== null) connection.failLate(outcome.error, channel.number, QueueDeclare);
    else if (!isSilent) connection.send(declareOk(channel, outcome.queue));
    return true;
  });
}

/** [AMQP 0-9-1 queue.bind] An empty routing key with an empty queue name stands for the queue's name. */
export function bind(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeQueueBind(buffer, start, end);
  const { broker, vhost, actor } = channel.connection;
  const name = queueName(channel, args.queue);
  const key = args.queue === '' && args.routingKey === '' ? name : args.routingKey;
  broker.sharding.assertWhole(vhost, name, 'bind');
  broker.topology.bind(vhost, withoutLineBreaks(args.exchange), 'queue', name, key, args.arguments, actor);
  if (!args.nowait) channel.reply(encodeQueueBindOk(channel.number));
}

/** [AMQP 0-9-1 queue.unbind] */
export function unbind(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeQueueUnbind(buffer, start, end);
  const { broker, vhost, actor } = channel.connection;
  const name = queueName(channel, args.queue);
  const key = args.queue === '' && args.routingKey === '' ? name : args.routingKey;
  broker.sharding.assertWhole(vhost, name, 'unbind');
  broker.topology.unbind(vhost, withoutLineBreaks(args.exchange), 'queue', name, key, args.arguments, actor);
  channel.reply(encodeQueueUnbindOk(channel.number));
}

/** [AMQP 0-9-1 queue.purge] */
export function purge(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeQueuePurge(buffer, start, end);
  const { broker, vhost, actor } = channel.connection;
  const name = queueName(channel, args.queue);
  broker.sharding.assertWhole(vhost, name, 'purge');
  const messageCount = broker.topology.purgeQueue(vhost, name, actor);
  if (!args.nowait) channel.reply(encodeQueuePurgeOk(channel.number, { messageCount }));
}

/** [AMQP 0-9-1 queue.delete] */
export function remove(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeQueueDelete(buffer, start, end);
  const { broker, vhost, actor } = channel.connection;
  const name = queueName(channel, args.queue);
  broker.sharding.assertWhole(vhost, name, 'delete');
  channel.holdingCancels(() => {
    const messageCount = broker.topology.deleteQueue(vhost, name, { ifUnused: args.ifUnused, ifEmpty: args.ifEmpty }, actor);
    if (!args.nowait) replyWhenOver(channel, vhost.departures.of('queue', name), encodeQueueDeleteOk(channel.number, { messageCount }));
  });
}
