import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { messageOf } from '../model/api.ts';
import { bytes } from '../model/format.ts';
import { bytesOf, headersOf, propertiesOf } from '../model/payload.ts';
import type { Message } from '../model/types.ts';
import { Problem } from './basics.tsx';
import { Dialog } from './dialog.tsx';
import { rowsOf } from './fields.tsx';
import { PublishForm } from './publish.tsx';

/** A copy of a message, changed and published; the original stays, or goes when the copy has reached a queue. */
export function RepublishDialog(props: {
  readonly vhost: string;
  readonly message: Message;
  /** Deletes the original; null where it cannot be. */
  readonly original: (() => Promise<void>) | null;
  readonly onPublished: () => void;
  readonly onClose: () => void;
}): JSX.Element {
  const { message, vhost, original } = props;
  const [replaces, setReplaces] = useState(false);
  const [problem, setProblem] = useState('');
  const { headers: _headers, ...properties } = propertiesOf(message);
  const published = async (): Promise<void> => {
    if (replaces && original !== null) {
      try {
        await original();
      } catch (error) {
        setProblem(`The copy is published; the original could not be deleted: ${messageOf(error)}`);
        return;
      }
      props.onClose();
    }
    props.onPublished();
  };
  return (
    <Dialog title="Edit and republish" isWide onClose={props.onClose}>
      <div class="stack">
        {original === null ? null : (
          <label class="check">
            <input type="checkbox" checked={replaces} onChange={event => setReplaces(event.currentTarget.checked)} />
            Delete the original when the copy has reached a queue
          </label>
        )}
        {bytesOf(message).length < message.payload_bytes ? (
          <p class="note">
            Only the first part of the payload is here: {bytes(bytesOf(message).length)} of {bytes(message.payload_bytes)}.
          </p>
        ) : null}
        <Problem error={problem} />
        <PublishForm
          vhost={vhost}
          draft={{
            exchange: message.exchange,
            key: message.routing_key,
            payload: message.payload,
            encoding: message.payload_encoding,
            headers: rowsOf(headersOf(message)),
            properties: rowsOf(properties),
          }}
          onPublished={() => void published()}
        />
      </div>
    </Dialog>
  );
}
