import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Card, PageHead, Problem } from '../components/basics.tsx';
import { api, messageOf, path } from '../model/api.ts';
import { type Change, type Difference, differenceOf, parseDefinitions } from '../model/definitions.ts';
import { count } from '../model/format.ts';
import { refresh } from '../model/live.ts';
import { vhostNames } from '../model/session.ts';
import { say } from '../model/toasts.ts';
import type { JsonRecord } from '../model/types.ts';

const shownMax = 300;

/** Export, and import with a look at what it would change. */
export function DefinitionsPage(): JSX.Element {
  const [vhost, setVhost] = useState('');
  const [text, setText] = useState('');
  const [difference, setDifference] = useState<Difference | null>(null);
  const [problem, setProblem] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const target = vhost === '' ? 'definitions' : path`definitions/${vhost}`;
  const read = async (file: File | undefined): Promise<void> => {
    setProblem('');
    setDifference(null);
    if (file === undefined) return;
    try {
      const content = await file.text();
      const wanted = parseDefinitions(content);
      setDifference(differenceOf(await api.get<JsonRecord>(target), wanted, vhost === '' ? null : vhost));
      setText(content);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  const apply = async (): Promise<void> => {
    setIsBusy(true);
    setProblem('');
    try {
      await api.post(target, text);
      say('good', 'The definitions are in effect.');
      setDifference(null);
      refresh();
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <>
      <PageHead title="Definitions" above="Users, virtual hosts, permissions, policies, exchanges, queues and bindings as a file">
        <label class="row">
          <span>Of</span>
          <select
            value={vhost}
            onChange={event => {
              setVhost(event.currentTarget.value);
              setDifference(null);
            }}
          >
            <option value="" selected={vhost === ''}>
              the whole broker
            </option>
            {vhostNames.value.map(name => (
              <option key={name} value={name} selected={name === vhost}>
                virtual host {name}
              </option>
            ))}
          </select>
        </label>
      </PageHead>
      <div class="stack">
        <div class="grid-2">
          <Card title="Export">
            <div class="stack">
              <p class="muted">The file holds hashes of passwords, and no messages.</p>
              <div>
                <a class="button" href={`api/${target}?download=definitions.json`} download="definitions.json">
                  Download definitions
                </a>
              </div>
            </div>
          </Card>
          <Card title="Import">
            <div class="form">
              <label class="field">
                <span class="label">File of definitions</span>
                <input type="file" accept=".json,application/json" onChange={event => void read(event.currentTarget.files?.[0])} />
                <span class="hint">Nothing is changed before you have seen what would be.</span>
              </label>
              <Problem error={problem} />
            </div>
          </Card>
        </div>
        {difference === null ? null : (
          <Card
            title={difference.changes.length === 0 ? 'Nothing would change' : `${count(difference.changes.length)} changes`}
            actions={
              <button
                type="button"
                class="button primary"
                disabled={isBusy || difference.changes.length === 0}
                onClick={() => void apply()}
              >
                Import
              </button>
            }
          >
            <div class="stack">
              <p class="muted" role="status">
                {count(difference.sameCount)} are as in the file already. {count(difference.keptCount)} are not in the file and stay: an
                import deletes nothing.
              </p>
              <ul class="diff">
                {difference.changes.slice(0, shownMax).map(change => (
                  <ChangeLine key={`${change.section} ${change.name}`} change={change} />
                ))}
              </ul>
              {difference.changes.length > shownMax ? <p class="muted">and {count(difference.changes.length - shownMax)} more</p> : null}
            </div>
          </Card>
        )}
      </div>
    </>
  );
}

function ChangeLine({ change }: { readonly change: Change }): JSX.Element {
  const tone = change.kind === 'added' ? 'good' : change.kind === 'changed' ? 'warn' : 'bad';
  return (
    <li>
      <Badge tone={tone}>{change.kind === 'refused' ? 'cannot change' : change.kind}</Badge>
      <div>
        <span class="muted">{change.section.replace('_', ' ')}</span> <span class="name">{change.name}</span>
        {change.fields.map(field => (
          <p class="small name" key={field.name}>
            {field.name}: <del>{field.now}</del> → <ins>{field.then}</ins>
          </p>
        ))}
      </div>
    </li>
  );
}
