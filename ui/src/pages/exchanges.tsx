import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, PageHead } from '../components/basics.tsx';
import { FormDialog } from '../components/dialog.tsx';
import { ArgumentsField, type ArgumentRow, argumentsOf, CheckField, SelectField, TextField } from '../components/fields.tsx';
import { type Column, LiveTable } from '../components/table.tsx';
import { VhostField } from '../components/vhost-field.tsx';
import { api, path } from '../model/api.ts';
import { perSecond, rateOf, shownName } from '../model/format.ts';
import { exchangeArguments } from '../model/known-arguments.ts';
import { useOnce } from '../model/live.ts';
import { scoped } from '../model/paths.ts';
import { exchangeHref } from '../model/router.ts';
import { chosenVhost } from '../model/session.ts';
import type { Exchange, Overview } from '../model/types.ts';

export function ExchangeBadges({ exchange }: { readonly exchange: Exchange }): JSX.Element {
  return (
    <span class="badges">
      {exchange.durable ? null : <Badge title="gone after a restart">transient</Badge>}
      {exchange.auto_delete ? <Badge>auto-delete</Badge> : null}
      {exchange.internal ? <Badge>internal</Badge> : null}
      {exchange.arguments['alternate-exchange'] === undefined ? null : <Badge tone="info">alternate</Badge>}
      {exchange.policy === undefined ? null : <Badge tone="info">policy {exchange.policy}</Badge>}
    </span>
  );
}

const columns: readonly Column<Exchange>[] = [
  {
    title: 'Exchange',
    sort: 'name',
    weight: 2.4,
    cell: ({ vhost, name }) => (
      <a class="name" href={exchangeHref(vhost, name)} title={name}>
        {shownName(name, '(default exchange)')}
      </a>
    ),
  },
  { title: 'Virtual host', sort: 'vhost', isOptional: true, cell: ({ vhost }) => <span class="name">{vhost}</span> },
  { title: 'Type', sort: 'type', cell: ({ type }) => type },
  { title: 'Features', isOptional: true, weight: 1.4, cell: exchange => <ExchangeBadges exchange={exchange} /> },
  {
    title: 'In',
    sort: 'message_stats.publish_in_details.rate',
    isNumber: true,
    cell: ({ message_stats: stats }) => perSecond(rateOf(stats, 'publish_in') ?? 0),
  },
  {
    title: 'Out',
    sort: 'message_stats.publish_out_details.rate',
    isNumber: true,
    cell: ({ message_stats: stats }) => perSecond(rateOf(stats, 'publish_out') ?? 0),
  },
];

export function ExchangesPage(): JSX.Element {
  const [isAdding, setIsAdding] = useState(false);
  return (
    <>
      <PageHead title="Exchanges">
        <button type="button" class="button primary" onClick={() => setIsAdding(true)}>
          Add exchange
        </button>
      </PageHead>
      <LiveTable
        label="Exchanges"
        path={scoped('exchanges')}
        fields="name,vhost,type,durable,auto_delete,internal,arguments,policy,message_stats.publish_in_details.rate,message_stats.publish_out_details.rate"
        columns={columns}
        rowKey={({ vhost, name }) => `${vhost}\0${name}`}
        sort="name"
        empty="There are no exchanges."
      />
      {isAdding ? <ExchangeDialog onClose={() => setIsAdding(false)} /> : null}
    </>
  );
}

function ExchangeDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const types = useOnce<Overview>('overview?columns=exchange_types').data?.exchange_types.map(({ name }) => name) ?? [
    'direct',
    'fanout',
    'topic',
    'headers',
  ];
  const [vhost, setVhost] = useState(chosenVhost.value === '' ? '/' : chosenVhost.value);
  const [name, setName] = useState('');
  const [type, setType] = useState('direct');
  const [isDurable, setIsDurable] = useState(true);
  const [isAutoDelete, setIsAutoDelete] = useState(false);
  const [isInternal, setIsInternal] = useState(false);
  const [rows, setRows] = useState<readonly ArgumentRow[]>([]);
  return (
    <FormDialog
      title="Add an exchange"
      action="Add exchange"
      isReady={name !== ''}
      done={`Exchange ${name} is there.`}
      run={async () =>
        await api.put(path`exchanges/${vhost}/${name}`, {
          type,
          durable: isDurable,
          auto_delete: isAutoDelete,
          internal: isInternal,
          arguments: argumentsOf(rows),
        })
      }
      onClose={onClose}
    >
      <VhostField value={vhost} onChange={setVhost} />
      <TextField label="Name" value={name} onChange={setName} isRequired hasFocus />
      <SelectField label="Type" value={type} onChange={setType} options={types.map(item => [item, item] as const)} />
      <div class="row">
        <CheckField label="Durable" value={isDurable} onChange={setIsDurable} />
        <CheckField label="Auto-delete" value={isAutoDelete} onChange={setIsAutoDelete} />
        <CheckField label="Internal" value={isInternal} onChange={setIsInternal} />
      </div>
      <ArgumentsField label="Arguments" rows={rows} known={exchangeArguments} onChange={setRows} />
    </FormDialog>
  );
}
