// Publishing a message by hand.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, exchangePathName, messageOf, path } from '../model/api.ts';
import { refresh } from '../model/live.ts';
import type { JsonRecord } from '../model/types.ts';
import { Problem } from './basics.tsx';
import { ArgumentsField, type ArgumentRow, argumentsOf, AreaField, SelectField, TextField, type ArgumentType } from './fields.tsx';

export interface Draft {
  readonly exchange: string;
  readonly key: string;
  readonly payload: string;
  readonly encoding: 'string' | 'base64';
  readonly headers: readonly ArgumentRow[];
  readonly properties: readonly ArgumentRow[];
}

export const emptyDraft: Draft = {
  exchange: '',
  key: '',
  payload: '',
  encoding: 'string',
  headers: [],
  properties: [{ name: 'delivery_mode', type: 'number', text: '2' }],
};

const knownProperties: Readonly<Record<string, ArgumentType>> = {
  delivery_mode: 'number',
  content_type: 'string',
  content_encoding: 'string',
  priority: 'number',
  correlation_id: 'string',
  reply_to: 'string',
  expiration: 'string',
  message_id: 'string',
  timestamp: 'number',
  type: 'string',
  app_id: 'string',
};

/** A form that publishes; where the exchange or the key is given, it is fixed. */
export function PublishForm(props: {
  readonly vhost: string;
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly draft?: Draft;
  readonly onPublished?: () => void;
}): JSX.Element {
  const [draft, setDraft] = useState<Draft>({
    ...(props.draft ?? emptyDraft),
    ...(props.exchange === undefined ? {} : { exchange: props.exchange }),
    ...(props.routingKey === undefined ? {} : { key: props.routingKey }),
  });
  const [problem, setProblem] = useState('');
  const [outcome, setOutcome] = useState('');
  const change = (part: Partial<Draft>): void => {
    setDraft(before => ({ ...before, ...part }));
    setOutcome('');
  };
  const publish = async (): Promise<void> => {
    setProblem('');
    setOutcome('');
    try {
      const headers = argumentsOf(draft.headers);
      const properties: JsonRecord = { ...argumentsOf(draft.properties), ...(Object.keys(headers).length === 0 ? {} : { headers }) };
      const { routed } = await api.post<{ routed: boolean }>(path`exchanges/${props.vhost}/${exchangePathName(draft.exchange)}/publish`, {
        properties,
        routing_key: draft.key,
        payload: draft.payload,
        payload_encoding: draft.encoding,
      });
      setOutcome(
        routed ? 'Published, and it reached at least one queue.' : 'Published, but no queue got it: nothing is bound for this key.',
      );
      if (routed) props.onPublished?.();
      refresh();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <form
      class="form"
      onSubmit={event => {
        event.preventDefault();
        void publish();
      }}
    >
      {props.exchange === undefined || props.routingKey === undefined ? (
        <div class="form-row">
          {props.exchange === undefined ? (
            <TextField label="Exchange" value={draft.exchange} onChange={exchange => change({ exchange })} placeholder="(default)" />
          ) : null}
          {props.routingKey === undefined ? (
            <TextField label="Routing key" value={draft.key} onChange={key => change({ key })} isMono />
          ) : null}
        </div>
      ) : null}
      <AreaField label="Payload" value={draft.payload} onChange={payload => change({ payload })} />
      <SelectField
        label="The payload is"
        value={draft.encoding}
        onChange={value => change({ encoding: value === 'base64' ? 'base64' : 'string' })}
        options={[
          ['string', 'text'],
          ['base64', 'bytes in base64'],
        ]}
      />
      <ArgumentsField label="Headers" rows={draft.headers} onChange={headers => change({ headers })} />
      <ArgumentsField label="Properties" rows={draft.properties} known={knownProperties} onChange={properties => change({ properties })} />
      <Problem error={problem} />
      {outcome === '' ? null : (
        <p class="note" role="status">
          {outcome}
        </p>
      )}
      <div>
        <button type="submit" class="button primary">
          Publish
        </button>
      </div>
    </form>
  );
}
