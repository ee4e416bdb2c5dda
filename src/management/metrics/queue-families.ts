import type { Queue } from '../../core/queues/queue.ts';
import { queueColumns } from '../../core/statistics/columns.ts';
import { headOf } from '../messages/head.ts';
import type { Services } from '../services.ts';
import type { ObjectFamily } from './metric.ts';

const coarse = 'queue_coarse_metrics';
const fine = 'queue_metrics';
const deliveries = 'queue_delivery_metrics';
const own = 'queue_time_metrics';

const ready = queueColumns.index('messages_ready');
const unacked = queueColumns.index('messages_unacknowledged');
const utilisation = queueColumns.index('consumer_utilisation');
const leaving = ['deliver', 'deliver_no_ack', 'get', 'get_no_ack'].map(name => queueColumns.index(name));
const acked = [queueColumns.index('ack')];

/** Samples over which the use of consumers is averaged. */
const utilisationSamples = 12;

/** What is told of every queue. [RabbitMQ docs: Prometheus, names and labels] */
export function queueFamilies(services: Services): readonly ObjectFamily<Queue>[] {
  const { statistics, core } = services;
  const bytes = (queue: Queue): number => queue.readyBytes + queue.unackedBytes;
  const use = (queue: Queue): number => {
    const history = statistics.of(queue);
    if (history === undefined || queue.consumerCount === 0) return 0;
    let sum = 0;
    for (let ago = 0; ago < utilisationSamples; ago++) sum += history.valueAgo(utilisation, ago);
    return sum / utilisationSamples;
  };
  /** How long a message stays on average where so many are and so many leave a second. [Little's law] */
  const stay = (queue: Queue, length: number, leave: readonly number[]): number => {
    const history = statistics.of(queue);
    if (history === undefined) return 0;
    let left = 0;
    for (const column of leave) left += history.lastRise(column);
    if (left === 0) return 0;
    return (((history.latest(length) + history.valueAgo(length, 1)) / 2) * (statistics.sampleMillis / 1000)) / left;
  };
  /** Messages of a queue with a log of its own are on disk. */
  const inMemory = (queue: Queue, value: number): number => (queue.hasOwnLog ? 0 : value);
  return [
    {
      name: 'queue_messages_ready',
      type: 'gauge',
      help: 'Messages that can be delivered',
      group: coarse,
      value: queue => queue.readyCount,
    },
    {
      name: 'queue_messages_unacked',
      type: 'gauge',
      help: 'Messages delivered and not acknowledged',
      group: coarse,
      value: queue => queue.unackedCount,
    },
    { name: 'queue_messages', type: 'gauge', help: 'Messages ready and unacknowledged', group: coarse, value: queue => queue.messageCount },
    {
      name: 'queue_process_reductions_total',
      type: 'counter',
      help: "Work of the queue's Erlang process; none here",
      group: coarse,
      value: () => 0,
    },
    {
      name: 'queue_consumers',
      type: 'gauge',
      help: 'Consumers of a queue',
      group: 'queue_consumer_count',
      value: queue => queue.consumerCount,
    },
    {
      name: 'queue_consumer_capacity',
      type: 'gauge',
      help: 'Share of the time in which a consumer could take a message at once',
      group: fine,
      value: use,
      isNotSummed: true,
    },
    { name: 'queue_consumer_utilisation', type: 'gauge', help: 'The same as the capacity', group: fine, value: use, isNotSummed: true },
    {
      name: 'queue_process_memory_bytes',
      type: 'gauge',
      help: 'Memory of a queue besides its messages',
      group: fine,
      value: queue => 1500 + 20 * inMemory(queue, queue.messageCount),
    },
    {
      name: 'queue_messages_ram',
      type: 'gauge',
      help: 'Messages in memory',
      group: fine,
      value: queue => inMemory(queue, queue.messageCount),
    },
    {
      name: 'queue_messages_ram_bytes',
      type: 'gauge',
      help: 'Bytes of messages in memory',
      group: fine,
      value: queue => inMemory(queue, bytes(queue)),
    },
    {
      name: 'queue_messages_ready_ram',
      type: 'gauge',
      help: 'Ready messages in memory',
      group: fine,
      value: queue => inMemory(queue, queue.readyCount),
    },
    {
      name: 'queue_messages_unacked_ram',
      type: 'gauge',
      help: 'Unacknowledged messages in memory',
      group: fine,
      value: queue => queue.unackedCount,
    },
    {
      name: 'queue_messages_persistent',
      type: 'gauge',
      help: 'Messages of durable queues',
      group: fine,
      value: queue => (queue.isLogging || queue.hasOwnLog ? queue.messageCount : 0),
    },
    {
      name: 'queue_messages_persistent_bytes',
      type: 'gauge',
      help: 'Bytes of messages of durable queues',
      group: fine,
      value: queue => (queue.isLogging || queue.hasOwnLog ? bytes(queue) : 0),
    },
    { name: 'queue_messages_bytes', type: 'gauge', help: 'Bytes of messages', group: fine, value: bytes },
    { name: 'queue_messages_ready_bytes', type: 'gauge', help: 'Bytes of ready messages', group: fine, value: queue => queue.readyBytes },
    {
      name: 'queue_messages_unacked_bytes',
      type: 'gauge',
      help: 'Bytes of unacknowledged messages',
      group: fine,
      value: queue => queue.unackedBytes,
    },
    {
      name: 'queue_messages_paged_out',
      type: 'gauge',
      help: 'Messages on disk only',
      group: fine,
      value: queue => (queue.hasOwnLog ? queue.messageCount : 0),
    },
    { name: 'queue_messages_paged_out_bytes', type: 'gauge', help: 'Bytes of messages on disk only', group: fine, value: () => 0 },
    {
      name: 'queue_head_message_timestamp',
      type: 'gauge',
      help: 'Timestamp property of the first message',
      group: fine,
      value: queue => headOf(core, queue)?.timestampSeconds ?? NaN,
      isNotSummed: true,
    },
    { name: 'queue_disk_reads_total', type: 'counter', help: 'Messages read from disk', group: fine, value: () => 0 },
    { name: 'queue_disk_writes_total', type: 'counter', help: 'Messages written to disk', group: fine, value: () => 0 },
    {
      name: 'queue_get_ack_total',
      type: 'counter',
      help: 'Messages got, to be acknowledged',
      group: deliveries,
      value: queue => queue.counters.got,
    },
    {
      name: 'queue_get_total',
      type: 'counter',
      help: 'Messages got without acknowledgement',
      group: deliveries,
      value: queue => queue.counters.gotNoAck,
    },
    {
      name: 'queue_messages_delivered_ack_total',
      type: 'counter',
      help: 'Messages delivered, to be acknowledged',
      group: deliveries,
      value: queue => queue.counters.delivered,
    },
    {
      name: 'queue_messages_delivered_total',
      type: 'counter',
      help: 'Messages delivered without acknowledgement',
      group: deliveries,
      value: queue => queue.counters.deliveredNoAck,
    },
    {
      name: 'queue_messages_redelivered_total',
      type: 'counter',
      help: 'Messages delivered again',
      group: deliveries,
      value: queue => queue.counters.redelivered,
    },
    {
      name: 'queue_messages_acked_total',
      type: 'counter',
      help: 'Messages acknowledged',
      group: deliveries,
      value: queue => queue.counters.acked,
    },
    {
      name: 'queue_get_empty_total',
      type: 'counter',
      help: 'Gets that found no message',
      group: deliveries,
      value: queue => queue.counters.gotEmpty,
    },
    {
      name: 'queue_paused',
      isOwn: true,
      type: 'gauge',
      help: 'Whether somebody paused the queue: it hands out nothing; summed, how many are',
      group: own,
      value: queue => (queue.paused === null ? 0 : 1),
    },
    {
      name: 'queue_oldest_message_age_seconds',
      isOwn: true,
      type: 'gauge',
      help: 'Age of the first ready message',
      group: own,
      value: queue => (headOf(core, queue)?.ageMillis ?? 0) / 1000,
      isNotSummed: true,
    },
    {
      name: 'queue_time_in_queue_seconds',
      isOwn: true,
      type: 'gauge',
      help: 'How long messages wait until they are delivered, on average',
      group: own,
      value: queue => stay(queue, ready, leaving),
      isNotSummed: true,
    },
    {
      name: 'queue_time_to_ack_seconds',
      isOwn: true,
      type: 'gauge',
      help: 'How long deliveries wait for their acknowledgement, on average',
      group: own,
      value: queue => stay(queue, unacked, acked),
      isNotSummed: true,
    },
  ];
}
