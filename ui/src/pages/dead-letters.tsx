import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Badge, Card, PageHead, Problem, Waiting } from '../components/basics.tsx';
import { Dialog } from '../components/dialog.tsx';
import { TextField } from '../components/fields.tsx';
import { MessageView } from '../components/message.tsx';
import { Table } from '../components/table.tsx';
import { api, messageOf, path } from '../model/api.ts';
import { type DeadLetterGroup, type DeadLetterQueue, findDeadLetterQueues, readGroups, readMax, redrive } from '../model/dead-letters.ts';
import { count, dateTime, shownName } from '../model/format.ts';
import { useOnce } from '../model/live.ts';
import { scoped } from '../model/paths.ts';
import { href, place, queueHref } from '../model/router.ts';
import { say } from '../model/toasts.ts';
import type { Binding, Queue } from '../model/types.ts';

export function DeadLettersPage(): JSX.Element {
  const { query } = place.value;
  const [vhost, queue] = [query.get('vhost'), query.get('queue')];
  if (vhost !== null && queue !== null) return <Workbench key={`${vhost}\0${queue}`} vhost={vhost} queue={queue} />;
  return <DeadLetterQueues />;
}

function DeadLetterQueues(): JSX.Element {
  const queues = useOnce<readonly Queue[]>(`${scoped('queues')}?columns=name,vhost,messages_ready,arguments,effective_policy_definition`);
  const bindings = useOnce<readonly Binding[]>(`${scoped('bindings')}?columns=source,vhost,destination,destination_type`);
  const error = queues.error ?? bindings.error;
  if (queues.data === undefined || bindings.data === undefined) return <Waiting error={error} />;
  const found = findDeadLetterQueues(queues.data, bindings.data);
  return (
    <>
      <PageHead title="Dead letters" above="Messages that were rejected, expired, or found no room" />
      <Card title="Queues that dead letters end in" isBare>
        <Table
          label="Queues with dead letters"
          rows={found}
          rowKey={item => `${item.vhost}\0${item.name}`}
          empty="No queue has a dead letter exchange that leads anywhere."
          columns={[
            {
              title: 'Queue',
              weight: 2,
              key: ({ name }: DeadLetterQueue) => name,
              cell: item => (
                <a class="name" href={href(['dead-letters'], { vhost: item.vhost, queue: item.name })}>
                  {item.name}
                </a>
              ),
            },
            { title: 'Virtual host', isOptional: true, cell: item => <span class="name">{item.vhost}</span> },
            { title: 'Dead letters', isNumber: true, key: ({ ready }) => ready, cell: ({ ready }) => count(ready) },
            {
              title: 'From',
              weight: 3,
              cell: ({ vhost, origins }) => (
                <span class="row">
                  {origins.slice(0, 5).map(origin => (
                    <a class="name" key={origin} href={queueHref(vhost, origin)}>
                      {origin}
                    </a>
                  ))}
                  {origins.length > 5 ? <span class="muted">and {origins.length - 5} more</span> : null}
                </span>
              ),
            },
          ]}
        />
      </Card>
    </>
  );
}

/** What a queue of dead letters holds, by reason and origin, and the way back. */
function Workbench({ vhost, queue }: { readonly vhost: string; readonly queue: string }): JSX.Element {
  const [groups, setGroups] = useState<readonly DeadLetterGroup[] | null>(null);
  const [readCount, setReadCount] = useState(0);
  const [problem, setProblem] = useState('');
  const [round, setRound] = useState(0);
  const [open, setOpen] = useState<{ readonly kind: 'sample' | 'redrive'; readonly group: DeadLetterGroup } | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    setGroups(null);
    readGroups(vhost, queue, setReadCount, abort.signal).then(setGroups, (error: unknown) => {
      if (!abort.signal.aborted) setProblem(messageOf(error));
    });
    return () => abort.abort();
  }, [vhost, queue, round]);
  const readAgain = (): void => setRound(round + 1);
  return (
    <>
      <PageHead
        title={queue}
        above={
          <>
            <a href={href(['dead-letters'])}>Dead letters</a> in <span class="name">{vhost}</span>
          </>
        }
      >
        <button type="button" class="button" onClick={readAgain}>
          Read again
        </button>
        <a class="button" href={queueHref(vhost, queue, { tab: 'messages' })}>
          Browse messages
        </a>
      </PageHead>
      <Problem error={problem} />
      <Card title={groups === null ? `Reading … ${count(readCount)}` : `${count(readCount)} messages, by reason and origin`} isBare>
        <Table
          label="Dead letters by reason and origin"
          rows={groups ?? []}
          rowKey={group => `${group.reason}\0${group.origin}\0${group.exchange}`}
          empty={groups === null ? 'Reading …' : 'The queue is empty.'}
          columns={[
            {
              title: 'Reason',
              cell: ({ reason }: DeadLetterGroup) => (reason === '' ? <Badge>did not die</Badge> : <Badge tone="bad">{reason}</Badge>),
            },
            {
              title: 'Died in',
              weight: 2,
              cell: ({ origin }) =>
                origin === '' ? (
                  '–'
                ) : (
                  <a class="name" href={queueHref(vhost, origin)}>
                    {origin}
                  </a>
                ),
            },
            {
              title: 'Published to',
              isOptional: true,
              cell: ({ exchange, origin }) => (origin === '' ? '–' : <span class="name">{shownName(exchange)}</span>),
            },
            { title: 'Messages', isNumber: true, key: ({ ids }) => ids.length, cell: ({ ids }) => count(ids.length) },
            {
              title: 'Oldest',
              isOptional: true,
              cell: ({ oldestSeconds: seconds }) => (seconds === null ? '–' : dateTime(seconds * 1000)),
            },
            {
              title: 'Actions',
              weight: 1.6,
              isNumber: true,
              cell: group => (
                <span class="badges">
                  <button type="button" class="button small" onClick={() => setOpen({ kind: 'sample', group })}>
                    Look at one
                  </button>
                  <button type="button" class="button small" onClick={() => setOpen({ kind: 'redrive', group })}>
                    Redrive
                  </button>
                </span>
              ),
            },
          ]}
        />
      </Card>
      {readCount >= readMax ? <p class="note">The first {count(readMax)} messages were read.</p> : null}
      {open?.kind === 'sample' ? (
        <Dialog title="The first of them" isWide onClose={() => setOpen(null)}>
          <MessageView message={open.group.sample} vhost={vhost} />
        </Dialog>
      ) : null}
      {open?.kind === 'redrive' ? (
        <RedriveDialog
          vhost={vhost}
          queue={queue}
          group={open.group}
          onClose={() => {
            setOpen(null);
            readAgain();
          }}
        />
      ) : null}
    </>
  );
}

function RedriveDialog({
  vhost,
  queue,
  group,
  onClose,
}: {
  readonly vhost: string;
  readonly queue: string;
  readonly group: DeadLetterGroup;
  readonly onClose: () => void;
}): JSX.Element {
  const [target, setTarget] = useState(group.origin);
  const [checked, setChecked] = useState<{ readonly target: string; readonly count: number } | null>(null);
  const [progress, setProgress] = useState<{ readonly done: number; readonly moved: number } | null>(null);
  const [problem, setProblem] = useState('');
  const [isOver, setIsOver] = useState(false);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const isRunning = progress !== null && !isOver;
  const check = async (): Promise<void> => {
    setProblem('');
    try {
      const { moved } = await api.post<{ moved: number }>(path`queues/${vhost}/${queue}/move`, {
        destination: target,
        ids: group.ids,
        dry_run: true,
      });
      setChecked({ target, count: moved });
    } catch (error) {
      setChecked(null);
      setProblem(messageOf(error));
    }
  };
  const start = async (): Promise<void> => {
    setProblem('');
    setIsOver(false);
    setProgress({ done: 0, moved: 0 });
    stop.current = new AbortController();
    try {
      const moved = await redrive(
        { vhost, queue },
        target,
        group.ids,
        (done, count) => setProgress({ done, moved: count }),
        stop.current.signal,
      );
      say(moved === group.ids.length ? 'good' : 'bad', `${count(moved)} of ${count(group.ids.length)} messages are in ${target}.`);
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setIsOver(true);
    }
  };
  return (
    <Dialog title="Redrive" onClose={onClose}>
      <form
        class="form"
        onSubmit={event => {
          event.preventDefault();
          if (checked === null || checked.target !== target) void check();
          else if (!isRunning && !isOver) void start();
        }}
      >
        <p>
          {count(group.ids.length)} messages that died {group.origin === '' ? '' : 'in '}
          <span class="name">{group.origin}</span> {group.reason === '' ? '' : `(${group.reason})`} go back as they are, with their headers.
        </p>
        <TextField label="To queue" value={target} onChange={setTarget} isRequired />
        <Problem error={problem} />
        {checked !== null && checked.target === target && progress === null ? (
          <p class="note" role="status">
            Dry run: {count(checked.count)} messages would be moved to <span class="name">{target}</span>. Nothing has been changed yet.
          </p>
        ) : null}
        {progress === null ? null : (
          <div>
            <progress max={group.ids.length} value={progress.done} aria-label="Progress" />
            <p class="small muted" role="status">
              {count(progress.moved)} of {count(group.ids.length)} moved{isOver ? '' : ' …'}
            </p>
          </div>
        )}
        <div class="dialog-foot">
          {isRunning ? (
            <button type="button" class="button danger" onClick={() => stop.current?.abort()}>
              Stop
            </button>
          ) : (
            <button type="button" class="button" onClick={onClose}>
              {isOver ? 'Close' : 'Cancel'}
            </button>
          )}
          {isOver ? null : checked === null || checked.target !== target ? (
            <button type="submit" class="button primary" disabled={target === ''}>
              Dry run
            </button>
          ) : (
            <button type="submit" class="button primary" disabled={isRunning}>
              Redrive {count(checked.count)} messages
            </button>
          )}
        </div>
      </form>
    </Dialog>
  );
}
