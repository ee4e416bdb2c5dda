import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Card, PageHead, Values, Waiting } from '../components/basics.tsx';
import { ConfirmDialog, FormDialog } from '../components/dialog.tsx';
import { ArgumentsField, type ArgumentRow, argumentsOf, rowsOf, SelectField, TextField } from '../components/fields.tsx';
import { Table } from '../components/table.tsx';
import { VhostField } from '../components/vhost-field.tsx';
import { api, path } from '../model/api.ts';
import { policyKeys } from '../model/known-arguments.ts';
import { useLive } from '../model/live.ts';
import { scoped } from '../model/paths.ts';
import { chosenVhost, isAdministrator, isPolicymaker } from '../model/session.ts';
import type { Policy } from '../model/types.ts';

type Kind = 'policies' | 'operator-policies';

export function PoliciesPage(): JSX.Element {
  const users = useLive<readonly Policy[]>(scoped('policies'));
  const operators = useLive<readonly Policy[]>(scoped('operator-policies'));
  if (users.data === undefined) return <Waiting error={users.error} />;
  return (
    <>
      <PageHead title="Policies" above="What queues and exchanges of certain names get without being declared with it" />
      <div class="stack">
        <PoliciesCard kind="policies" title="Policies" policies={users.data} mayChange={isPolicymaker()} />
        <PoliciesCard kind="operator-policies" title="Operator policies" policies={operators.data ?? []} mayChange={isAdministrator()} />
      </div>
    </>
  );
}

function PoliciesCard({
  kind,
  title,
  policies,
  mayChange,
}: {
  readonly kind: Kind;
  readonly title: string;
  readonly policies: readonly Policy[];
  readonly mayChange: boolean;
}): JSX.Element {
  const [edited, setEdited] = useState<Policy | 'new' | null>(null);
  const [leaving, setLeaving] = useState<Policy | null>(null);
  const one = kind === 'policies' ? 'policy' : 'operator policy';
  return (
    <Card
      title={title}
      isBare
      actions={
        mayChange ? (
          <button type="button" class="button small" onClick={() => setEdited('new')}>
            Add {one}
          </button>
        ) : null
      }
    >
      <Table
        label={title}
        rows={policies}
        rowKey={policy => `${policy.vhost}\0${policy.name}`}
        empty={kind === 'policies' ? 'There are no policies.' : 'There are no operator policies: limits that policies cannot exceed.'}
        columns={[
          { title: 'Name', key: ({ name }: Policy) => name, cell: ({ name }) => <span class="name">{name}</span> },
          { title: 'Virtual host', isOptional: true, cell: ({ vhost }) => <span class="name">{vhost}</span> },
          { title: 'Pattern', cell: ({ pattern }) => <code class="name">{pattern}</code> },
          { title: 'For', isOptional: true, cell: policy => policy['apply-to'] },
          { title: 'Definition', weight: 2, cell: ({ definition }) => <Values values={definition} /> },
          { title: 'Priority', isNumber: true, isOptional: true, key: ({ priority }) => priority, cell: ({ priority }) => priority },
          ...(mayChange
            ? [
                {
                  title: 'Actions',
                  isNumber: true,
                  cell: (policy: Policy) => (
                    <span class="badges">
                      <button type="button" class="button small" onClick={() => setEdited(policy)}>
                        Change
                      </button>
                      <button type="button" class="button small danger" onClick={() => setLeaving(policy)}>
                        Delete
                      </button>
                    </span>
                  ),
                },
              ]
            : []),
        ]}
      />
      {edited === null ? null : <PolicyDialog kind={kind} policy={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
      {leaving === null ? null : (
        <ConfirmDialog
          title={`Delete this ${one}?`}
          text="What it gave to queues and exchanges is taken away at once."
          name={leaving.name}
          action={`Delete ${one}`}
          done={`The ${one} is gone.`}
          run={() => api.delete(`${kind}/${path`${leaving.vhost}/${leaving.name}`}`)}
          onClose={() => setLeaving(null)}
        />
      )}
    </Card>
  );
}

function PolicyDialog({
  kind,
  policy,
  onClose,
}: {
  readonly kind: Kind;
  readonly policy: Policy | null;
  readonly onClose: () => void;
}): JSX.Element {
  const [vhost, setVhost] = useState(policy?.vhost ?? (chosenVhost.value === '' ? '/' : chosenVhost.value));
  const [name, setName] = useState(policy?.name ?? '');
  const [pattern, setPattern] = useState(policy?.pattern ?? '');
  const [applyTo, setApplyTo] = useState(policy?.['apply-to'] ?? (kind === 'policies' ? 'all' : 'queues'));
  const [priority, setPriority] = useState(String(policy?.priority ?? 0));
  const [rows, setRows] = useState<readonly ArgumentRow[]>(rowsOf(policy?.definition));
  const kinds = ['queues', 'classic_queues', 'quorum_queues', 'streams', ...(kind === 'policies' ? ['exchanges', 'all'] : [])];
  return (
    <FormDialog
      title={policy === null ? `Add ${kind === 'policies' ? 'a policy' : 'an operator policy'}` : `Change ${policy.name}`}
      action="Save"
      isReady={name !== '' && pattern !== ''}
      done={`${name} is in effect.`}
      run={async () =>
        await api.put(`${kind}/${path`${vhost}/${name}`}`, {
          pattern,
          'apply-to': applyTo,
          priority: Number(priority),
          definition: argumentsOf(rows),
        })
      }
      onClose={onClose}
    >
      {policy === null ? (
        <>
          <VhostField value={vhost} onChange={setVhost} />
          <TextField label="Name" value={name} onChange={setName} isRequired hasFocus />
        </>
      ) : null}
      <TextField label="Pattern" value={pattern} onChange={setPattern} isRequired isMono hint="A regular expression of names" />
      <div class="form-row">
        <SelectField
          label="For"
          value={applyTo}
          onChange={setApplyTo}
          options={kinds.map(item => [item, item.replace('_', ' ')] as const)}
        />
        <TextField label="Priority" type="number" value={priority} onChange={setPriority} />
      </div>
      <ArgumentsField label="Definition" rows={rows} known={policyKeys} onChange={setRows} />
    </FormDialog>
  );
}
