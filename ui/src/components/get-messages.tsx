// Taking messages out of a queue, as RabbitMQ's UI has it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, messageOf, path } from '../model/api.ts';
import { refresh } from '../model/live.ts';
import type { Message } from '../model/types.ts';
import { Card, Problem } from './basics.tsx';
import { SelectField, TextField } from './fields.tsx';
import { MessageView } from './message.tsx';

export function GetMessages({ vhost, queue }: { readonly vhost: string; readonly queue: string }): JSX.Element {
  const [mode, setMode] = useState('ack_requeue_true');
  const [amount, setAmount] = useState('1');
  const [problem, setProblem] = useState('');
  const [messages, setMessages] = useState<readonly Message[] | null>(null);
  const get = async (): Promise<void> => {
    setProblem('');
    try {
      const body = { count: Number(amount), ackmode: mode, encoding: 'auto', truncate: 50_000 };
      setMessages(await api.post<readonly Message[]>(path`queues/${vhost}/${queue}/get`, body));
      refresh();
    } catch (error) {
      setMessages(null);
      setProblem(messageOf(error));
    }
  };
  return (
    <div class="stack">
      <Card title="Get messages">
        <form
          class="form"
          onSubmit={event => {
            event.preventDefault();
            void get();
          }}
        >
          <p class="note">Getting takes messages and changes the queue, even when they are put back. The message browser only looks.</p>
          <div class="form-row">
            <SelectField
              label="What becomes of them"
              value={mode}
              onChange={setMode}
              options={[
                ['ack_requeue_true', 'put back, as redelivered'],
                ['reject_requeue_true', 'rejected and put back'],
                ['ack_requeue_false', 'gone for good'],
                ['reject_requeue_false', 'rejected: dead-lettered or dropped'],
              ]}
            />
            <TextField label="How many" type="number" value={amount} onChange={setAmount} />
          </div>
          <Problem error={problem} />
          <div>
            <button type="submit" class="button primary">
              Get
            </button>
          </div>
        </form>
      </Card>
      {messages === null ? null : messages.length === 0 ? (
        <p class="note" role="status">
          The queue is empty.
        </p>
      ) : (
        messages.map((message, index) => (
          <Card key={index} title={`Message ${index + 1} of ${messages.length}`}>
            <MessageView message={message} vhost={vhost} />
          </Card>
        ))
      )}
    </div>
  );
}
