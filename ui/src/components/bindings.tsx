import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, exchangePathName, path } from '../model/api.ts';
import { exchangeHref, queueHref } from '../model/router.ts';
import type { Binding } from '../model/types.ts';
import { Badge, Card } from './basics.tsx';
import { ConfirmDialog, FormDialog } from './dialog.tsx';
import { ArgumentsField, type ArgumentRow, argumentsOf, SelectField, TextField } from './fields.tsx';
import { type Column, Table } from './table.tsx';

function pathOf(binding: Pick<Binding, 'vhost' | 'source' | 'destination' | 'destination_type'>): string {
  const kind = binding.destination_type === 'exchange' ? 'e' : 'q';
  return path`bindings/${binding.vhost}/e/${exchangePathName(binding.source)}/` + kind + path`/${binding.destination}`;
}

/** The bindings of an exchange or a queue, with what it takes to add and remove them. */
export function BindingsCard(props: {
  readonly title: string;
  readonly vhost: string;
  readonly bindings: readonly Binding[];
  /** The end that is fixed. */
  readonly own: { readonly kind: 'queue' | 'exchange'; readonly name: string; readonly side: 'source' | 'destination' };
  readonly canBind: boolean;
}): JSX.Element {
  const { own, vhost } = props;
  const [isAdding, setIsAdding] = useState(false);
  const [leaving, setLeaving] = useState<Binding | null>(null);
  const columns: Column<Binding>[] = [
    {
      title: own.side === 'source' ? 'To' : 'From',
      weight: 1.6,
      key: binding => (own.side === 'source' ? binding.destination : binding.source),
      cell: binding =>
        own.side === 'source' ? (
          <span class="row">
            <a
              class="name"
              href={binding.destination_type === 'queue' ? queueHref(vhost, binding.destination) : exchangeHref(vhost, binding.destination)}
            >
              {binding.destination}
            </a>
            <Badge>{binding.destination_type}</Badge>
          </span>
        ) : (
          <a class="name" href={exchangeHref(vhost, binding.source)}>
            {binding.source === '' ? '(default exchange)' : binding.source}
          </a>
        ),
    },
    {
      title: 'Binding key',
      weight: 1.4,
      key: binding => binding.routing_key,
      cell: binding => <span class="mono name">{binding.routing_key}</span>,
    },
    {
      title: 'Arguments',
      isOptional: true,
      cell: binding => (Object.keys(binding.arguments).length === 0 ? '' : <code class="name">{JSON.stringify(binding.arguments)}</code>),
    },
    {
      title: 'Action',
      isNumber: true,
      weight: 0.6,
      cell: binding =>
        binding.source === '' ? (
          <span class="faint small">always</span>
        ) : (
          <button type="button" class="button small danger" onClick={() => setLeaving(binding)}>
            Unbind
          </button>
        ),
    },
  ];
  return (
    <Card
      title={props.title}
      isBare
      actions={
        props.canBind ? (
          <button type="button" class="button small" onClick={() => setIsAdding(true)}>
            Add binding
          </button>
        ) : null
      }
    >
      <Table
        label={props.title}
        columns={columns}
        rows={props.bindings}
        rowKey={binding => `${binding.source}\0${binding.destination_type}\0${binding.destination}\0${binding.properties_key}`}
        empty={own.side === 'source' ? 'Nothing is bound to it: what is published here goes nowhere.' : 'No exchange leads here.'}
      />
      {isAdding ? <BindDialog vhost={vhost} own={own} onClose={() => setIsAdding(false)} /> : null}
      {leaving === null ? null : (
        <ConfirmDialog
          title="Unbind?"
          text={
            <>
              <span class="name">{leaving.destination}</span> will get nothing more from <span class="name">{leaving.source}</span> by the
              key <code class="name">{leaving.routing_key}</code>.
            </>
          }
          name={null}
          action="Unbind"
          done="The binding is gone."
          run={() => api.delete(`${pathOf(leaving)}/${encodeURIComponent(leaving.properties_key)}`)}
          onClose={() => setLeaving(null)}
        />
      )}
    </Card>
  );
}

function BindDialog(props: {
  readonly vhost: string;
  readonly own: { readonly kind: 'queue' | 'exchange'; readonly name: string; readonly side: 'source' | 'destination' };
  readonly onClose: () => void;
}): JSX.Element {
  const { own, vhost } = props;
  const [kind, setKind] = useState<'queue' | 'exchange'>('queue');
  const [other, setOther] = useState('');
  const [key, setKey] = useState('');
  const [rows, setRows] = useState<readonly ArgumentRow[]>([]);
  const isSource = own.side === 'source';
  return (
    <FormDialog
      title={isSource ? `Bind from ${own.name}` : `Bind to ${own.name}`}
      action="Bind"
      isReady={other !== ''}
      done="The binding is there."
      run={async () =>
        await api.post(
          pathOf({
            vhost,
            source: isSource ? own.name : other,
            destination: isSource ? other : own.name,
            destination_type: isSource ? kind : own.kind,
          }),
          { routing_key: key, arguments: argumentsOf(rows) },
        )
      }
      onClose={props.onClose}
    >
      {isSource ? (
        <SelectField
          label="To a"
          value={kind}
          onChange={value => setKind(value === 'exchange' ? 'exchange' : 'queue')}
          options={[
            ['queue', 'queue'],
            ['exchange', 'exchange'],
          ]}
        />
      ) : null}
      <TextField label={isSource ? 'Its name' : 'From exchange'} value={other} onChange={setOther} isRequired hasFocus />
      <TextField label="Binding key" value={key} onChange={setKey} isMono />
      <ArgumentsField label="Arguments" rows={rows} onChange={setRows} />
    </FormDialog>
  );
}
