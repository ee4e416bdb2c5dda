// One message: its payload, its properties, how it died.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { bytes, dateTime, shownName } from '../model/format.ts';
import { bestForm, bytesOf, deathsOf, headersOf, hexText, jsonText, type PayloadForm, plainText, propertiesOf } from '../model/payload.ts';
import { queueHref } from '../model/router.ts';
import { say } from '../model/toasts.ts';
import type { JsonRecord, Message } from '../model/types.ts';
import { Badge, Facts, Segments, Values } from './basics.tsx';

export function MessageView({ message, vhost }: { readonly message: Message; readonly vhost: string }): JSX.Element {
  const [form, setForm] = useState<PayloadForm>(bestForm(message));
  const json = jsonText(message);
  const deaths = deathsOf(message);
  const { headers: _headers, ...properties } = propertiesOf(message);
  const { 'x-death': _deaths, ...headers } = headersOf(message);
  const isWhole = bytesOf(message).length >= message.payload_bytes;
  const shown = form === 'hex' ? hexText(message) : form === 'json' ? (json ?? 'This is no JSON.') : plainText(message);
  const copy = (): void => {
    navigator.clipboard.writeText(shown).then(
      () => say('good', 'Copied.'),
      () => say('bad', 'The browser does not allow it.'),
    );
  };
  return (
    <div class="stack">
      <Facts
        items={[
          ['Exchange', <span class="name">{shownName(message.exchange)}</span>],
          ['Routing key', <span class="mono name">{message.routing_key}</span>],
          [
            'State',
            <span class="badges">
              {message.state === undefined ? null : <Badge>{message.state}</Badge>}
              {message.redelivered === true ? <Badge tone="warn">redelivered</Badge> : null}
            </span>,
          ],
        ]}
      />
      <div>
        <div class="row spread">
          <h3>Payload, {bytes(message.payload_bytes)}</h3>
          <div class="row">
            <Segments
              label="Payload as"
              value={form}
              onChange={setForm}
              options={[
                ['text', 'Text'],
                ['json', 'JSON'],
                ['hex', 'Hex'],
              ]}
            />
            <button type="button" class="button small" onClick={copy}>
              Copy
            </button>
            <button type="button" class="button small" onClick={() => download(message)}>
              Save
            </button>
          </div>
        </div>
        <pre class="payload" tabIndex={0} role="region" aria-label="Payload">
          {shown === '' ? ' ' : shown}
        </pre>
        {isWhole ? null : <p class="small muted">The first {bytes(bytesOf(message).length)} are shown.</p>}
      </div>
      {deaths.length === 0 ? null : (
        <div class="stack">
          <h3>How it died</h3>
          {deaths.map((death, index) => (
            <div class="death" key={index}>
              <div class="row">
                <Badge tone="bad">{death.reason}</Badge>
                in{' '}
                <a class="name" href={queueHref(vhost, death.queue)}>
                  {death.queue}
                </a>
                {death.count > 1 ? <span class="muted">{death.count} times</span> : null}
              </div>
              <p class="small muted name">
                came from {shownName(death.exchange)} by {death.keys.map(key => `“${key}”`).join(', ')}
                {death.timeSeconds === null ? '' : `, ${dateTime(death.timeSeconds * 1000)}`}
              </p>
            </div>
          ))}
        </div>
      )}
      <div class="grid-2">
        <div>
          <h3>Properties</h3>
          <Values values={properties as JsonRecord} />
        </div>
        <div>
          <h3>Headers</h3>
          <Values values={headers} />
        </div>
      </div>
    </div>
  );
}

function download(message: Message): void {
  const bytes = bytesOf(message);
  const url = URL.createObjectURL(new Blob([bytes.buffer as ArrayBuffer], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `message-${message.id ?? 'payload'}.bin`;
  link.click();
  URL.revokeObjectURL(url);
}
