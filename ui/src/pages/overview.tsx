import type { JSX } from 'preact';
import { Card, Dot, Meter, PageHead, Stats, Waiting } from '../components/basics.tsx';
import { ChartCard, RangeChoice, RateChart, useRange } from '../components/chart.tsx';
import { FindingsList } from '../components/findings.tsx';
import { Table } from '../components/table.tsx';
import { bytes, count, duration, limitText, perSecond, rateOf } from '../model/format.ts';
import { useLive } from '../model/live.ts';
import { href } from '../model/router.ts';
import { isMonitor } from '../model/session.ts';
import type { Finding, Node, Overview } from '../model/types.ts';

export function OverviewPage(): JSX.Element {
  const { data, error } = useLive<Overview>('overview');
  const findings = useLive<readonly Finding[]>('findings?limit=100').data ?? [];
  const nodes = useLive<readonly Node[]>(isMonitor() ? 'nodes' : null).data;
  const [range, setRange] = useRange();
  if (data === undefined) return <Waiting error={error} />;
  const totals = data.object_totals ?? {};
  const lengths = data.queue_totals ?? {};
  const stats = data.message_stats ?? {};
  return (
    <>
      <PageHead title="Overview" above={data.cluster_name}>
        <RangeChoice value={range} onChange={setRange} />
      </PageHead>
      <div class="stack">
        <Stats
          items={[
            { label: 'Ready', value: count(lengths['messages_ready'] as number), link: href(['queues']) },
            { label: 'Unacked', value: count(lengths['messages_unacknowledged'] as number) },
            { label: 'Published', value: perSecond(rateOf(stats, 'publish') ?? 0) },
            { label: 'Delivered', value: perSecond(rateOf(stats, 'deliver_get') ?? 0) },
            { label: 'Queues', value: count(totals['queues']), link: href(['queues']) },
            { label: 'Exchanges', value: count(totals['exchanges']), link: href(['exchanges']) },
            { label: 'Connections', value: count(totals['connections']), link: href(['connections']) },
            { label: 'Channels', value: count(totals['channels']), link: href(['channels']) },
            { label: 'Consumers', value: count(totals['consumers']) },
          ]}
        />
        {findings.length === 0 ? null : (
          <Card title="Findings" isBare actions={<a href={href(['findings'])}>All {findings.length}</a>}>
            <FindingsList findings={findings.slice(0, 4)} />
          </Card>
        )}
        <div class="grid-2">
          <RateChart
            title="Messages per second"
            path="overview"
            range={range}
            stats={stats}
            names={[
              ['Published', 'publish'],
              ['Delivered', 'deliver_get'],
              ['Acknowledged', 'ack'],
              ['Confirmed', 'confirm'],
            ]}
          />
          <ChartCard
            title="Messages in queues"
            path="overview"
            range={range}
            kind="length"
            format={count}
            series={[
              { label: 'Ready', now: lengths['messages_ready'] as number | undefined, from: 'queue_totals.messages_ready_details' },
              {
                label: 'Unacknowledged',
                now: lengths['messages_unacknowledged'] as number | undefined,
                from: 'queue_totals.messages_unacknowledged_details',
              },
            ]}
          />
          <RateChart
            title="What goes wrong, per second"
            path="overview"
            range={range}
            stats={stats}
            names={[
              ['Redelivered', 'redeliver'],
              ['Unroutable, returned', 'return_unroutable'],
              ['Unroutable, dropped', 'drop_unroutable'],
            ]}
          />
          <RateChart
            title="Coming and going, per second"
            label="Connections and channels opened and closed per second"
            path="overview"
            range={range}
            stats={data.churn_rates}
            at="churn_rates"
            names={[
              ['Connections opened', 'connection_created'],
              ['Connections closed', 'connection_closed'],
              ['Channels opened', 'channel_created'],
              ['Queues declared', 'queue_declared'],
            ]}
          />
        </div>
        <div class="grid-2">
          {nodes === undefined
            ? null
            : nodes.map(node => (
                <Card key={node.name} title={node.name} actions={<a href={href(['nodes', node.name])}>Details</a>}>
                  <NodeSummary node={node} />
                </Card>
              ))}
          {data.listeners === undefined ? null : (
            <Card title="Listening on" isBare>
              <Table
                label="Listeners"
                rows={data.listeners}
                rowKey={({ protocol, ip_address: address, port }) => `${protocol} ${address} ${port}`}
                empty="nothing"
                columns={[
                  { title: 'Protocol', cell: ({ protocol }) => protocol },
                  { title: 'Address', cell: ({ ip_address: address }) => <span class="mono">{address}</span> },
                  { title: 'Port', cell: ({ port }) => port, isNumber: true },
                ]}
              />
            </Card>
          )}
        </div>
        <p class="faint small">
          WarrenMQ {data.warrenmq_version}, speaks RabbitMQ {data.rabbitmq_version}; {data.erlang_full_version}
        </p>
      </div>
    </>
  );
}

function NodeSummary({ node }: { readonly node: Node }): JSX.Element {
  const memory = (node.mem_used ?? 0) / (node.mem_limit || Infinity);
  return (
    <div class="stack">
      <div class="row">
        <Dot tone={node.mem_alarm === true || node.disk_free_alarm === true ? 'bad' : 'good'} />
        {node.mem_alarm === true
          ? 'Memory alarm: publishers are held'
          : node.disk_free_alarm === true
            ? 'Disk alarm: publishers are held'
            : 'Running'}
        <span class="muted">for {duration(node.uptime ?? 0)}</span>
      </div>
      <div>
        <div class="row spread small">
          <span>Memory</span>
          <span class="muted">
            {bytes(node.mem_used)} of {limitText(node.mem_limit)}
          </span>
        </div>
        <Meter share={memory} label={`Memory: ${Math.round(memory * 100)} % of the limit`} />
      </div>
      <div class="row spread small">
        <span>Disk free</span>
        <span class="muted">
          {bytes(node.disk_free)}, alarm below {bytes(node.disk_free_limit)}
        </span>
      </div>
    </div>
  );
}
