import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Card, PageHead, Problem } from '../components/basics.tsx';
import { ArgumentsField, type ArgumentRow, argumentsOf, TextField } from '../components/fields.tsx';
import { Table } from '../components/table.tsx';
import { VhostField } from '../components/vhost-field.tsx';
import { api, exchangePathName, messageOf, path } from '../model/api.ts';
import { shownName } from '../model/format.ts';
import { exchangeHref, place, queueHref } from '../model/router.ts';
import { chosenVhost } from '../model/session.ts';
import type { Binding } from '../model/types.ts';

interface Explanation {
  readonly queues: readonly string[];
  readonly bindings: readonly Binding[];
}

/** Where a message would go, and by which bindings, without publishing one. */
export function ExplainPage(): JSX.Element {
  const { query } = place.value;
  const [vhost, setVhost] = useState(query.get('vhost') ?? (chosenVhost.value === '' ? '/' : chosenVhost.value));
  const [exchange, setExchange] = useState(query.get('exchange') ?? '');
  const [key, setKey] = useState(query.get('key') ?? '');
  const [headers, setHeaders] = useState<readonly ArgumentRow[]>([]);
  const [answer, setAnswer] = useState<Explanation | null>(null);
  const [problem, setProblem] = useState('');
  const explain = async (): Promise<void> => {
    setProblem('');
    setAnswer(null);
    try {
      setAnswer(
        await api.post<Explanation>(path`exchanges/${vhost}/${exchangePathName(exchange)}/explain`, {
          routing_key: key,
          headers: argumentsOf(headers),
        }),
      );
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <>
      <PageHead title="Explain routing" above="Where a message would go, without sending one" />
      <div class="grid-2">
        <Card title="A message with">
          <form
            class="form"
            onSubmit={event => {
              event.preventDefault();
              void explain();
            }}
          >
            <VhostField value={vhost} onChange={setVhost} />
            <TextField label="Published to exchange" value={exchange} onChange={setExchange} placeholder="(default)" />
            <TextField label="With routing key" value={key} onChange={setKey} isMono />
            <ArgumentsField label="And headers" rows={headers} onChange={setHeaders} />
            <Problem error={problem} />
            <div>
              <button type="submit" class="button primary">
                Explain
              </button>
            </div>
          </form>
        </Card>
        {answer === null ? null : (
          <div class="stack" role="status">
            <Card title={answer.queues.length === 1 ? 'Reaches 1 queue' : `Reaches ${answer.queues.length} queues`}>
              {answer.queues.length === 0 ? (
                <p>
                  <Badge tone="warn">unroutable</Badge> It would be returned to a publisher that asks for it (mandatory), and dropped for
                  others.
                </p>
              ) : (
                <ul class="stack">
                  {answer.queues.map(name => (
                    <li key={name}>
                      <a class="name" href={queueHref(vhost, name)}>
                        {name}
                      </a>
                    </li>
                  ))}
                </ul>
              )}
            </Card>
            <Card title="By these bindings" isBare>
              <Table
                label="Bindings"
                rows={answer.bindings}
                rowKey={binding => `${binding.source}\0${binding.destination_type}\0${binding.destination}\0${binding.properties_key}`}
                empty="No binding lets it pass."
                columns={[
                  {
                    title: 'From',
                    cell: ({ source }) => (
                      <a class="name" href={exchangeHref(vhost, source)}>
                        {shownName(source)}
                      </a>
                    ),
                  },
                  { title: 'Binding key', cell: ({ routing_key: bindingKey }) => <code class="name">{bindingKey}</code> },
                  {
                    title: 'To',
                    cell: ({ destination, destination_type: kind }) => (
                      <a class="name" href={kind === 'queue' ? queueHref(vhost, destination) : exchangeHref(vhost, destination)}>
                        {destination}
                      </a>
                    ),
                  },
                ]}
              />
            </Card>
          </div>
        )}
      </div>
    </>
  );
}
