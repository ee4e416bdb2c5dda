import type { JSX } from 'preact';
import { Badge, Card, Facts, PageHead, Stats, Waiting } from '../components/basics.tsx';
import { deliveryRates, RangeChoice, RateChart, useRange } from '../components/chart.tsx';
import { ConsumersTable } from '../components/consumers.tsx';
import { type Column, LiveTable } from '../components/table.tsx';
import { path } from '../model/api.ts';
import { count, perSecond, rateOf } from '../model/format.ts';
import { useLive } from '../model/live.ts';
import { scopedTraffic } from '../model/paths.ts';
import { channelHref, connectionHref, href } from '../model/router.ts';
import type { Channel } from '../model/types.ts';

function mode({ confirm, transactional }: Channel): JSX.Element | null {
  return confirm ? <Badge tone="info">confirms</Badge> : transactional ? <Badge tone="warn">transactions</Badge> : null;
}

export const channelColumns: readonly Column<Channel>[] = [
  {
    title: 'Channel',
    sort: 'name',
    weight: 2.6,
    key: ({ name }) => name,
    cell: ({ name }) => (
      <a class="name" href={channelHref(name)} title={name}>
        {name}
      </a>
    ),
  },
  { title: 'User', sort: 'user', isOptional: true, cell: ({ user }) => <span class="name">{user}</span> },
  {
    title: 'State',
    sort: 'state',
    isOptional: true,
    cell: ({ state }) => <Badge tone={state === 'running' ? 'good' : 'info'}>{state}</Badge>,
  },
  { title: 'Mode', cell: mode, isOptional: true },
  {
    title: 'Unconfirmed',
    sort: 'messages_unconfirmed',
    isNumber: true,
    isOptional: true,
    key: ({ messages_unconfirmed: value }) => value,
    cell: ({ messages_unconfirmed: value }) => count(value),
  },
  {
    title: 'Unacked',
    sort: 'messages_unacknowledged',
    isNumber: true,
    key: ({ messages_unacknowledged: value }) => value,
    cell: ({ messages_unacknowledged: value }) => count(value),
  },
  {
    title: 'Prefetch',
    sort: 'prefetch_count',
    isNumber: true,
    isOptional: true,
    key: ({ prefetch_count: value }) => value,
    cell: ({ prefetch_count: value }) => (value === 0 ? 'no limit' : count(value)),
  },
  {
    title: 'Consumers',
    sort: 'consumer_count',
    isNumber: true,
    isOptional: true,
    key: ({ consumer_count: value }) => value,
    cell: ({ consumer_count: value }) => count(value),
  },
  {
    title: 'Published',
    sort: 'message_stats.publish_details.rate',
    isNumber: true,
    cell: ({ message_stats: stats }) => perSecond(rateOf(stats, 'publish') ?? 0),
  },
  {
    title: 'Delivered',
    sort: 'message_stats.deliver_get_details.rate',
    isNumber: true,
    cell: ({ message_stats: stats }) => perSecond(rateOf(stats, 'deliver_get') ?? 0),
  },
];

export function ChannelsPage(): JSX.Element {
  return (
    <>
      <PageHead title="Channels" />
      <LiveTable
        label="Channels"
        path={scopedTraffic('channels')}
        fields="name,user,state,confirm,transactional,messages_unconfirmed,messages_unacknowledged,prefetch_count,consumer_count,message_stats.publish_details.rate,message_stats.deliver_get_details.rate"
        columns={channelColumns}
        rowKey={({ name }) => name}
        sort="name"
        empty="No channel is open."
      />
    </>
  );
}

export function ChannelPage({ name }: { readonly name: string }): JSX.Element {
  const { data, error } = useLive<Channel>(path`channels/${name}`);
  const [range, setRange] = useRange();
  if (data === undefined) return <Waiting error={error} />;
  const stats = data.message_stats;
  return (
    <>
      <PageHead title={data.name} above={<a href={href(['channels'])}>Channels</a>} badges={mode(data)}>
        <RangeChoice value={range} onChange={setRange} />
      </PageHead>
      <div class="stack">
        <Stats
          items={[
            { label: 'Unacked', value: count(data.messages_unacknowledged) },
            { label: 'Unconfirmed', value: count(data.messages_unconfirmed) },
            { label: 'Published', value: perSecond(rateOf(stats, 'publish') ?? 0) },
            { label: 'Delivered', value: perSecond(rateOf(stats, 'deliver_get') ?? 0) },
            { label: 'Prefetch', value: data.prefetch_count === 0 ? 'no limit' : count(data.prefetch_count) },
          ]}
        />
        <div class="grid-2">
          <RateChart title="Messages per second" path={path`channels/${name}`} range={range} stats={stats} names={deliveryRates} />
          <Card title="Facts">
            <Facts
              items={[
                [
                  'Connection',
                  <a class="name" href={connectionHref(data.connection_details.name)}>
                    {data.connection_details.name}
                  </a>,
                ],
                ['User', <span class="name">{data.user}</span>],
                ['Virtual host', <span class="name">{data.vhost}</span>],
                ['State', data.state],
                ['Prefetch of the channel', data.global_prefetch_count === 0 ? 'no limit' : count(data.global_prefetch_count)],
                ['Uncommitted', count(data.messages_uncommitted)],
              ]}
            />
          </Card>
        </div>
        <Card title="Consumers" isBare>
          <ConsumersTable consumers={data.consumer_details ?? []} withQueue />
        </Card>
      </div>
    </>
  );
}
