// The messages of a queue, looked at without taking them.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api, path } from '../model/api.ts';
import { bytes, count } from '../model/format.ts';
import { useOnce } from '../model/live.ts';
import { bytesOf, deathsOf } from '../model/payload.ts';
import { place } from '../model/router.ts';
import type { Message } from '../model/types.ts';
import { Badge, Card, Problem, Segments } from './basics.tsx';
import { ConfirmDialog, Dialog, FormDialog } from './dialog.tsx';
import { SelectField, TextField } from './fields.tsx';
import { MessageView } from './message.tsx';
import { RepublishDialog } from './republish.tsx';
import { type Column, Table } from './table.tsx';

const pageSize = 50;
/** Of a payload in the list. */
const previewBytes = 300;

type Open = { readonly kind: 'view' | 'delete' | 'edit'; readonly message: Message; readonly index: number };

type State = 'ready' | 'unacked' | 'delayed';

function stateOf(text: string | null): State {
  return text === 'unacked' || text === 'delayed' ? text : 'ready';
}

export function MessageBrowser({ vhost, queue }: { readonly vhost: string; readonly queue: string }): JSX.Element {
  const [search, setSearch] = useState('');
  const [text, setText] = useState('');
  const [state, setState] = useState<State>(stateOf(place.value.query.get('state')));
  const [offset, setOffset] = useState(0);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [open, setOpen] = useState<Open | null>(null);
  const [isMoving, setIsMoving] = useState(false);
  const own = path`queues/${vhost}/${queue}`;
  const query = new URLSearchParams({ state, search, offset: String(offset), count: String(pageSize), truncate: String(previewBytes) });
  const { data, error, reload } = useOnce<readonly Message[]>(`${own}/messages?${query.toString()}`);
  const messages = data ?? [];
  useEffect(() => setChosen(new Set()), [search, state, offset]);
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const changed = (): void => {
    setChosen(new Set());
    reload();
  };
  const inspect = async (message: Message, index: number, kind: Open['kind']): Promise<void> => {
    const one = new URLSearchParams({ state, search, offset: String(offset + index), count: '1' });
    const [whole] =
      bytesOf(message).length < message.payload_bytes ? await api.get<readonly Message[]>(`${own}/messages?${one.toString()}`) : [message];
    // The queue may have moved on meanwhile.
    setOpen({ kind, message: whole?.id === message.id ? whole : message, index });
  };
  const isReady = state === 'ready';
  const columns: Column<Message & { readonly index: number }>[] = [
    ...(isReady
      ? [
          {
            title: 'Choose',
            weight: 0.4,
            cell: ({ id = '', index }: Message & { readonly index: number }) => (
              <input
                type="checkbox"
                aria-label={`Choose message ${offset + index + 1}`}
                checked={chosen.has(id)}
                onChange={() => toggle(id)}
              />
            ),
          },
        ]
      : []),
    { title: 'Place', isNumber: true, weight: 0.4, cell: ({ index }) => count(offset + index + 1) },
    {
      title: 'Payload',
      weight: 3,
      cell: message => (
        <button type="button" class="button plain small mono" onClick={() => void inspect(message, message.index, 'view')}>
          {preview(message)}
        </button>
      ),
    },
    { title: 'Routing key', weight: 1.2, isOptional: true, cell: ({ routing_key: key }) => <span class="mono name">{key}</span> },
    { title: 'Size', isNumber: true, isOptional: true, cell: message => bytes(message.payload_bytes) },
    {
      title: 'Marks',
      isOptional: true,
      cell: message => {
        const [death] = deathsOf(message);
        return (
          <span class="badges">
            {message.redelivered === true ? <Badge tone="warn">redelivered</Badge> : null}
            {death === undefined ? null : <Badge tone="bad">{death.reason}</Badge>}
          </span>
        );
      },
    },
  ];
  return (
    <Card title="Messages" isBare>
      <form
        class="toolbar"
        onSubmit={event => {
          event.preventDefault();
          setOffset(0);
          setSearch(text);
        }}
      >
        <div class="search">
          <input
            type="search"
            aria-label="Search payloads and headers"
            placeholder="Search payloads and headers"
            value={text}
            onInput={event => setText(event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="button">
          Search
        </button>
        <Segments
          label="State of messages"
          value={state}
          onChange={value => {
            setState(value);
            setOffset(0);
          }}
          options={[
            ['ready', 'Ready'],
            ['unacked', 'Unacked'],
            ['delayed', 'Retrying'],
          ]}
        />
        <button type="button" class="button" onClick={reload}>
          Look again
        </button>
        <span class="grow" />
        {isReady ? (
          <button type="button" class="button" disabled={chosen.size === 0} onClick={() => setIsMoving(true)}>
            Move {chosen.size === 0 ? '' : count(chosen.size)} …
          </button>
        ) : null}
      </form>
      {error === null ? null : <Problem error={error} />}
      <Table
        label="Messages"
        columns={columns}
        rows={messages.map((message, index) => ({ ...message, index }))}
        rowKey={message => message.id ?? String(message.index)}
        empty={
          data === undefined
            ? 'Looking …'
            : search === ''
              ? 'There are no such messages.'
              : 'No message has that in its payload or headers.'
        }
      />
      <div class="toolbar">
        <button type="button" class="button small" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - pageSize))}>
          Earlier
        </button>
        <button type="button" class="button small" disabled={messages.length < pageSize} onClick={() => setOffset(offset + pageSize)}>
          Later
        </button>
        <span class="small muted">
          {messages.length === 0 ? '' : `${count(offset + 1)} to ${count(offset + messages.length)}, from the head of the queue`}
        </span>
      </div>
      {open?.kind === 'view' ? (
        <Dialog title="Message" isWide onClose={() => setOpen(null)}>
          <MessageView message={open.message} vhost={vhost} />
          {isReady ? (
            <div class="dialog-foot">
              <button type="button" class="button" onClick={() => setOpen({ ...open, kind: 'edit' })}>
                Edit and republish
              </button>
              <button type="button" class="button danger" onClick={() => setOpen({ ...open, kind: 'delete' })}>
                Delete message
              </button>
            </div>
          ) : null}
        </Dialog>
      ) : null}
      {open?.kind === 'delete' ? (
        <ConfirmDialog
          title="Delete this message?"
          text="It is gone then, and is not dead-lettered."
          name={null}
          action="Delete message"
          done="The message is gone."
          run={async () => {
            await api.delete(`${own}/messages/${encodeURIComponent(open.message.id ?? '')}`);
            changed();
          }}
          onClose={() => setOpen(null)}
        />
      ) : null}
      {open?.kind === 'edit' ? (
        <RepublishDialog
          vhost={vhost}
          message={open.message}
          original={async () => {
            await api.delete(`${own}/messages/${encodeURIComponent(open.message.id ?? '')}`);
          }}
          onPublished={changed}
          onClose={() => setOpen(null)}
        />
      ) : null}
      {isMoving ? <MoveDialog vhost={vhost} queue={queue} ids={[...chosen]} onClose={() => setIsMoving(false)} onMoved={changed} /> : null}
    </Card>
  );
}

function preview(message: Message): string {
  if (message.payload_bytes === 0) return '(empty)';
  const text =
    message.payload_encoding === 'string'
      ? message.payload
      : `0x${Array.from(bytesOf(message).subarray(0, 24), byte => byte.toString(16).padStart(2, '0')).join('')}`;
  const line = text.replace(/\s+/g, ' ');
  return line.length > 90 ? `${line.slice(0, 90)} …` : line;
}

export function MoveDialog(props: {
  readonly vhost: string;
  readonly queue: string;
  readonly ids: readonly string[] | null;
  readonly onClose: () => void;
  readonly onMoved: () => void;
}): JSX.Element {
  const { vhost, queue, ids } = props;
  const [kind, setKind] = useState<'queue' | 'exchange'>('queue');
  const [target, setTarget] = useState('');
  return (
    <FormDialog
      title={ids === null ? 'Move all ready messages' : ids.length === 1 ? 'Move one message' : `Move ${ids.length} messages`}
      action="Move"
      isReady={target !== ''}
      done="Moved."
      run={async () => {
        const body = { ...(kind === 'queue' ? { destination: target } : { exchange: target }), ...(ids === null ? {} : { ids }) };
        const { moved } = await api.post<{ moved: number }>(path`queues/${vhost}/${queue}/move`, body);
        props.onMoved();
        if (ids !== null && moved < ids.length)
          throw new Error(`${moved} of ${ids.length} messages were moved: the others are gone, or the destination takes no more.`);
      }}
      onClose={props.onClose}
    >
      <SelectField
        label="To a"
        value={kind}
        onChange={value => setKind(value === 'exchange' ? 'exchange' : 'queue')}
        options={[
          ['queue', 'queue'],
          ['exchange', 'exchange, with their routing keys'],
        ]}
      />
      <TextField label="Its name" value={target} onChange={setTarget} isRequired hasFocus />
    </FormDialog>
  );
}
