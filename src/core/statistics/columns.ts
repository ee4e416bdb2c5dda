// What is sampled of each kind of object. The names are those of the management API's fields, in the order of the values.
import type { Exchange } from '../exchanges/exchange.ts';
import type { Queue } from '../queues/queue.ts';
import { Columns } from './history.ts';

/** What a channel counts, and a virtual host for all its channels. */
export interface TrafficCounters {
  readonly published: number;
  readonly confirmed: number;
  readonly returnedUnroutable: number;
  readonly droppedUnroutable: number;
  readonly delivered: number;
  readonly deliveredNoAck: number;
  readonly got: number;
  readonly gotNoAck: number;
  readonly gotEmpty: number;
  readonly redelivered: number;
  readonly acked: number;
}

const publishNames = ['publish', 'confirm', 'return_unroutable', 'drop_unroutable'] as const;
/** What becomes of messages in queues. */
export const deliverNames = ['deliver', 'deliver_no_ack', 'get', 'get_no_ack', 'get_empty', 'redeliver', 'ack'] as const;
export const lengthNames = ['messages_ready', 'messages_unacknowledged'] as const;
export const octetNames = ['recv_oct', 'send_oct'] as const;
export const churnNames = [
  'connection_created',
  'connection_closed',
  'channel_created',
  'channel_closed',
  'queue_declared',
  'queue_created',
  'queue_deleted',
] as const;

export const queueColumns = new Columns(['publish', ...deliverNames, ...lengthNames, 'consumer_utilisation']);
export const exchangeColumns = new Columns(['publish_in', 'publish_out']);
export const channelColumns = new Columns([...publishNames, ...deliverNames]);
export const connectionColumns = new Columns(octetNames);
export const vhostColumns = new Columns([...publishNames, ...deliverNames, ...lengthNames, ...octetNames]);

/** Index of the first of `deliverNames` in the columns of queues; those of channels and vhosts begin with four others. */
export const queueDeliverAt = 1;
export const trafficDeliverAt = publishNames.length;
export const vhostLengthsAt = trafficDeliverAt + deliverNames.length;
export const vhostOctetsAt = vhostLengthsAt + lengthNames.length;

export function readQueue(queue: Queue, into: Float64Array): void {
  const { counters } = queue;
  into[0] = counters.published;
  into[1] = counters.delivered;
  into[2] = counters.deliveredNoAck;
  into[3] = counters.got;
  into[4] = counters.gotNoAck;
  into[5] = counters.gotEmpty;
  into[6] = counters.redelivered;
  into[7] = counters.acked;
  into[8] = queue.readyCount;
  into[9] = queue.unackedCount;
  into[10] = canDeliver(queue) ? 1 : 0;
}

/** Consumers looked at for `canDeliver`. */
const consumersMax = 8;

/** Whether a message that came now could go to a consumer at once. */
function canDeliver(queue: Queue): boolean {
  if (queue.consumerCount === 0) return false;
  let count = 0;
  for (const consumer of queue.consumers()) {
    if (consumer.hasCredit) return true;
    if (++count >= consumersMax) return false;
  }
  return false;
}

export function readExchange(exchange: Exchange, into: Float64Array): void {
  into[0] = exchange.counters.publishedIn;
  into[1] = exchange.counters.publishedOut;
}

export function readTraffic(counters: TrafficCounters, into: Float64Array): void {
  into[0] = counters.published;
  into[1] = counters.confirmed;
  into[2] = counters.returnedUnroutable;
  into[3] = counters.droppedUnroutable;
  into[4] = counters.delivered;
  into[5] = counters.deliveredNoAck;
  into[6] = counters.got;
  into[7] = counters.gotNoAck;
  into[8] = counters.gotEmpty;
  into[9] = counters.redelivered;
  into[10] = counters.acked;
}
