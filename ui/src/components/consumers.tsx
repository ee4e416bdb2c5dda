import type { JSX } from 'preact';
import { count } from '../model/format.ts';
import { channelHref, queueHref } from '../model/router.ts';
import type { Consumer } from '../model/types.ts';
import { Badge } from './basics.tsx';
import { type Column, Table } from './table.tsx';

const columns: readonly Column<Consumer>[] = [
  {
    title: 'Consumer',
    weight: 1.4,
    key: ({ consumer_tag: tag }) => tag,
    cell: ({ consumer_tag: tag }) => <span class="mono name">{tag}</span>,
  },
  {
    title: 'Channel',
    weight: 2,
    cell: ({ channel_details: channel }) =>
      channel.name === undefined ? (
        '–'
      ) : (
        <a class="name" href={channelHref(channel.name)}>
          {channel.name}
        </a>
      ),
  },
  { title: 'User', isOptional: true, cell: ({ channel_details: channel }) => <span class="name">{channel.user ?? ''}</span> },
  { title: 'Acknowledges', isOptional: true, cell: ({ ack_required: acks }) => (acks ? 'yes' : 'no') },
  {
    title: 'Prefetch',
    isNumber: true,
    key: ({ prefetch_count: prefetch }) => prefetch,
    cell: ({ prefetch_count: prefetch }) => (prefetch === 0 ? 'no limit' : count(prefetch)),
  },
  {
    title: 'State',
    isOptional: true,
    cell: ({ activity_status: status, active, exclusive }) => (
      <span class="badges">
        <Badge tone={active ? 'good' : 'warn'}>{status.replace('_', ' ')}</Badge>
        {exclusive ? <Badge>exclusive</Badge> : null}
      </span>
    ),
  },
];

const queueColumn: Column<Consumer> = {
  title: 'Queue',
  weight: 1.4,
  cell: ({ queue }) => (
    <a class="name" href={queueHref(queue.vhost, queue.name)}>
      {queue.name}
    </a>
  ),
};

export function ConsumersTable({
  consumers,
  withQueue = false,
}: {
  readonly consumers: readonly Consumer[];
  readonly withQueue?: boolean;
}): JSX.Element {
  return (
    <Table
      label="Consumers"
      columns={withQueue ? [queueColumn, ...columns] : columns}
      rows={consumers}
      rowKey={({ consumer_tag: tag, channel_details: channel }) => `${channel.name} ${tag}`}
      empty="No consumers."
    />
  );
}
