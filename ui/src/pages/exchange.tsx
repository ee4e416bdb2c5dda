import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Card, Facts, PageHead, Stats, Values, Waiting } from '../components/basics.tsx';
import { BindingsCard } from '../components/bindings.tsx';
import { RangeChoice, RateChart, useRange } from '../components/chart.tsx';
import { ConfirmDialog } from '../components/dialog.tsx';
import { PublishForm } from '../components/publish.tsx';
import { api, exchangePathName, path } from '../model/api.ts';
import { count, perSecond, rateOf, shownName } from '../model/format.ts';
import { useLive } from '../model/live.ts';
import { go, href } from '../model/router.ts';
import type { Binding, Exchange } from '../model/types.ts';
import { ExchangeBadges } from './exchanges.tsx';

export function ExchangePage({ vhost, name: pathName }: { readonly vhost: string; readonly name: string }): JSX.Element {
  const own = path`exchanges/${vhost}/${exchangePathName(pathName)}`;
  const { data, error } = useLive<Exchange>(own);
  const outgoing = useLive<readonly Binding[]>(`${own}/bindings/source`).data ?? [];
  const incoming = useLive<readonly Binding[]>(`${own}/bindings/destination`).data ?? [];
  const [range, setRange] = useRange();
  const [isDeleting, setIsDeleting] = useState(false);
  if (data === undefined) return <Waiting error={error} />;
  const { name, message_stats: stats } = data;
  const isPredeclared = name === '' || name.startsWith('amq.');
  return (
    <>
      <PageHead
        title={shownName(name, '(default exchange)')}
        above={
          <>
            <a href={href(['exchanges'])}>Exchanges</a> in <span class="name">{vhost}</span>
          </>
        }
        badges={<ExchangeBadges exchange={data} />}
      >
        <RangeChoice value={range} onChange={setRange} />
        <a class="button" href={href(['explain'], { vhost, exchange: name })}>
          Explain routing
        </a>
        {isPredeclared ? null : (
          <button type="button" class="button danger" onClick={() => setIsDeleting(true)}>
            Delete
          </button>
        )}
      </PageHead>
      <div class="stack">
        <Stats
          items={[
            { label: 'In', value: perSecond(rateOf(stats, 'publish_in') ?? 0) },
            { label: 'Out', value: perSecond(rateOf(stats, 'publish_out') ?? 0) },
            { label: 'Bindings from it', value: count(outgoing.length) },
            ...(data.messages_delayed === undefined
              ? []
              : [{ label: 'Scheduled', value: count(data.messages_delayed), link: href(['scheduled'], { vhost, exchange: name }) }]),
          ]}
        />
        <div class="grid-2">
          <RateChart
            title="Messages per second"
            path={own}
            range={range}
            stats={stats}
            names={[
              ['In', 'publish_in'],
              ['Out', 'publish_out'],
            ]}
          />
          <Card title="Facts">
            <Facts
              items={[
                ['Type', data.type],
                ['Durable', data.durable ? 'yes' : 'no'],
                ['Policy', data.policy ?? 'none'],
                ['Arguments', <Values values={data.arguments} />],
              ]}
            />
          </Card>
        </div>
        {name === '' ? (
          <Card title="Bindings">
            <p class="muted">The default exchange leads to every queue by its name. It cannot be bound.</p>
          </Card>
        ) : (
          <>
            <BindingsCard
              title="Where it leads"
              vhost={vhost}
              bindings={outgoing}
              own={{ kind: 'exchange', name, side: 'source' }}
              canBind
            />
            {incoming.length === 0 ? null : (
              <BindingsCard
                title="What leads to it"
                vhost={vhost}
                bindings={incoming}
                own={{ kind: 'exchange', name, side: 'destination' }}
                canBind
              />
            )}
          </>
        )}
        {data.internal ? null : (
          <Card title="Publish a message">
            <PublishForm vhost={vhost} exchange={name} />
          </Card>
        )}
      </div>
      {isDeleting ? (
        <ConfirmDialog
          title="Delete this exchange?"
          text="Its bindings go with it. Programs that publish to it will get an error."
          name={name}
          action="Delete exchange"
          done={`Exchange ${name} is gone.`}
          run={async () => {
            await api.delete(own);
            go(['exchanges']);
          }}
          onClose={() => setIsDeleting(false)}
        />
      ) : null}
    </>
  );
}
