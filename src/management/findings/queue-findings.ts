import type { Consumer } from '../../core/consumer.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { queueColumns } from '../../core/statistics/columns.ts';
import type { History } from '../../core/statistics/history.ts';
import type { Vhost } from '../../core/vhost.ts';
import { countText, type Finding, plural } from './finding.ts';

/** Ready messages from which on it is worth telling that nobody takes them. */
const forgottenMin = 1000;
const growingMin = 10_000;
/** Samples over which a rise is looked at. */
const ticksBack = 12;
const redeliveriesMin = 10;
/** Consumers of one queue that are looked at. */
const consumersMax = 1000;

const publishColumn = queueColumns.index('publish');
const readyColumn = queueColumns.index('messages_ready');
const redeliverColumn = queueColumns.index('redeliver');
const ackColumn = queueColumns.index('ack');

/** What is to be said of one queue. */
export function* queueFindings(
  vhost: Vhost,
  queue: Queue,
  history: History | undefined,
  sampleMillis: number,
): Generator<Finding, void, undefined> {
  const about = { kind: 'queue', vhost: vhost.name, name: queue.name } as const;
  const { readyCount, consumerCount } = queue;
  const isStream = queue.type.capabilities.hasGet === false;
  const { paused } = queue;
  if (paused !== null) {
    yield {
      ...about,
      severity: readyCount > 0 ? 'warn' : 'info',
      weight: readyCount,
      text: `Queue ${queue.name} is paused since ${new Date(paused.sinceMillis).toISOString()} by ${paused.by}: ${plural(readyCount, 'message')} ${readyCount === 1 ? 'waits' : 'wait'}`,
      advice: 'It takes messages and hands out none. Resume it on its page, or with warrenctl resume_queue.',
    };
    return;
  }
  if (readyCount >= forgottenMin && consumerCount === 0 && !isStream) {
    yield {
      ...about,
      severity: 'warn',
      weight: readyCount,
      text: `Queue ${queue.name} holds ${plural(readyCount, 'message')} and has no consumer`,
      advice: 'Start a consumer, or limit it: by x-message-ttl, x-max-length, or by unbinding what nobody reads.',
    };
  }
  if (history !== undefined) yield* ofTraffic(about, queue, history, (sampleMillis * ticksBack) / 1000);
  if (consumerCount > 1) yield* ofStarvation(about, queue);
  const { deadLetterExchange } = queue.settings;
  if (deadLetterExchange !== null && deadLetterExchange !== '' && !vhost.exchanges.has(deadLetterExchange)) {
    yield {
      ...about,
      severity: 'warn',
      weight: readyCount,
      text: `Dead letters of queue ${queue.name} are lost: exchange ${deadLetterExchange} does not exist`,
      advice: `Declare exchange ${deadLetterExchange}, and bind a queue to it.`,
    };
  }
}

type About = Pick<Finding, 'kind' | 'vhost' | 'name'>;

function* ofTraffic(about: About, queue: Queue, history: History, seconds: number): Generator<Finding, void, undefined> {
  const rise = (column: number): number => history.latest(column) - history.valueAgo(column, ticksBack);
  const grown = rise(readyColumn);
  if (queue.consumerCount > 0 && queue.readyCount >= growingMin && grown > queue.readyCount / 20 && rise(publishColumn) > 0) {
    yield {
      ...about,
      severity: 'warn',
      weight: queue.readyCount,
      text: `Queue ${queue.name} grows by ${countText(grown / seconds)} messages a second: its ${plural(queue.consumerCount, 'consumer')} cannot keep up`,
      advice: 'Add consumers, raise their prefetch, or make them faster.',
    };
  }
  const redelivered = rise(redeliverColumn);
  if (redelivered / seconds >= redeliveriesMin && redelivered > rise(ackColumn)) {
    yield {
      ...about,
      severity: 'warn',
      weight: redelivered,
      text: `Queue ${queue.name} delivers the same messages again and again: ${countText(redelivered / seconds)} redeliveries a second`,
      advice:
        'A consumer rejects with requeue what it cannot handle. Reject without requeue to a dead letter exchange, or set x-delivery-limit.',
    };
  }
}

/** A consumer with a large prefetch holds what others could do. */
function* ofStarvation(about: About, queue: Queue): Generator<Finding, void, undefined> {
  if (queue.readyCount > 0 || queue.unackedCount === 0) return;
  let idle = 0;
  let looked = 0;
  let greediest: Consumer | null = null;
  for (const consumer of queue.consumers()) {
    if (++looked > consumersMax) break;
    if (consumer.noAck || !consumer.isActive) continue;
    if (consumer.unackedCount === 0) idle++;
    if (greediest === null || consumer.unackedCount > greediest.unackedCount) greediest = consumer;
  }
  if (idle === 0 || greediest === null || greediest.unackedCount < 2 * queue.consumerCount) return;
  const prefetch = greediest.prefetchCount === 0 ? 'No prefetch limit' : `Prefetch ${countText(greediest.prefetchCount)}`;
  yield {
    ...about,
    severity: 'warn',
    weight: greediest.unackedCount,
    text: `${prefetch} starves ${idle} of ${queue.consumerCount} consumers of queue ${queue.name}`,
    advice: `One consumer holds ${plural(greediest.unackedCount, 'unacknowledged message')} while others wait. Set a smaller prefetch (basic.qos).`,
  };
}
