import type { BrokerCore } from '../../core/broker.ts';
import type { ConnectionInfo } from '../../core/connection-registry.ts';
import { vhostColumns } from '../../core/statistics/columns.ts';
import type { Statistics } from '../../core/statistics/statistics.ts';
import type { Vhost } from '../../core/vhost.ts';
import { countText, type Finding, plural } from './finding.ts';

/** A delivery that waits so long for its acknowledgement is told of. */
const forgottenMillisMin = 300_000;
const ticksBack = 12;
const unroutableColumns = [vhostColumns.index('return_unroutable'), vhostColumns.index('drop_unroutable')];

/** What is to be said of the node itself. */
export function* nodeFindings(core: BrokerCore): Generator<Finding, void, undefined> {
  for (const source of core.alarms.active) {
    yield {
      kind: 'node',
      vhost: '',
      name: core.settings.nodeName,
      severity: 'bad',
      weight: Infinity,
      text:
        source === 'memory' ? 'Publishers are held: memory is above the limit' : 'Publishers are held: free disk space is below the limit',
      advice:
        source === 'memory'
          ? 'Consume or purge what is queued, or raise vm_memory_high_watermark if the machine has more.'
          : 'Make room on the disk of the data directory; the broker goes on by itself then.',
    };
  }
}

/** Of what is published into a virtual host and reaches no queue. */
export function* vhostFindings(vhost: Vhost, statistics: Statistics): Generator<Finding, void, undefined> {
  const history = statistics.vhost(vhost.name);
  if (history === undefined) return;
  let lost = 0;
  for (const column of unroutableColumns) lost += history.latest(column) - history.valueAgo(column, ticksBack);
  if (lost <= 0) return;
  yield {
    kind: 'vhost',
    vhost: vhost.name,
    name: vhost.name,
    severity: 'warn',
    weight: lost,
    text: `${plural(lost, 'message')} published in virtual host ${vhost.name} in the last ${Math.round((ticksBack * statistics.sampleMillis) / 1000)} s reached no queue`,
    advice: 'No binding matched. Explain routing shows where a message would go; an alternate exchange catches what matches nothing.',
  };
}

/** Of a connection whose consumer sits on messages, or that is held by an alarm. */
export function* connectionFindings(connection: ConnectionInfo, nowMillis: number): Generator<Finding, void, undefined> {
  for (const channel of connection.channelInfos()) {
    const { oldestDeliveredMillis = Infinity, unackedCount } = channel.describe();
    const millis = nowMillis - oldestDeliveredMillis;
    if (millis < forgottenMillisMin) continue;
    yield {
      kind: 'connection',
      vhost: connection.vhostName,
      name: connection.name,
      severity: 'warn',
      weight: millis,
      text: `Unacknowledged for ${countText(Math.floor(millis / 60_000))} min on connection ${connection.name}, channel ${channel.number}`,
      advice: `${plural(unackedCount, 'delivery').replace('deliverys', 'deliveries')} wait there. The consumer hangs, or forgets to acknowledge; the broker closes its channel after the consumer timeout.`,
    };
  }
}
