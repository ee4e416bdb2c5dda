import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Card, PageHead, Problem } from '../components/basics.tsx';
import { ConfirmDialog, Dialog } from '../components/dialog.tsx';
import { MessageView } from '../components/message.tsx';
import { RepublishDialog } from '../components/republish.tsx';
import { Table } from '../components/table.tsx';
import { api, path } from '../model/api.ts';
import { bytes, dateTime, shownName } from '../model/format.ts';
import { refresh, useLive } from '../model/live.ts';
import { exchangeHref, href } from '../model/router.ts';
import { isAdministrator, shownVhost } from '../model/session.ts';
import type { UnroutableMessage } from '../model/types.ts';

/** The last messages of a virtual host that reached no queue. */
export function UnroutablePage(): JSX.Element {
  const vhost = shownVhost();
  const own = path`vhosts/${vhost}/unroutable`;
  const { data, error } = useLive<readonly UnroutableMessage[]>(own);
  const [open, setOpen] = useState<{ readonly kind: 'view' | 'edit'; readonly message: UnroutableMessage } | null>(null);
  const [isForgetting, setIsForgetting] = useState(false);
  return (
    <>
      <PageHead title="Unroutable" above={<span class="name">The last messages in virtual host {vhost} that reached no queue</span>}>
        {isAdministrator() ? (
          <button type="button" class="button danger" disabled={(data ?? []).length === 0} onClick={() => setIsForgetting(true)}>
            Forget all
          </button>
        ) : null}
      </PageHead>
      <Problem error={error} />
      <Card title="Newest first" isBare>
        <Table
          label="Unroutable messages"
          rows={data ?? []}
          rowKey={({ id }) => id}
          empty={data === undefined ? 'Looking …' : 'Every message has found a queue.'}
          columns={[
            { title: 'When', cell: ({ timestamp }: UnroutableMessage) => dateTime(timestamp) },
            {
              title: 'Exchange',
              cell: ({ exchange }) => (
                <a class="name" href={exchangeHref(vhost, exchange)}>
                  {shownName(exchange, '(default exchange)')}
                </a>
              ),
            },
            { title: 'Routing key', cell: ({ routing_key: key }) => <span class="mono name">{key}</span> },
            {
              title: 'Payload',
              isOptional: true,
              weight: 2,
              cell: message => (
                <button type="button" class="button plain small mono" onClick={() => setOpen({ kind: 'view', message })}>
                  {message.payload_encoding === 'string' ? message.payload.slice(0, 60) || '(empty)' : '(bytes)'}
                </button>
              ),
            },
            { title: 'Size', isNumber: true, isOptional: true, cell: ({ payload_bytes: size }) => bytes(size) },
            {
              title: 'Actions',
              isNumber: true,
              cell: message => (
                <span class="badges">
                  <a class="button small" href={href(['explain'], { vhost, exchange: message.exchange, key: message.routing_key })}>
                    Explain
                  </a>
                  <button type="button" class="button small" onClick={() => setOpen({ kind: 'edit', message })}>
                    Republish
                  </button>
                </span>
              ),
            },
          ]}
        />
      </Card>
      {open?.kind === 'view' ? (
        <Dialog title="Unroutable message" isWide onClose={() => setOpen(null)}>
          <MessageView message={open.message} vhost={vhost} />
        </Dialog>
      ) : null}
      {open?.kind === 'edit' ? (
        <RepublishDialog vhost={vhost} message={open.message} original={null} onPublished={refresh} onClose={() => setOpen(null)} />
      ) : null}
      {isForgetting ? (
        <ConfirmDialog
          title="Forget these messages?"
          text="They are in no queue; only this list has them."
          name={null}
          action="Forget all"
          done="They are forgotten."
          run={() => api.delete(own)}
          onClose={() => setIsForgetting(false)}
        />
      ) : null}
    </>
  );
}
