import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Card, Facts, PageHead, Stats, Tabs, Values, Waiting } from '../components/basics.tsx';
import { BindingsCard } from '../components/bindings.tsx';
import { ChartCard, deliveryRates, RangeChoice, RateChart, useRange } from '../components/chart.tsx';
import { ConsumersTable } from '../components/consumers.tsx';
import { ConfirmDialog } from '../components/dialog.tsx';
import { FindingsList } from '../components/findings.tsx';
import { GetMessages } from '../components/get-messages.tsx';
import { MessageBrowser, MoveDialog } from '../components/message-browser.tsx';
import { PublishForm } from '../components/publish.tsx';
import { api, path } from '../model/api.ts';
import { bytes, count, dateTime, percent, perSecond, rateOf } from '../model/format.ts';
import { refresh, useLive } from '../model/live.ts';
import { connectionHref, go, href, place, queueHref } from '../model/router.ts';
import type { Binding, Finding, Queue } from '../model/types.ts';
import { QueueBadges } from './queues.tsx';

/** A stream's messages are read by consumers, from an offset: there is no head to look at or to take from. */
const tabsOfQueuesOnly: ReadonlySet<string> = new Set(['messages', 'get']);

const tabs = [
  ['overview', 'Overview'],
  ['messages', 'Messages'],
  ['bindings', 'Bindings'],
  ['consumers', 'Consumers'],
  ['publish', 'Publish'],
  ['get', 'Get'],
] as const;

export function QueuePage({ vhost, name }: { readonly vhost: string; readonly name: string }): JSX.Element {
  const own = path`queues/${vhost}/${name}`;
  const { data, error } = useLive<Queue>(own);
  const isStream = data?.type === 'stream';
  const wanted = place.value.query.get('tab') ?? 'overview';
  const tab = isStream && tabsOfQueuesOnly.has(wanted) ? 'overview' : wanted;
  const bindings = useLive<readonly Binding[]>(tab === 'bindings' ? `${own}/bindings` : null).data ?? [];
  const search = new URLSearchParams({ vhost, queue: name });
  const findings = useLive<readonly Finding[]>(tab === 'overview' ? `findings?${search.toString()}` : null).data ?? [];
  const [open, setOpen] = useState<'purge' | 'delete' | 'move' | 'pause' | null>(null);
  const [range, setRange] = useRange();
  if (data === undefined) return <Waiting error={error} />;
  const isPaused = data.paused_since !== undefined;
  return (
    <>
      <PageHead
        title={name}
        above={
          <>
            <a href={href(['queues'])}>Queues</a> in <span class="name">{vhost}</span>
          </>
        }
        badges={<QueueBadges queue={data} />}
      >
        {tab === 'overview' ? <RangeChoice value={range} onChange={setRange} /> : null}
        <button type="button" class="button" onClick={() => setOpen('pause')}>
          {isPaused ? 'Resume' : 'Pause'}
        </button>
        {isStream ? null : (
          <>
            <button type="button" class="button" onClick={() => setOpen('move')}>
              Move all
            </button>
            <button type="button" class="button danger" onClick={() => setOpen('purge')}>
              Purge
            </button>
          </>
        )}
        <button type="button" class="button danger" onClick={() => setOpen('delete')}>
          Delete
        </button>
      </PageHead>
      <Tabs
        label="Of this queue"
        items={tabs
          .filter(([tabName]) => !isStream || !tabsOfQueuesOnly.has(tabName))
          .map(([tabName, title]) => ({
            name: title,
            link: queueHref(vhost, name, tabName === 'overview' ? {} : { tab: tabName }),
            isCurrent: tab === tabName,
          }))}
      />
      {tab === 'messages' ? <MessageBrowser vhost={vhost} queue={name} /> : null}
      {tab === 'bindings' ? (
        <BindingsCard
          title="What leads to it"
          vhost={vhost}
          bindings={bindings}
          own={{ kind: 'queue', name, side: 'destination' }}
          canBind
        />
      ) : null}
      {tab === 'consumers' ? (
        <Card title="Consumers" isBare>
          <ConsumersTable consumers={data.consumer_details ?? []} />
        </Card>
      ) : null}
      {tab === 'publish' ? (
        <Card title="Publish to this queue">
          <PublishForm vhost={vhost} exchange="" routingKey={name} />
        </Card>
      ) : null}
      {tab === 'get' ? <GetMessages vhost={vhost} queue={name} /> : null}
      {tab === 'overview' ? <QueueOverview queue={data} own={own} range={range} findings={findings} /> : null}
      {open === 'purge' ? (
        <ConfirmDialog
          title="Purge this queue?"
          text={`All ${count(data.messages_ready)} ready messages are dropped for good; they are not dead-lettered. Unacknowledged ones stay.`}
          name={name}
          action="Purge queue"
          done={`Queue ${name} is purged.`}
          run={() => api.delete(`${own}/contents`)}
          onClose={() => setOpen(null)}
        />
      ) : null}
      {open === 'delete' ? (
        <ConfirmDialog
          title="Delete this queue?"
          text={`Its ${count(data.messages)} messages and its bindings go with it; its ${count(data.consumers)} consumers are cancelled.`}
          name={name}
          action="Delete queue"
          done={`Queue ${name} is gone.`}
          run={async () => {
            await api.delete(own);
            go(['queues']);
          }}
          onClose={() => setOpen(null)}
        />
      ) : null}
      {open === 'pause' ? (
        <ConfirmDialog
          title={isPaused ? 'Resume this queue?' : 'Pause this queue?'}
          text={
            isPaused
              ? `Its ${count(data.messages_ready)} ready messages go to its ${count(data.consumers)} consumers again.`
              : 'It hands out nothing, neither to consumers nor to those who ask, until it is resumed, also after a restart. It takes messages as before; what was delivered can be acknowledged, and messages expire.'
          }
          name={null}
          action={isPaused ? 'Resume queue' : 'Pause queue'}
          done={isPaused ? `Queue ${name} goes on.` : `Queue ${name} is paused.`}
          run={() => (isPaused ? api.delete(`${own}/pause`) : api.put(`${own}/pause`, {}))}
          onClose={() => setOpen(null)}
        />
      ) : null}
      {open === 'move' ? <MoveDialog vhost={vhost} queue={name} ids={null} onClose={() => setOpen(null)} onMoved={refresh} /> : null}
    </>
  );
}

function QueueOverview({
  queue,
  own,
  range,
  findings,
}: {
  readonly queue: Queue;
  readonly own: string;
  readonly range: ReturnType<typeof useRange>[0];
  readonly findings: readonly Finding[];
}): JSX.Element {
  const stats = queue.message_stats;
  return (
    <div class="stack">
      {findings.length === 0 ? null : (
        <Card title="Findings" isBare>
          <FindingsList findings={findings} />
        </Card>
      )}
      <Stats
        items={[
          {
            label: 'Ready',
            value: count(queue.messages_ready),
            ...(queue.type === 'stream' ? {} : { link: queueHref(queue.vhost, queue.name, { tab: 'messages' }) }),
          },
          { label: 'Unacked', value: count(queue.messages_unacknowledged) },
          ...((queue.messages_delayed ?? 0) > 0
            ? [
                {
                  label: 'Retrying',
                  value: count(queue.messages_delayed),
                  link: href(['scheduled'], { vhost: queue.vhost, queue: queue.name }),
                },
              ]
            : []),
          { label: 'Consumers', value: count(queue.consumers), link: queueHref(queue.vhost, queue.name, { tab: 'consumers' }) },
          { label: 'In', value: perSecond(rateOf(stats, 'publish') ?? 0) },
          { label: 'Out', value: perSecond(rateOf(stats, 'deliver_get') ?? 0) },
          { label: 'Bytes', value: bytes(queue.message_bytes) },
        ]}
      />
      <div class="grid-2">
        <ChartCard
          title="Messages"
          label="Messages in the queue"
          path={own}
          range={range}
          kind="length"
          format={count}
          series={[
            { label: 'Ready', now: queue.messages_ready, from: 'messages_ready_details' },
            { label: 'Unacknowledged', now: queue.messages_unacknowledged, from: 'messages_unacknowledged_details' },
          ]}
        />
        <RateChart title="Messages per second" path={own} range={range} stats={stats} names={deliveryRates} />
        <Card title="Facts">
          <Facts
            items={[
              ['Type', queue.type],
              ['Durable', queue.durable ? 'yes' : 'no'],
              [
                'Owner',
                queue.owner_pid_details === undefined ? (
                  'none'
                ) : (
                  <a class="name" href={connectionHref(queue.owner_pid_details.name)}>
                    {queue.owner_pid_details.name}
                  </a>
                ),
              ],
              ['Consumers can keep up', (queue.consumers ?? 0) === 0 ? 'no consumers' : percent(queue.consumer_capacity)],
              ['Single active consumer', queue.single_active_consumer_tag ?? 'none'],
              ['Idle since', queue.idle_since === undefined ? 'busy' : dateTime(Date.parse(queue.idle_since))],
              ['Memory', bytes(queue.memory)],
              ['Node', queue.node ?? ''],
            ]}
          />
        </Card>
        <Card title="What it was declared with">
          <div class="stack">
            <Values values={queue.arguments} empty="no arguments" />
            <div>
              <h3>Policy {queue.policy ?? '(none)'}</h3>
              <Values values={queue.effective_policy_definition} empty="nothing in effect" />
            </div>
          </div>
        </Card>
      </div>
    </div>
  );
}
