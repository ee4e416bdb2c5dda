import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Card, PageHead, Waiting } from '../components/basics.tsx';
import { ConfirmDialog, FormDialog } from '../components/dialog.tsx';
import { SelectField, TextField } from '../components/fields.tsx';
import { Table } from '../components/table.tsx';
import { VhostField } from '../components/vhost-field.tsx';
import { api, path } from '../model/api.ts';
import { count } from '../model/format.ts';
import { useLive } from '../model/live.ts';
import { isAdministrator } from '../model/session.ts';

interface Limit {
  readonly owner: string;
  readonly name: string;
  readonly value: number;
}

type Kind = 'vhost' | 'user';

const names: Readonly<Record<Kind, readonly string[]>> = {
  vhost: ['max-connections', 'max-queues'],
  user: ['max-connections', 'max-channels'],
};

function limitsOf(kind: Kind, list: readonly Record<string, unknown>[]): Limit[] {
  return list.flatMap(item =>
    Object.entries((item['value'] ?? {}) as Record<string, number>).map(([name, value]) => ({ owner: String(item[kind]), name, value })),
  );
}

export function LimitsPage(): JSX.Element {
  const vhosts = useLive<readonly Record<string, unknown>[]>('vhost-limits');
  const users = useLive<readonly Record<string, unknown>[]>('user-limits');
  if (vhosts.data === undefined) return <Waiting error={vhosts.error} />;
  return (
    <>
      <PageHead title="Limits" />
      <div class="stack">
        <LimitsCard kind="vhost" title="Of virtual hosts" limits={limitsOf('vhost', vhosts.data)} />
        <LimitsCard kind="user" title="Of users" limits={limitsOf('user', users.data ?? [])} />
      </div>
    </>
  );
}

function LimitsCard({
  kind,
  title,
  limits,
}: {
  readonly kind: Kind;
  readonly title: string;
  readonly limits: readonly Limit[];
}): JSX.Element {
  const [isAdding, setIsAdding] = useState(false);
  const [leaving, setLeaving] = useState<Limit | null>(null);
  const mayChange = isAdministrator();
  return (
    <Card
      title={title}
      isBare
      actions={
        mayChange ? (
          <button type="button" class="button small" onClick={() => setIsAdding(true)}>
            {kind === 'vhost' ? 'Limit a virtual host' : 'Limit a user'}
          </button>
        ) : null
      }
    >
      <Table
        label={title}
        rows={limits}
        rowKey={({ owner, name }) => `${owner}\0${name}`}
        empty="No limits."
        columns={[
          { title: kind === 'vhost' ? 'Virtual host' : 'User', cell: ({ owner }: Limit) => <span class="name">{owner}</span> },
          { title: 'Limit', cell: ({ name }) => name },
          { title: 'Value', isNumber: true, cell: ({ value }) => (value < 0 ? 'none' : count(value)) },
          ...(mayChange
            ? [
                {
                  title: 'Action',
                  isNumber: true,
                  cell: (limit: Limit) => (
                    <button type="button" class="button small danger" onClick={() => setLeaving(limit)}>
                      Remove
                    </button>
                  ),
                },
              ]
            : []),
        ]}
      />
      {isAdding ? <LimitDialog kind={kind} onClose={() => setIsAdding(false)} /> : null}
      {leaving === null ? null : (
        <ConfirmDialog
          title="Remove this limit?"
          text={
            <>
              {leaving.name} of <span class="name">{leaving.owner}</span> will be unlimited.
            </>
          }
          name={null}
          action="Remove limit"
          done="The limit is gone."
          run={() => api.delete(`${kind}-limits/${path`${leaving.owner}/${leaving.name}`}`)}
          onClose={() => setLeaving(null)}
        />
      )}
    </Card>
  );
}

function LimitDialog({ kind, onClose }: { readonly kind: Kind; readonly onClose: () => void }): JSX.Element {
  const [owner, setOwner] = useState(kind === 'vhost' ? '/' : '');
  const [name, setName] = useState(names[kind][0] ?? '');
  const [value, setValue] = useState('');
  return (
    <FormDialog
      title={kind === 'vhost' ? 'Limit a virtual host' : 'Limit a user'}
      action="Save"
      isReady={owner !== '' && /^-?\d+$/.test(value)}
      done="The limit is in effect."
      run={() => api.put(`${kind}-limits/${path`${owner}/${name}`}`, { value: Number(value) })}
      onClose={onClose}
    >
      {kind === 'vhost' ? (
        <VhostField value={owner} onChange={setOwner} />
      ) : (
        <TextField label="User" value={owner} onChange={setOwner} isRequired hasFocus />
      )}
      <SelectField label="Limit" value={name} onChange={setName} options={names[kind].map(item => [item, item] as const)} />
      <TextField label="Value" type="number" value={value} onChange={setValue} isRequired hint="0 allows none, -1 any number" />
    </FormDialog>
  );
}
