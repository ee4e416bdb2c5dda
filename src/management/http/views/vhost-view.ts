import { vhostColumns } from '../../../core/statistics/columns.ts';
import type { History } from '../../../core/statistics/history.ts';
import type { Vhost } from '../../../core/vhost.ts';
import type { Services } from '../../services.ts';
import type { JsonObject } from '../reply.ts';
import type { SampleRange, SampleRanges } from '../sample-ranges.ts';
import { channelStats } from './message-stats.ts';
import { RateWriter } from './rates.ts';

const index = (name: string): number => vhostColumns.index(name);
const lengths = [
  ['messages', [index('messages_ready'), index('messages_unacknowledged')]],
  ['messages_ready', [index('messages_ready')]],
  ['messages_unacknowledged', [index('messages_unacknowledged')]],
] as const;
const octets = ['recv_oct', 'send_oct'] as const;

/** What was declared of a virtual host. */
export function vhostView(services: Services, vhost: Vhost): JsonObject {
  const metadata: JsonObject = { description: vhost.description, tags: vhost.tags };
  if (vhost.defaultQueueType !== null) metadata['default_queue_type'] = vhost.defaultQueueType;
  return {
    cluster_state: { [services.core.settings.nodeName]: 'running' },
    default_queue_type: vhost.defaultQueueType ?? 'undefined',
    description: vhost.description,
    metadata,
    name: vhost.name,
    protected_from_deletion: vhost.isProtectedFromDeletion,
    tags: vhost.tags,
    tracing: vhost.isTracing,
  };
}

/** And what happens in it, as of the latest sample: counting ten thousand queues for each request would take too long. */
export function vhostStatisticsView(services: Services, vhost: Vhost, ranges: SampleRanges): JsonObject {
  const view = vhostView(services, vhost);
  const { statistics } = services;
  const history = statistics.vhost(vhost.name);
  if (history === undefined) return view;
  const rates = new RateWriter(statistics);
  const latest = Float64Array.from(vhostColumns.names, (_name, column) => history.latest(column));
  const stats = channelStats(rates, latest, history, ranges.messageRates);
  if (stats !== null) view['message_stats'] = stats;
  writeLengths(view, rates, history, ranges.lengths);
  for (const name of octets) rates.write(view, name, history.latest(index(name)), history, [index(name)], ranges.dataRates);
  return view;
}

/** How many messages there are, as of the latest sample; none where there is no history yet. */
export function writeLengths(view: JsonObject, rates: RateWriter, history: History | undefined, range: SampleRange | null): void {
  for (const [name, columns] of lengths) {
    const value = columns.reduce((sum, column) => sum + (history?.latest(column) ?? 0), 0);
    rates.write(view, name, value, history, columns, range);
  }
}
