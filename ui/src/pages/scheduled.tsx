import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Card, PageHead, Problem, Waiting } from '../components/basics.tsx';
import { act, ConfirmDialog, Dialog, FormDialog } from '../components/dialog.tsx';
import { TextField } from '../components/fields.tsx';
import { MessageView } from '../components/message.tsx';
import { Table } from '../components/table.tsx';
import { api, exchangePathName, path } from '../model/api.ts';
import { count, dateTime, duration, shownName } from '../model/format.ts';
import { useLive } from '../model/live.ts';
import { scoped } from '../model/paths.ts';
import { exchangeHref, href, place, queueHref } from '../model/router.ts';
import type { Exchange, HeldMessage, Page, Queue } from '../model/types.ts';

const listMax = 100;
const pageSize = 50;

/** Messages that wait for their time: held by exchanges, or in queues to be tried again. */
export function ScheduledPage(): JSX.Element {
  const { query } = place.value;
  const [vhost, exchange, queue] = [query.get('vhost'), query.get('exchange'), query.get('queue')];
  if (vhost === null || (exchange === null && queue === null)) return <Holders />;
  const holder: Holder = queue === null ? { kind: 'exchange', vhost, name: exchange ?? '' } : { kind: 'queue', vhost, name: queue };
  return <HeldMessages key={`${holder.kind}\0${vhost}\0${holder.name}`} holder={holder} />;
}

function Holders(): JSX.Element {
  const most = `page=1&page_size=${listMax}&sort=messages_delayed&sort_reverse=true&columns=name,vhost,messages_delayed`;
  const exchanges = useLive<Page<Exchange>>(`${scoped('exchanges')}?${most}`);
  const queues = useLive<Page<Queue>>(`${scoped('queues')}?${most}`);
  if (exchanges.data === undefined) return <Waiting error={exchanges.error} />;
  const holding = exchanges.data.items.filter(({ messages_delayed: held = 0 }) => held > 0);
  const retrying = (queues.data?.items ?? []).filter(({ messages_delayed: held = 0 }) => held > 0);
  return (
    <>
      <PageHead title="Scheduled" above="Messages that wait for their time" />
      <div class="stack">
        <Card title="Held by exchanges" isBare>
          <Table
            label="Exchanges that hold messages"
            rows={holding}
            rowKey={item => `${item.vhost}\0${item.name}`}
            empty="No exchange holds a message for later."
            columns={[
              {
                title: 'Exchange',
                cell: (item: Exchange) => (
                  <a class="name" href={href(['scheduled'], { vhost: item.vhost, exchange: item.name })}>
                    {shownName(item.name, '(default exchange)')}
                  </a>
                ),
              },
              { title: 'Virtual host', cell: item => <span class="name">{item.vhost}</span> },
              { title: 'Messages', isNumber: true, cell: item => count(item.messages_delayed) },
            ]}
          />
        </Card>
        <Card title="To be tried again" isBare>
          <Table
            label="Queues with messages to be tried again"
            rows={retrying}
            rowKey={item => `${item.vhost}\0${item.name}`}
            empty="No queue waits to try a message again."
            columns={[
              {
                title: 'Queue',
                cell: (item: Queue) => (
                  <a class="name" href={href(['scheduled'], { vhost: item.vhost, queue: item.name })}>
                    {item.name}
                  </a>
                ),
              },
              { title: 'Virtual host', cell: item => <span class="name">{item.vhost}</span> },
              { title: 'Messages', isNumber: true, cell: item => count(item.messages_delayed) },
            ]}
          />
        </Card>
      </div>
    </>
  );
}

/** Who holds messages for later. */
interface Holder {
  readonly kind: 'exchange' | 'queue';
  readonly vhost: string;
  readonly name: string;
}

/** What differs between an exchange that holds messages and a queue that tries them again. */
const kinds = {
  exchange: {
    path: ({ vhost, name }: Holder): string => path`exchanges/${vhost}/${exchangePathName(name)}/delayed`,
    title: ({ name }: Holder): string => `Scheduled by ${shownName(name, 'the default exchange')}`,
    link: ({ vhost, name }: Holder): string => exchangeHref(vhost, name),
    label: 'Exchange',
    hurried: 'It is delivered now.',
    cancelText: 'It is dropped, and never delivered.',
  },
  queue: {
    path: ({ vhost, name }: Holder): string => path`queues/${vhost}/${name}/delayed`,
    title: ({ name }: Holder): string => `To be tried again in ${name}`,
    link: ({ vhost, name }: Holder): string => queueHref(vhost, name),
    label: 'Queue',
    hurried: 'It is tried again now.',
    cancelText: 'It is dropped: it is not tried again, and is no dead letter.',
  },
};

function HeldMessages({ holder }: { readonly holder: Holder }): JSX.Element {
  const { vhost } = holder;
  const kind = kinds[holder.kind];
  const own = kind.path(holder);
  const [offset, setOffset] = useState(0);
  const { data, error } = useLive<readonly HeldMessage[]>(`${own}?offset=${offset}&count=${pageSize}`);
  const [open, setOpen] = useState<{ readonly kind: 'view' | 'cancel' | 'when'; readonly message: HeldMessage } | null>(null);
  const messages = data ?? [];
  const now = Date.now();
  return (
    <>
      <PageHead
        title={kind.title(holder)}
        above={
          <>
            <a href={href(['scheduled'])}>Scheduled</a> in <span class="name">{vhost}</span>
          </>
        }
      >
        <a class="button" href={kind.link(holder)}>
          {kind.label}
        </a>
      </PageHead>
      <Problem error={error} />
      <Card title="In the order of their release" isBare>
        <Table
          label="Scheduled messages"
          rows={messages}
          rowKey={({ id }) => id}
          empty={data === undefined ? 'Looking …' : 'No message waits here.'}
          columns={[
            { title: 'Due', cell: ({ deliver_at: due }: HeldMessage) => dateTime(due) },
            { title: 'In', isOptional: true, cell: ({ deliver_at: due }) => (due <= now ? 'now' : duration(due - now)) },
            ...(holder.kind === 'queue'
              ? [{ title: 'Try', isNumber: true, cell: ({ retry_count: retries }: HeldMessage) => count(retries) }]
              : []),
            { title: 'Routing key', isOptional: true, cell: ({ routing_key: key }) => <span class="mono name">{key}</span> },
            {
              title: 'Payload',
              weight: 2,
              cell: message => (
                <button type="button" class="button plain small mono" onClick={() => setOpen({ kind: 'view', message })}>
                  {message.payload_encoding === 'string' ? message.payload.slice(0, 60) || '(empty)' : '(bytes)'}
                </button>
              ),
            },
            {
              title: 'Actions',
              isNumber: true,
              cell: message => (
                <span class="badges">
                  <button
                    type="button"
                    class="button small"
                    onClick={() => void act(kind.hurried, () => api.put(`${own}/${message.id}`, { delay: 0 }))}
                  >
                    Now
                  </button>
                  <button type="button" class="button small" onClick={() => setOpen({ kind: 'when', message })}>
                    Another time
                  </button>
                  <button type="button" class="button small danger" onClick={() => setOpen({ kind: 'cancel', message })}>
                    Cancel
                  </button>
                </span>
              ),
            },
          ]}
        />
        <div class="toolbar">
          <button type="button" class="button small" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - pageSize))}>
            Earlier
          </button>
          <button type="button" class="button small" disabled={messages.length < pageSize} onClick={() => setOffset(offset + pageSize)}>
            Later
          </button>
        </div>
      </Card>
      {open?.kind === 'view' ? (
        <Dialog title="Scheduled message" isWide onClose={() => setOpen(null)}>
          <MessageView message={open.message} vhost={vhost} />
        </Dialog>
      ) : null}
      {open?.kind === 'cancel' ? (
        <ConfirmDialog
          title="Cancel this message?"
          text={kind.cancelText}
          name={null}
          action="Cancel message"
          done="The message is cancelled."
          run={() => api.delete(`${own}/${open.message.id}`)}
          onClose={() => setOpen(null)}
        />
      ) : null}
      {open?.kind === 'when' ? <WhenDialog target={`${own}/${open.message.id}`} onClose={() => setOpen(null)} /> : null}
    </>
  );
}

function WhenDialog({ target, onClose }: { readonly target: string; readonly onClose: () => void }): JSX.Element {
  const [seconds, setSeconds] = useState('60');
  return (
    <FormDialog
      title="Deliver at another time"
      action="Save"
      isReady={/^\d{1,9}$/.test(seconds)}
      done="It is delivered later."
      run={() => api.put(target, { delay: Number(seconds) * 1000 })}
      onClose={onClose}
    >
      <TextField label="Seconds from now" type="number" value={seconds} onChange={setSeconds} isRequired hasFocus />
    </FormDialog>
  );
}
