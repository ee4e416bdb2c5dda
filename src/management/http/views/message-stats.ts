import type { TrafficCounters } from '../../../core/statistics/columns.ts';
import { channelColumns, exchangeColumns, queueColumns } from '../../../core/statistics/columns.ts';
import type { Columns, History } from '../../../core/statistics/history.ts';
import type { ExchangeCounters } from '../../../core/exchanges/exchange-counters.ts';
import type { QueueCounters } from '../../../core/queues/queue-counters.ts';
import type { JsonObject } from '../reply.ts';
import type { SampleRange } from '../sample-ranges.ts';
import type { RateWriter } from './rates.ts';

/** A field and the counters that add up to it. */
type Field = readonly [name: string, columns: readonly number[]];

function fieldsOf(columns: Columns, names: readonly string[]): readonly Field[] {
  return names.map(name => [name, [columns.index(name)]]);
}

function delivered(columns: Columns): readonly Field[] {
  const deliverGet = ['deliver', 'deliver_no_ack', 'get', 'get_no_ack'].map(name => columns.index(name));
  return [
    ...fieldsOf(columns, ['ack', 'deliver', 'deliver_no_ack', 'get', 'get_empty', 'get_no_ack', 'redeliver']),
    ['deliver_get', deliverGet],
  ];
}

const channelPublishes = fieldsOf(channelColumns, ['publish', 'confirm', 'return_unroutable', 'drop_unroutable']);
const channelDeliveries = delivered(channelColumns);
const queuePublishes = fieldsOf(queueColumns, ['publish']);
const queueDeliveries = delivered(queueColumns);
const exchangeFields = [fieldsOf(exchangeColumns, ['publish_in']), fieldsOf(exchangeColumns, ['publish_out'])];

/** `message_stats` of a channel or of what sums channels up; null while nothing was counted. */
export function channelStats(
  rates: RateWriter,
  values: Float64Array,
  history: History | undefined,
  range: SampleRange | null,
): JsonObject | null {
  return stats(rates, [channelPublishes, channelDeliveries], values, history, range);
}

export function queueStats(
  rates: RateWriter,
  counters: QueueCounters,
  history: History | undefined,
  range: SampleRange | null,
): JsonObject | null {
  const { published, delivered: sent, deliveredNoAck, got, gotNoAck, gotEmpty, redelivered, acked } = counters;
  const values = Float64Array.of(published, sent, deliveredNoAck, got, gotNoAck, gotEmpty, redelivered, acked);
  return stats(rates, [queuePublishes, queueDeliveries], values, history, range);
}

export function exchangeStats(
  rates: RateWriter,
  counters: ExchangeCounters,
  history: History | undefined,
  range: SampleRange | null,
): JsonObject | null {
  return stats(rates, exchangeFields, Float64Array.of(counters.publishedIn, counters.publishedOut), history, range);
}

/** The counters in the order of `channelColumns`. */
export function trafficValues(counters: TrafficCounters): Float64Array {
  const { published, confirmed, returnedUnroutable, droppedUnroutable, delivered: sent, deliveredNoAck } = counters;
  const { got, gotNoAck, gotEmpty, redelivered, acked } = counters;
  return Float64Array.of(
    published,
    confirmed,
    returnedUnroutable,
    droppedUnroutable,
    sent,
    deliveredNoAck,
    got,
    gotNoAck,
    gotEmpty,
    redelivered,
    acked,
  );
}

/** A group of fields is there as soon as one of them is more than zero, as in RabbitMQ. */
function stats(
  rates: RateWriter,
  groups: readonly (readonly Field[])[],
  values: Float64Array,
  history: History | undefined,
  range: SampleRange | null,
): JsonObject | null {
  let into: JsonObject | null = null;
  for (const fields of groups) {
    if (!fields.some(([, columns]) => sum(values, columns) > 0)) continue;
    into ??= {};
    for (const [name, columns] of fields) rates.write(into, name, sum(values, columns), history, columns, range);
  }
  return into;
}

function sum(values: Float64Array, columns: readonly number[]): number {
  let total = 0;
  for (const column of columns) total += values[column] as number;
  return total;
}
