import { tableToJson } from '../../../base/field-table.ts';
import type { Exchange } from '../../../core/exchanges/exchange.ts';
import type { Services } from '../../services.ts';
import type { JsonObject } from '../reply.ts';
import type { SampleRanges } from '../sample-ranges.ts';
import { exchangeStats } from './message-stats.ts';
import { RateWriter } from './rates.ts';

export function exchangeView(
  services: Services,
  vhost: string,
  exchange: Exchange,
  ranges: SampleRanges,
  withStatistics: boolean,
): JsonObject {
  const isPredeclared = exchange.name === '' || exchange.name.startsWith('amq.');
  const view: JsonObject = {
    arguments: tableToJson(exchange.arguments),
    auto_delete: exchange.isAutoDelete,
    durable: exchange.isDurable,
    internal: exchange.isInternal,
    name: exchange.name,
    type: exchange.type.name,
    user_who_performed_action: isPredeclared ? 'rmq-internal' : '',
    vhost,
  };
  if (exchange.policy.policy !== null) view['policy'] = exchange.policy.policy;
  const held = exchange.delay?.held;
  if (held !== undefined) view['messages_delayed'] = held.count;
  if (!withStatistics) return view;
  const { statistics } = services;
  const stats = exchangeStats(new RateWriter(statistics), exchange.counters, statistics.of(exchange), ranges.messageRates);
  if (stats !== null) view['message_stats'] = stats;
  return view;
}
