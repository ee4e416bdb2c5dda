import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Card, PageHead, Waiting } from '../components/basics.tsx';
import { ConfirmDialog, FormDialog } from '../components/dialog.tsx';
import { CheckField, TextField } from '../components/fields.tsx';
import { PermissionsCard, TopicPermissionsCard } from '../components/permissions.tsx';
import { Table } from '../components/table.tsx';
import { api, path } from '../model/api.ts';
import { useLive } from '../model/live.ts';
import { go, href } from '../model/router.ts';
import type { Permission, TopicPermission, User } from '../model/types.ts';

const tagNames = ['administrator', 'monitoring', 'policymaker', 'management'] as const;

function tagsOf({ tags }: User): readonly string[] {
  return typeof tags === 'string' ? tags.split(',').filter(tag => tag !== '') : tags;
}

function Tags({ user }: { readonly user: User }): JSX.Element {
  return (
    <span class="badges">
      {tagsOf(user).map(tag => (
        <Badge key={tag} {...(tag === 'administrator' ? { tone: 'info' as const } : {})}>
          {tag}
        </Badge>
      ))}
    </span>
  );
}

export function UsersPage(): JSX.Element {
  const { data, error } = useLive<readonly User[]>('users');
  const permissions = useLive<readonly Permission[]>('permissions').data ?? [];
  const [isAdding, setIsAdding] = useState(false);
  const [leaving, setLeaving] = useState<User | null>(null);
  if (data === undefined) return <Waiting error={error} />;
  return (
    <>
      <PageHead title="Users">
        <button type="button" class="button primary" onClick={() => setIsAdding(true)}>
          Add user
        </button>
      </PageHead>
      <Card title="Users" isBare>
        <Table
          label="Users"
          rows={data}
          rowKey={({ name }) => name}
          empty="There are no users."
          columns={[
            {
              title: 'User',
              key: ({ name }: User) => name,
              cell: ({ name }) => (
                <a class="name" href={href(['users', name])}>
                  {name}
                </a>
              ),
            },
            { title: 'Tags', cell: user => <Tags user={user} /> },
            {
              title: 'May enter',
              isOptional: true,
              cell: ({ name }) => {
                const vhosts = permissions.filter(({ user }) => user === name).map(({ vhost }) => vhost);
                return vhosts.length === 0 ? <Badge tone="warn">no virtual host</Badge> : <span class="name">{vhosts.join(', ')}</span>;
              },
            },
            {
              title: 'Action',
              isNumber: true,
              cell: user => (
                <button type="button" class="button small danger" aria-label={`Delete user ${user.name}`} onClick={() => setLeaving(user)}>
                  Delete
                </button>
              ),
            },
          ]}
        />
      </Card>
      {isAdding ? <UserDialog user={null} onClose={() => setIsAdding(false)} /> : null}
      {leaving === null ? null : <DeleteUser name={leaving.name} onClose={() => setLeaving(null)} />}
    </>
  );
}

function DeleteUser({ name, onClose }: { readonly name: string; readonly onClose: () => void }): JSX.Element {
  return (
    <ConfirmDialog
      title="Delete this user?"
      text="Its permissions go with it, and its connections are closed."
      name={name}
      action="Delete user"
      done={`User ${name} is gone.`}
      run={async () => {
        await api.delete(path`users/${name}`);
        go(['users']);
      }}
      onClose={onClose}
    />
  );
}

export function UserPage({ name }: { readonly name: string }): JSX.Element {
  const { data, error } = useLive<User>(path`users/${name}`);
  const permissions = useLive<readonly Permission[]>(path`users/${name}/permissions`).data ?? [];
  const topics = useLive<readonly TopicPermission[]>(path`users/${name}/topic-permissions`).data ?? [];
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null);
  if (data === undefined) return <Waiting error={error} />;
  return (
    <>
      <PageHead title={name} above={<a href={href(['users'])}>Users</a>} badges={<Tags user={data} />}>
        <button type="button" class="button" onClick={() => setOpen('edit')}>
          Change password or tags
        </button>
        <button type="button" class="button danger" onClick={() => setOpen('delete')}>
          Delete
        </button>
      </PageHead>
      <div class="stack">
        <PermissionsCard permissions={permissions} user={name} />
        <TopicPermissionsCard permissions={topics} user={name} />
      </div>
      {open === 'edit' ? <UserDialog user={data} onClose={() => setOpen(null)} /> : null}
      {open === 'delete' ? <DeleteUser name={name} onClose={() => setOpen(null)} /> : null}
    </>
  );
}

function UserDialog({ user, onClose }: { readonly user: User | null; readonly onClose: () => void }): JSX.Element {
  const [name, setName] = useState(user?.name ?? '');
  const [password, setPassword] = useState('');
  const [repeated, setRepeated] = useState('');
  const [tags, setTags] = useState<readonly string[]>(user === null ? [] : tagsOf(user));
  const others = tags.filter(tag => !tagNames.includes(tag as (typeof tagNames)[number]));
  // The API wants the password anew when it changes a user: without one the user could log in by certificate only.
  return (
    <FormDialog
      title={user === null ? 'Add a user' : `Change ${user.name}`}
      action={user === null ? 'Add user' : 'Save'}
      isReady={name !== '' && password === repeated && password !== ''}
      done={`User ${name} is saved.`}
      run={() => api.put(path`users/${name}`, { password, tags: tags.join(',') })}
      onClose={onClose}
    >
      {user === null ? <TextField label="Name" value={name} onChange={setName} isRequired hasFocus /> : null}
      <div class="form-row">
        <TextField
          label={user === null ? 'Password' : 'Password, old or new'}
          type="password"
          autocomplete="new-password"
          value={password}
          onChange={setPassword}
          isRequired
        />
        <TextField
          label="Password again"
          type="password"
          autocomplete="new-password"
          value={repeated}
          onChange={setRepeated}
          isRequired
          {...(repeated !== '' && repeated !== password ? { hint: 'They differ.' } : {})}
        />
      </div>
      <fieldset>
        <legend>Tags</legend>
        <div class="row">
          {tagNames.map(tag => (
            <CheckField
              key={tag}
              label={tag}
              value={tags.includes(tag)}
              onChange={isOn => setTags(isOn ? [...tags, tag] : tags.filter(other => other !== tag))}
            />
          ))}
        </div>
      </fieldset>
      <TextField
        label="Other tags"
        value={others.join(',')}
        onChange={text =>
          setTags([
            ...tags.filter(tag => tagNames.includes(tag as (typeof tagNames)[number])),
            ...text
              .split(',')
              .map(tag => tag.trim())
              .filter(tag => tag !== ''),
          ])
        }
        hint="Separated by commas. A user without a tag can use the broker, and not these pages."
      />
    </FormDialog>
  );
}
