import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Card, Facts, PageHead, Stats, Values, Waiting } from '../components/basics.tsx';
import { RangeChoice, RateChart, useRange } from '../components/chart.tsx';
import { ConfirmDialog } from '../components/dialog.tsx';
import { type Column, LiveTable, Table } from '../components/table.tsx';
import { api, path } from '../model/api.ts';
import { bytes, count, dateTime, rateOf } from '../model/format.ts';
import { useLive } from '../model/live.ts';
import { scopedTraffic } from '../model/paths.ts';
import { connectionHref, go, href } from '../model/router.ts';
import type { Channel, Connection } from '../model/types.ts';
import { channelColumns } from './channels.tsx';

function StateBadge({ state }: { readonly state: string }): JSX.Element {
  return (
    <Badge tone={state === 'running' ? 'good' : state === 'blocked' || state === 'flow' || state === 'blocking' ? 'warn' : 'info'}>
      {state}
    </Badge>
  );
}

const columns: readonly Column<Connection>[] = [
  {
    title: 'Connection',
    sort: 'name',
    weight: 2.6,
    cell: ({ name, user_provided_name: given }) => (
      <a class="name" href={connectionHref(name)} title={name}>
        {given ?? name}
      </a>
    ),
  },
  { title: 'Virtual host', sort: 'vhost', isOptional: true, cell: ({ vhost }) => <span class="name">{vhost}</span> },
  { title: 'User', sort: 'user', isOptional: true, cell: ({ user }) => <span class="name">{user}</span> },
  { title: 'State', sort: 'state', cell: ({ state }) => <StateBadge state={state} /> },
  { title: 'Protocol', sort: 'protocol', isOptional: true, cell: ({ protocol, ssl }) => `${protocol}${ssl ? ', TLS' : ''}` },
  { title: 'Channels', sort: 'channels', isNumber: true, cell: ({ channels }) => count(channels) },
  {
    title: 'From client',
    sort: 'recv_oct_details.rate',
    isNumber: true,
    isOptional: true,
    cell: connection => `${bytes(rateOf({ ...connection }, 'recv_oct'))}/s`,
  },
  {
    title: 'To client',
    sort: 'send_oct_details.rate',
    isNumber: true,
    isOptional: true,
    cell: connection => `${bytes(rateOf({ ...connection }, 'send_oct'))}/s`,
  },
];

export function ConnectionsPage(): JSX.Element {
  return (
    <>
      <PageHead title="Connections" />
      <LiveTable
        label="Connections"
        path={scopedTraffic('connections')}
        fields="name,user_provided_name,vhost,user,state,protocol,ssl,channels,recv_oct_details.rate,send_oct_details.rate"
        columns={columns}
        rowKey={({ name }) => name}
        sort="name"
        empty="No client is connected."
      />
    </>
  );
}

export function ConnectionPage({ name }: { readonly name: string }): JSX.Element {
  const { data, error } = useLive<Connection>(path`connections/${name}`);
  const channels = useLive<readonly Channel[]>(path`connections/${name}/channels`).data ?? [];
  const [range, setRange] = useRange();
  const [isClosing, setIsClosing] = useState(false);
  if (data === undefined) return <Waiting error={error} />;
  const rates = { ...data };
  return (
    <>
      <PageHead
        title={data.user_provided_name ?? data.name}
        above={<a href={href(['connections'])}>Connections</a>}
        badges={<StateBadge state={data.state} />}
      >
        <RangeChoice value={range} onChange={setRange} />
        <button type="button" class="button danger" onClick={() => setIsClosing(true)}>
          Close connection
        </button>
      </PageHead>
      <div class="stack">
        <Stats
          items={[
            { label: 'Channels', value: count(data.channels) },
            { label: 'From client', value: `${bytes(rateOf(rates, 'recv_oct'))}/s`, hint: `${bytes(data.recv_oct)} in all` },
            { label: 'To client', value: `${bytes(rateOf(rates, 'send_oct'))}/s`, hint: `${bytes(data.send_oct)} in all` },
            { label: 'Waiting to be sent', value: bytes(data.send_pend) },
          ]}
        />
        <div class="grid-2">
          <RateChart
            title="Bytes per second"
            path={path`connections/${name}`}
            range={range}
            stats={rates}
            at=""
            format={bytes}
            names={[
              ['From client', 'recv_oct'],
              ['To client', 'send_oct'],
            ]}
          />
          <Card title="Facts">
            <Facts
              items={[
                ['Name', <span class="mono name">{data.name}</span>],
                ['User', <span class="name">{data.user}</span>],
                ['Virtual host', <span class="name">{data.vhost}</span>],
                ['Protocol', `${data.protocol}${data.ssl ? ' over TLS' : ''}`],
                ['Login by', data.auth_mechanism],
                ['Certificate of', data.peer_cert_subject ?? 'none'],
                ['Since', dateTime(data.connected_at)],
                ['Heartbeat', data.timeout === 0 ? 'off' : `${data.timeout} s`],
                ['Largest frame', bytes(data.frame_max)],
                ['Channels at most', count(data.channel_max)],
              ]}
            />
          </Card>
        </div>
        <Card title="Channels" isBare>
          <Table
            label="Channels"
            columns={channelColumns}
            rows={channels}
            rowKey={channel => channel.name}
            empty="It has no channel open."
          />
        </Card>
        <Card title="What the client says of itself">
          <Values values={data.client_properties} />
        </Card>
      </div>
      {isClosing ? (
        <ConfirmDialog
          title="Close this connection?"
          text="Its unacknowledged messages go back to their queues, its exclusive queues are deleted. Most clients connect again."
          name={null}
          action="Close connection"
          done="The connection is closed."
          run={async () => {
            await api.delete(path`connections/${name}`);
            go(['connections']);
          }}
          onClose={() => setIsClosing(false)}
        />
      ) : null}
    </>
  );
}
