import { deathNames, deliverNames, queueDeliverAt } from '../../core/statistics/columns.ts';
import type { Services } from '../services.ts';
import { type Family, header, labels, number } from './metric.ts';
import type { Totals } from './totals.ts';

/** The protocol that all traffic is counted for. */
const protocol = 'amqp091';

const deliverIndex = (name: (typeof deliverNames)[number]): number => queueDeliverAt + deliverNames.indexOf(name);

/** rabbitmq_global_*: counters by protocol, which newer dashboards use. */
export function* protocolFamilies(services: Services, totals: Totals): Iterable<string> {
  const { traffic } = totals;
  yield series('global_messages_received_total', 'counter', 'Messages received', [[{ protocol }, traffic.published]]);
  yield series('global_messages_received_confirm_total', 'counter', 'Messages received that want a confirm', [
    [{ protocol }, traffic.confirmed],
  ]);
  yield series('global_messages_routed_total', 'counter', 'Messages routed to queues', [
    [{ protocol }, Math.max(0, traffic.published - traffic.returnedUnroutable - traffic.droppedUnroutable)],
  ]);
  yield series('global_messages_unroutable_dropped_total', 'counter', 'Messages dropped because they reached no queue', [
    [{ protocol }, traffic.droppedUnroutable],
  ]);
  yield series('global_messages_unroutable_returned_total', 'counter', 'Messages returned because they reached no queue', [
    [{ protocol }, traffic.returnedUnroutable],
  ]);
  yield series('global_messages_confirmed_total', 'counter', 'Messages confirmed', [[{ protocol }, traffic.confirmed]]);
  yield byQueueType(totals, 'global_messages_delivered_total', 'Messages delivered', ['deliver', 'deliver_no_ack', 'get', 'get_no_ack']);
  yield byQueueType(totals, 'global_messages_delivered_consume_manual_ack_total', 'Messages delivered to consumers that acknowledge', [
    'deliver',
  ]);
  yield byQueueType(totals, 'global_messages_delivered_consume_auto_ack_total', 'Messages delivered to consumers that do not', [
    'deliver_no_ack',
  ]);
  yield byQueueType(totals, 'global_messages_delivered_get_manual_ack_total', 'Messages got, to be acknowledged', ['get']);
  yield byQueueType(totals, 'global_messages_delivered_get_auto_ack_total', 'Messages got without acknowledgement', ['get_no_ack']);
  yield byQueueType(totals, 'global_messages_get_empty_total', 'Gets that found no message', ['get_empty']);
  yield byQueueType(totals, 'global_messages_redelivered_total', 'Messages delivered again', ['redeliver']);
  yield byQueueType(totals, 'global_messages_acknowledged_total', 'Messages acknowledged', ['ack']);
  for (const [index, reason] of deathNames.entries()) yield deaths(totals, reason, index);
  yield series('global_publishers', 'gauge', 'Connections that have published', [[{ protocol }, publishers(services)]]);
  yield series('global_consumers', 'gauge', 'Consumers', [[{ protocol }, totals.consumers]]);
}

function byQueueType(totals: Totals, name: string, help: string, columns: readonly (typeof deliverNames)[number][]): string {
  return series(
    name,
    'counter',
    help,
    Array.from(totals.types, ([type, { messages }]) => [
      { protocol, queue_type: type },
      columns.reduce((sum, column) => sum + (messages[deliverIndex(column)] ?? 0), 0),
    ]),
  );
}

function deaths(totals: Totals, reason: string, index: number): string {
  return series(
    `global_messages_dead_lettered_${reason}_total`,
    'counter',
    `Messages dead-lettered: ${reason}`,
    Array.from(totals.types).flatMap(([type, { deadLettered, dropped }]) => [
      [{ queue_type: type, dead_letter_strategy: 'at_most_once' }, deadLettered[index] ?? 0],
      [{ queue_type: type, dead_letter_strategy: 'disabled' }, dropped[index] ?? 0],
    ]),
  );
}

function publishers({ core }: Services): number {
  let count = 0;
  for (const connection of core.connections) if (connection.isPublisher) count++;
  return count;
}

type LabelledValue = readonly [Readonly<Record<string, string>>, number];

/** A family whose series differ in their labels. */
export function series(name: string, type: Family['type'], help: string, values: readonly LabelledValue[]): string {
  const full = `rabbitmq_${name}`;
  return header(full, { name, type, help }) + values.map(([pairs, value]) => `${full}${labels(pairs)} ${number(value)}\n`).join('');
}
