import { type DeathReason, deathReasons } from '../../core/dead-letter.ts';
import { deliverNames, queueDeliverAt } from '../../core/statistics/columns.ts';
import { deathStrategies } from '../../core/statistics/death-counts.ts';
import { messageSizeBounds, type MessageSizes } from '../../core/statistics/message-sizes.ts';
import type { DeliveryCounters, ProtocolCounters } from '../../core/statistics/protocol-counters.ts';
import type { Services } from '../services.ts';
import { type Family, header, labels, number } from './metric.ts';
import type { Totals } from './totals.ts';

/** The protocol that did what no other did. */
const rest = 'amqp091';

const deliverIndex = (name: (typeof deliverNames)[number]): number => queueDeliverAt + deliverNames.indexOf(name);

type Published = 'published' | 'confirmed' | 'droppedUnroutable';

/** rabbitmq_global_*: counters by protocol, which newer dashboards use. */
export function* protocolFamilies(services: Services, totals: Totals): Iterable<string> {
  const { traffic } = totals;
  const { protocols } = services.core.counters;
  const byProtocol = (total: number, of: (counters: ProtocolCounters) => number): LabelledValue[] => {
    const others = Array.from(protocols, ([protocol, counters]) => [{ protocol }, of(counters)] as const);
    return [
      [
        { protocol: rest },
        Math.max(
          0,
          others.reduce((left, [, value]) => left - value, total),
        ),
      ],
      ...others,
    ];
  };
  const published = (name: Published): LabelledValue[] => byProtocol(traffic[name], counters => counters[name]);
  yield series('global_messages_received_total', 'counter', 'Messages received', published('published'));
  yield series('global_messages_received_confirm_total', 'counter', 'Messages received that want a confirm', published('confirmed'));
  yield series(
    'global_messages_routed_total',
    'counter',
    'Messages routed to queues',
    byProtocol(
      Math.max(0, traffic.published - traffic.returnedUnroutable - traffic.droppedUnroutable),
      counters => counters.published - counters.droppedUnroutable,
    ),
  );
  yield series(
    'global_messages_unroutable_dropped_total',
    'counter',
    'Messages dropped because they reached no queue',
    published('droppedUnroutable'),
  );
  yield series('global_messages_unroutable_returned_total', 'counter', 'Messages returned because they reached no queue', [
    [{ protocol: rest }, traffic.returnedUnroutable],
  ]);
  yield series('global_messages_confirmed_total', 'counter', 'Messages confirmed', published('confirmed'));
  const delivered = (name: string, help: string, columns: readonly DeliverName[]): string =>
    series(name, 'counter', help, deliveries(totals, protocols, columns));
  yield delivered('global_messages_delivered_total', 'Messages delivered', ['deliver', 'deliver_no_ack', 'get', 'get_no_ack']);
  yield delivered('global_messages_delivered_consume_manual_ack_total', 'Messages delivered to consumers that acknowledge', ['deliver']);
  yield delivered('global_messages_delivered_consume_auto_ack_total', 'Messages delivered to consumers that do not', ['deliver_no_ack']);
  yield delivered('global_messages_delivered_get_manual_ack_total', 'Messages got, to be acknowledged', ['get']);
  yield delivered('global_messages_delivered_get_auto_ack_total', 'Messages got without acknowledgement', ['get_no_ack']);
  yield delivered('global_messages_get_empty_total', 'Gets that found no message', ['get_empty']);
  yield delivered('global_messages_redelivered_total', 'Messages delivered again', ['redeliver']);
  yield delivered('global_messages_acknowledged_total', 'Messages acknowledged', ['ack']);
  for (const reason of deathReasons) yield deaths(services, reason);
  yield series(
    'global_messages_dead_lettered_confirmed_total',
    'counter',
    'Dead letters of the strategy at-least-once that their targets have taken',
    Array.from(services.core.queueTypes.values(), type => [
      { queue_type: type.internalName, dead_letter_strategy: 'at_least_once' },
      services.core.deadLetters.counts.of(type).confirmed,
    ]),
  );
  yield series('global_publishers', 'gauge', 'Connections that have published', publishers(services));
  yield series('global_consumers', 'gauge', 'Consumers', consumers(services, totals));
  yield messageSizes(services);
}

type DeliverName = (typeof deliverNames)[number];

/** By protocol and queue type: what the queues count, less what other protocols took, is AMQP's. */
function deliveries(totals: Totals, protocols: ReadonlyMap<string, ProtocolCounters>, columns: readonly DeliverName[]): LabelledValue[] {
  const values: LabelledValue[] = [];
  for (const [type, { messages }] of totals.types) {
    let left = columns.reduce((sum, column) => sum + (messages[deliverIndex(column)] ?? 0), 0);
    const others: LabelledValue[] = [];
    for (const [protocol, counters] of protocols) {
      const taken = counters.deliveries.get(type);
      if (taken === undefined) continue;
      const count = columns.reduce((sum, column) => sum + countOf(taken, column), 0);
      left -= count;
      others.push([{ protocol, queue_type: type }, count]);
    }
    values.push([{ protocol: rest, queue_type: type }, Math.max(0, left)], ...others);
  }
  return values;
}

/** Nobody but AMQP gets messages one by one. */
function countOf(counters: DeliveryCounters, column: DeliverName): number {
  switch (column) {
    case 'deliver':
      return counters.delivered;
    case 'deliver_no_ack':
      return counters.deliveredNoAck;
    case 'redeliver':
      return counters.redelivered;
    case 'ack':
      return counters.acked;
    default:
      return 0;
  }
}

function deaths({ core }: Services, reason: DeathReason): string {
  return series(
    `global_messages_dead_lettered_${reason}_total`,
    'counter',
    `Messages dead-lettered: ${reason}`,
    Array.from(core.queueTypes.values()).flatMap(type =>
      deathStrategies.map(
        strategy =>
          [
            { queue_type: type.internalName, dead_letter_strategy: strategy },
            core.deadLetters.counts.of(type).count(strategy, reason),
          ] as const,
      ),
    ),
  );
}

/** Sizes of what clients published, as a histogram. [RabbitMQ 4.1: rabbitmq_message_size_bytes] */
function messageSizes({ core: { counters } }: Services): string {
  const name = 'rabbitmq_message_size_bytes';
  const histogram = (protocol: string, { counts, bytes }: MessageSizes): string => {
    let text = '';
    let count = 0;
    for (const [index, own] of counts.entries()) {
      count += own;
      text += `${name}_bucket${labels({ protocol, le: String(messageSizeBounds[index] ?? '+Inf') })} ${number(count)}\n`;
    }
    return `${text}${name}_count${labels({ protocol })} ${number(count)}\n${name}_sum${labels({ protocol })} ${number(bytes)}\n`;
  };
  return (
    header(name, { name, type: 'histogram', help: 'Sizes of messages published by clients' }) +
    histogram(rest, counters.messageSizes) +
    Array.from(counters.protocols, ([protocol, { messageSizes: sizes }]) => histogram(protocol, sizes)).join('')
  );
}

function publishers({ core }: Services): LabelledValue[] {
  const counts = new Map<string, number>([[rest, 0]]);
  for (const name of core.counters.protocols.keys()) counts.set(name, 0);
  for (const connection of core.connections) {
    if (!connection.isPublisher) continue;
    const name = metricsProtocol(connection.protocol);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Array.from(counts, ([protocol, count]) => [{ protocol }, count]);
}

function consumers({ core }: Services, totals: Totals): LabelledValue[] {
  const counts = new Map<string, number>();
  for (const name of core.counters.protocols.keys()) counts.set(name, 0);
  let left = totals.consumers;
  for (const connection of core.connections) {
    const name = metricsProtocol(connection.protocol);
    if (name === rest) continue;
    let count = 0;
    for (const channel of connection.channelInfos()) count += channel.describe().consumerCount;
    counts.set(name, (counts.get(name) ?? 0) + count);
    left -= count;
  }
  return [[{ protocol: rest }, Math.max(0, left)], ...Array.from(counts, ([protocol, count]) => [{ protocol }, count] as const)];
}

/** The label of a connection's protocol: MQTT 3-1-1, or Web MQTT 3-1-1, is mqtt311. */
function metricsProtocol(protocol: string): string {
  const mqtt = /MQTT (\d)-(\d)(?:-(\d))?/.exec(protocol);
  if (mqtt !== null) return `mqtt${mqtt.slice(1).join('')}`;
  return protocol.includes('STOMP') ? 'stomp' : rest;
}

type LabelledValue = readonly [Readonly<Record<string, string>>, number];

/** A family whose series differ in their labels. */
export function series(name: string, type: Family['type'], help: string, values: readonly LabelledValue[]): string {
  const full = `rabbitmq_${name}`;
  return header(full, { name, type, help }) + values.map(([pairs, value]) => `${full}${labels(pairs)} ${number(value)}\n`).join('');
}
