import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Card, PageHead, Stats, Waiting } from '../components/basics.tsx';
import { act, ConfirmDialog, FormDialog } from '../components/dialog.tsx';
import { CheckField, SelectField, TextField } from '../components/fields.tsx';
import { PermissionsCard, TopicPermissionsCard } from '../components/permissions.tsx';
import { Table } from '../components/table.tsx';
import { api, path } from '../model/api.ts';
import { count } from '../model/format.ts';
import { useLive } from '../model/live.ts';
import { go, href } from '../model/router.ts';
import type { Permission, TopicPermission, Vhost } from '../model/types.ts';

export function VhostsPage(): JSX.Element {
  const { data, error } = useLive<readonly Vhost[]>('vhosts');
  const [isAdding, setIsAdding] = useState(false);
  if (data === undefined) return <Waiting error={error} />;
  return (
    <>
      <PageHead title="Virtual hosts">
        <button type="button" class="button primary" onClick={() => setIsAdding(true)}>
          Add virtual host
        </button>
      </PageHead>
      <Card title="Virtual hosts" isBare>
        <Table
          label="Virtual hosts"
          rows={data}
          rowKey={({ name }) => name}
          empty="There are none."
          columns={[
            {
              title: 'Name',
              key: ({ name }: Vhost) => name,
              cell: ({ name }) => (
                <a class="name" href={href(['vhosts', name])}>
                  {name}
                </a>
              ),
            },
            { title: 'Description', isOptional: true, cell: ({ description = '' }) => <span class="name">{description}</span> },
            { title: 'Default queue type', isOptional: true, cell: ({ default_queue_type: type }) => type ?? '' },
            {
              title: 'Ready',
              isNumber: true,
              key: ({ messages_ready: ready }) => ready ?? 0,
              cell: ({ messages_ready: ready }) => count(ready ?? 0),
            },
            { title: 'Unacked', isNumber: true, cell: ({ messages_unacknowledged: unacked }) => count(unacked ?? 0) },
          ]}
        />
      </Card>
      {isAdding ? <VhostDialog vhost={null} onClose={() => setIsAdding(false)} /> : null}
    </>
  );
}

export function VhostPage({ name }: { readonly name: string }): JSX.Element {
  const own = path`vhosts/${name}`;
  const { data, error } = useLive<Vhost>(own);
  const permissions = useLive<readonly Permission[]>(`${own}/permissions`).data ?? [];
  const topics = useLive<readonly TopicPermission[]>(`${own}/topic-permissions`).data ?? [];
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null);
  if (data === undefined) return <Waiting error={error} />;
  const isProtected = data.protected_from_deletion === true;
  return (
    <>
      <PageHead
        title={name}
        above={<a href={href(['vhosts'])}>Virtual hosts</a>}
        badges={
          <>
            {isProtected ? <Badge tone="info">protected</Badge> : null}
            {data.tracing === true ? <Badge tone="warn">tracing</Badge> : null}
          </>
        }
      >
        <button type="button" class="button" onClick={() => setOpen('edit')}>
          Change
        </button>
        <button
          type="button"
          class="button"
          onClick={() =>
            void act(isProtected ? 'It can be deleted now.' : 'It cannot be deleted now.', () =>
              isProtected ? api.delete(`${own}/deletion/protection`) : api.post(`${own}/deletion/protection`, {}),
            )
          }
        >
          {isProtected ? 'Take protection away' : 'Protect from deletion'}
        </button>
        <button type="button" class="button danger" disabled={isProtected} onClick={() => setOpen('delete')}>
          Delete
        </button>
      </PageHead>
      <div class="stack">
        <Stats
          items={[
            { label: 'Ready', value: count(data.messages_ready ?? 0) },
            { label: 'Unacked', value: count(data.messages_unacknowledged ?? 0) },
            { label: 'Default queue type', value: data.default_queue_type ?? 'classic' },
          ]}
        />
        <PermissionsCard permissions={permissions} vhost={name} />
        <TopicPermissionsCard permissions={topics} vhost={name} />
      </div>
      {open === 'edit' ? <VhostDialog vhost={data} onClose={() => setOpen(null)} /> : null}
      {open === 'delete' ? (
        <ConfirmDialog
          title="Delete this virtual host?"
          text="All its queues with their messages, its exchanges, bindings, policies and permissions go with it. Clients in it are disconnected."
          name={name}
          action="Delete virtual host"
          done={`Virtual host ${name} is gone.`}
          run={async () => {
            await api.delete(own);
            go(['vhosts']);
          }}
          onClose={() => setOpen(null)}
        />
      ) : null}
    </>
  );
}

function VhostDialog({ vhost, onClose }: { readonly vhost: Vhost | null; readonly onClose: () => void }): JSX.Element {
  const [name, setName] = useState(vhost?.name ?? '');
  const [description, setDescription] = useState(vhost?.description ?? '');
  const [tags, setTags] = useState((vhost?.tags ?? []).join(','));
  const [type, setType] = useState(vhost?.default_queue_type ?? 'classic');
  const [isTracing, setIsTracing] = useState(vhost?.tracing ?? false);
  return (
    <FormDialog
      title={vhost === null ? 'Add a virtual host' : `Change ${vhost.name}`}
      action={vhost === null ? 'Add virtual host' : 'Save'}
      isReady={name !== ''}
      done={`Virtual host ${name} is saved.`}
      run={() => api.put(path`vhosts/${name}`, { description, tags, default_queue_type: type, tracing: isTracing })}
      onClose={onClose}
    >
      {vhost === null ? <TextField label="Name" value={name} onChange={setName} isRequired hasFocus /> : null}
      <TextField label="Description" value={description} onChange={setDescription} />
      <TextField label="Tags" value={tags} onChange={setTags} hint="Separated by commas" />
      <SelectField
        label="Default queue type"
        value={type}
        onChange={setType}
        options={['classic', 'quorum', 'stream'].map(item => [item, item] as const)}
      />
      <CheckField label="Trace messages (firehose): costs throughput" value={isTracing} onChange={setIsTracing} />
    </FormDialog>
  );
}
