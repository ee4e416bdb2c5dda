import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, path } from '../model/api.ts';
import { shownName } from '../model/format.ts';
import { href } from '../model/router.ts';
import type { Permission, TopicPermission } from '../model/types.ts';
import { Card } from './basics.tsx';
import { ConfirmDialog, FormDialog } from './dialog.tsx';
import { TextField } from './fields.tsx';
import { Table } from './table.tsx';
import { VhostField } from './vhost-field.tsx';

type Ends = { readonly user?: string; readonly vhost?: string };

/** Permissions of a user, or in a virtual host. */
export function PermissionsCard({ permissions, user, vhost }: Ends & { readonly permissions: readonly Permission[] }): JSX.Element {
  const [edited, setEdited] = useState<Permission | 'new' | null>(null);
  const [leaving, setLeaving] = useState<Permission | null>(null);
  return (
    <Card
      title="Permissions"
      isBare
      actions={
        <button type="button" class="button small" onClick={() => setEdited('new')}>
          Permit
        </button>
      }
    >
      <Table
        label="Permissions"
        rows={permissions}
        rowKey={permission => `${permission.vhost}\0${permission.user}`}
        empty={user === undefined ? 'Nobody may enter it.' : 'The user may enter no virtual host.'}
        columns={[
          user === undefined
            ? {
                title: 'User',
                cell: permission => (
                  <a class="name" href={href(['users', permission.user])}>
                    {permission.user}
                  </a>
                ),
              }
            : {
                title: 'Virtual host',
                cell: permission => (
                  <a class="name" href={href(['vhosts', permission.vhost])}>
                    {permission.vhost}
                  </a>
                ),
              },
          { title: 'Configure', cell: ({ configure }: Permission) => <code class="name">{configure}</code> },
          { title: 'Write', cell: ({ write }) => <code class="name">{write}</code> },
          { title: 'Read', cell: ({ read }) => <code class="name">{read}</code> },
          {
            title: 'Actions',
            isNumber: true,
            cell: permission => (
              <span class="badges">
                <button type="button" class="button small" onClick={() => setEdited(permission)}>
                  Change
                </button>
                <button type="button" class="button small danger" onClick={() => setLeaving(permission)}>
                  Remove
                </button>
              </span>
            ),
          },
        ]}
      />
      {edited === null ? null : (
        <PermissionDialog
          given={edited === 'new' ? null : edited}
          ends={{ ...(user === undefined ? {} : { user }), ...(vhost === undefined ? {} : { vhost }) }}
          onClose={() => setEdited(null)}
        />
      )}
      {leaving === null ? null : (
        <ConfirmDialog
          title="Remove this permission?"
          text={
            <>
              <span class="name">{leaving.user}</span> can no longer enter <span class="name">{leaving.vhost}</span>.
            </>
          }
          name={null}
          action="Remove permission"
          done="The permission is gone."
          run={() => api.delete(path`permissions/${leaving.vhost}/${leaving.user}`)}
          onClose={() => setLeaving(null)}
        />
      )}
    </Card>
  );
}

function PermissionDialog({
  given,
  ends,
  onClose,
}: {
  readonly given: Permission | null;
  readonly ends: Ends;
  readonly onClose: () => void;
}): JSX.Element {
  const [user, setUser] = useState(given?.user ?? ends.user ?? '');
  const [vhost, setVhost] = useState(given?.vhost ?? ends.vhost ?? '/');
  const [configure, setConfigure] = useState(given?.configure ?? '.*');
  const [write, setWrite] = useState(given?.write ?? '.*');
  const [read, setRead] = useState(given?.read ?? '.*');
  return (
    <FormDialog
      title={given === null ? 'Permit' : 'Change a permission'}
      action="Save"
      isReady={user !== ''}
      done="The permission is saved."
      run={() => api.put(path`permissions/${vhost}/${user}`, { configure, write, read })}
      onClose={onClose}
    >
      {given === null && ends.user === undefined ? <TextField label="User" value={user} onChange={setUser} isRequired hasFocus /> : null}
      {given === null && ends.vhost === undefined ? <VhostField value={vhost} onChange={setVhost} /> : null}
      <p class="note">Regular expressions of names. Nothing matches an empty one.</p>
      <TextField label="Configure: declare and delete" value={configure} onChange={setConfigure} isMono />
      <TextField label="Write: publish, bind queues" value={write} onChange={setWrite} isMono />
      <TextField label="Read: consume, get, bind to exchanges" value={read} onChange={setRead} isMono />
    </FormDialog>
  );
}

/** Topic permissions of a user, or in a virtual host. */
export function TopicPermissionsCard({
  permissions,
  user,
  vhost,
}: Ends & { readonly permissions: readonly TopicPermission[] }): JSX.Element {
  const [isAdding, setIsAdding] = useState(false);
  const [leaving, setLeaving] = useState<TopicPermission | null>(null);
  return (
    <Card
      title="Topic permissions"
      isBare
      actions={
        <button type="button" class="button small" onClick={() => setIsAdding(true)}>
          Restrict topics
        </button>
      }
    >
      <Table
        label="Topic permissions"
        rows={permissions}
        rowKey={permission => `${permission.vhost}\0${permission.user}\0${permission.exchange}`}
        empty="Routing keys are not restricted."
        columns={[
          user === undefined
            ? { title: 'User', cell: permission => <span class="name">{permission.user}</span> }
            : { title: 'Virtual host', cell: permission => <span class="name">{permission.vhost}</span> },
          { title: 'Exchange', cell: ({ exchange }: TopicPermission) => <span class="name">{shownName(exchange)}</span> },
          { title: 'Write', cell: ({ write }) => <code class="name">{write}</code> },
          { title: 'Read', cell: ({ read }) => <code class="name">{read}</code> },
          {
            title: 'Action',
            isNumber: true,
            cell: permission => (
              <button type="button" class="button small danger" onClick={() => setLeaving(permission)}>
                Remove
              </button>
            ),
          },
        ]}
      />
      {isAdding ? (
        <TopicDialog
          ends={{ ...(user === undefined ? {} : { user }), ...(vhost === undefined ? {} : { vhost }) }}
          onClose={() => setIsAdding(false)}
        />
      ) : null}
      {leaving === null ? null : (
        <ConfirmDialog
          title="Remove this topic permission?"
          text="The user may then use every routing key with this exchange."
          name={null}
          action="Remove topic permission"
          done="The topic permission is gone."
          run={() =>
            api.delete(
              path`topic-permissions/${leaving.vhost}/${leaving.user}/${leaving.exchange === '' ? 'amq.default' : leaving.exchange}`,
            )
          }
          onClose={() => setLeaving(null)}
        />
      )}
    </Card>
  );
}

function TopicDialog({ ends, onClose }: { readonly ends: Ends; readonly onClose: () => void }): JSX.Element {
  const [user, setUser] = useState(ends.user ?? '');
  const [vhost, setVhost] = useState(ends.vhost ?? '/');
  const [exchange, setExchange] = useState('');
  const [write, setWrite] = useState('.*');
  const [read, setRead] = useState('.*');
  return (
    <FormDialog
      title="Restrict topics"
      action="Save"
      isReady={user !== ''}
      done="The topic permission is saved."
      run={() => api.put(path`topic-permissions/${vhost}/${user}`, { exchange, write, read })}
      onClose={onClose}
    >
      {ends.user === undefined ? <TextField label="User" value={user} onChange={setUser} isRequired hasFocus /> : null}
      {ends.vhost === undefined ? <VhostField value={vhost} onChange={setVhost} /> : null}
      <TextField label="Topic exchange" value={exchange} onChange={setExchange} placeholder="amq.topic" />
      <TextField label="Routing keys to publish with" value={write} onChange={setWrite} isMono hint="A regular expression" />
      <TextField label="Binding keys to read by" value={read} onChange={setRead} isMono hint="A regular expression" />
    </FormDialog>
  );
}
