import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Card, PageHead } from '../components/basics.tsx';
import { FormDialog } from '../components/dialog.tsx';
import { ArgumentsField, type ArgumentRow, argumentsOf, CheckField, SelectField, TextField } from '../components/fields.tsx';
import { type Column, LiveTable, Table } from '../components/table.tsx';
import { VhostField } from '../components/vhost-field.tsx';
import { api, path } from '../model/api.ts';
import { count, dateTime, perSecond, rateOf } from '../model/format.ts';
import { queueArguments } from '../model/known-arguments.ts';
import { useLive } from '../model/live.ts';
import { scoped } from '../model/paths.ts';
import { queueHref } from '../model/router.ts';
import { chosenVhost } from '../model/session.ts';
import type { Page, Queue } from '../model/types.ts';

export function QueueBadges({ queue }: { readonly queue: Queue }): JSX.Element {
  const { arguments: args } = queue;
  return (
    <span class="badges">
      {queue.paused_since === undefined ? null : (
        <Badge tone="warn" title={`nothing is handed out since ${dateTime(Date.parse(queue.paused_since))}`}>
          paused
        </Badge>
      )}
      {queue.type === 'classic' ? null : <Badge tone="info">{queue.type}</Badge>}
      {queue.durable ? null : <Badge title="gone after a restart">transient</Badge>}
      {queue.auto_delete ? <Badge>auto-delete</Badge> : null}
      {queue.exclusive ? <Badge>exclusive</Badge> : null}
      {args['x-single-active-consumer'] === true ? <Badge title="single active consumer">single</Badge> : null}
      {args['x-max-priority'] === undefined ? null : <Badge>priorities</Badge>}
      {args['x-message-ttl'] === undefined ? null : <Badge title="messages expire">TTL</Badge>}
      {args['x-max-length'] === undefined && args['x-max-length-bytes'] === undefined ? null : (
        <Badge title="the length is limited">limit</Badge>
      )}
      {args['x-dead-letter-exchange'] === undefined ? null : <Badge title="dead letter exchange">DLX</Badge>}
      {typeof queue.policy === 'string' ? <Badge tone="info">{queue.policy}</Badge> : null}
    </span>
  );
}

const columns: readonly Column<Queue>[] = [
  {
    title: 'Queue',
    sort: 'name',
    weight: 2.6,
    cell: ({ vhost, name }) => (
      <a class="name" href={queueHref(vhost, name)} title={name}>
        {name}
      </a>
    ),
  },
  { title: 'Virtual host', sort: 'vhost', isOptional: true, cell: ({ vhost }) => <span class="name">{vhost}</span> },
  { title: 'Features', isOptional: true, weight: 1.5, cell: queue => <QueueBadges queue={queue} /> },
  { title: 'Ready', sort: 'messages_ready', isNumber: true, cell: ({ messages_ready: value }) => count(value) },
  { title: 'Unacked', sort: 'messages_unacknowledged', isNumber: true, cell: ({ messages_unacknowledged: value }) => count(value) },
  { title: 'Consumers', sort: 'consumers', isNumber: true, isOptional: true, cell: ({ consumers: value }) => count(value) },
  {
    title: 'In',
    sort: 'message_stats.publish_details.rate',
    isNumber: true,
    isOptional: true,
    cell: ({ message_stats: stats }) => perSecond(rateOf(stats, 'publish') ?? 0),
  },
  {
    title: 'Out',
    sort: 'message_stats.deliver_get_details.rate',
    isNumber: true,
    isOptional: true,
    cell: ({ message_stats: stats }) => perSecond(rateOf(stats, 'deliver_get') ?? 0),
  },
];

const fields =
  'name,vhost,type,durable,auto_delete,exclusive,arguments,policy,messages_ready,messages_unacknowledged,consumers,message_stats.publish_details.rate,message_stats.deliver_get_details.rate';

export function QueuesPage(): JSX.Element {
  const [isAdding, setIsAdding] = useState(false);
  return (
    <>
      <PageHead title="Queues">
        <button type="button" class="button primary" onClick={() => setIsAdding(true)}>
          Add queue
        </button>
      </PageHead>
      <LiveTable
        label="Queues"
        path={scoped('queues')}
        fields={fields}
        columns={columns}
        rowKey={({ vhost, name }) => `${vhost}\0${name}`}
        sort="name"
        empty="There are no queues."
      />
      {isAdding ? <QueueDialog onClose={() => setIsAdding(false)} /> : null}
    </>
  );
}

const streamColumns: readonly Column<Queue>[] = columns
  .filter(({ title }) => title !== 'Unacked' && title !== 'Features')
  .map(
    (column): Column<Queue> =>
      column.title === 'Queue'
        ? { ...column, title: 'Stream', key: ({ name }) => name }
        : column.title === 'Ready'
          ? { ...column, title: 'Messages', key: ({ messages_ready: value }) => value ?? 0 }
          : column,
  );

/** Of the types' names, `stream` is the last: sorted by type from the end, streams are on the first page. */
export function StreamsPage(): JSX.Element {
  const { data } = useLive<Page<Queue>>(`${scoped('queues')}?columns=${fields}&sort=type&sort_reverse=true&page=1&page_size=500`);
  const streams = (data?.items ?? []).filter(({ type }) => type === 'stream');
  return (
    <>
      <PageHead title="Streams" />
      <Card title="Streams" isBare>
        <Table
          label="Streams"
          columns={streamColumns}
          rows={streams}
          rowKey={({ vhost, name }) => `${vhost}\0${name}`}
          empty="There are no streams. A queue that is declared with x-queue-type: stream is one."
        />
      </Card>
    </>
  );
}

function QueueDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [vhost, setVhost] = useState(chosenVhost.value === '' ? '/' : chosenVhost.value);
  const [name, setName] = useState('');
  const [type, setType] = useState('');
  const [isDurable, setIsDurable] = useState(true);
  const [isAutoDelete, setIsAutoDelete] = useState(false);
  const [rows, setRows] = useState<readonly ArgumentRow[]>([]);
  return (
    <FormDialog
      title="Add a queue"
      action="Add queue"
      isReady={name !== ''}
      done={`Queue ${name} is there.`}
      run={async () =>
        await api.put(path`queues/${vhost}/${name}`, {
          durable: isDurable,
          auto_delete: isAutoDelete,
          arguments: { ...(type === '' ? {} : { 'x-queue-type': type }), ...argumentsOf(rows) },
        })
      }
      onClose={onClose}
    >
      <VhostField value={vhost} onChange={setVhost} />
      <TextField label="Name" value={name} onChange={setName} isRequired hasFocus />
      <SelectField
        label="Type"
        value={type}
        onChange={setType}
        options={[
          ['', 'default of the virtual host'],
          ['classic', 'classic'],
          ['quorum', 'quorum'],
          ['stream', 'stream'],
        ]}
      />
      <div class="row">
        <CheckField label="Durable" value={isDurable} onChange={setIsDurable} />
        <CheckField label="Auto-delete" value={isAutoDelete} onChange={setIsAutoDelete} />
      </div>
      <ArgumentsField label="Arguments" rows={rows} known={queueArguments} onChange={setRows} />
    </FormDialog>
  );
}
