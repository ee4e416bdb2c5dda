import { bodyBytesOf, makeBody } from '../body.ts';
import type { Frame } from '../../../../src/wire/stomp/frame.ts';
import { expectations } from '../ledger.ts';
import type { Site } from '../site.ts';
import { nameOf, queueNumbers, routes } from '../topology.ts';
import { publishers } from './publishers.ts';

const destination = `/amq/queue/${nameOf(queueNumbers.stomp)}`;

/** A clean stop says that it stops. */
function isStop({ command, headers }: Pick<Frame, 'command' | 'headers'>): boolean {
  return command === 'ERROR' && headers.get('message') === 'connection_forced';
}

/** Sends messages with receipts: each is a confirm. */
export async function sendByStomp(site: Site): Promise<void> {
  const { ledger, random } = site;
  const waiting = new Set<string>();
  const client = await site.stomp(({ command, headers }) => {
    if (isStop({ command, headers })) return;
    const receipt = headers.get('receipt-id') ?? '';
    if (command !== 'RECEIPT' || !waiting.delete(receipt)) {
      ledger.violation('confirms', `${command} ${receipt} in place of a receipt: ${headers.get('message') ?? ''}`);
      return;
    }
    ledger.confirmed(routes.stomp, Number(receipt));
    plan();
  });
  let isPlanned = false;
  const pump = (): void => {
    isPlanned = false;
    while (waiting.size < site.narrowWindow && !site.isOver) {
      const copy = ledger.published(routes.stomp, publishers.stomp);
      const receipt = String(copy);
      waiting.add(receipt);
      const headers = [
        ['destination', destination],
        ['persistent', 'true'],
        ['receipt', receipt],
      ] as const;
      client.send('SEND', headers, makeBody(copy, bodyBytesOf(random)));
    }
  };
  const plan = (): void => {
    if (isPlanned) return;
    isPlanned = true;
    setImmediate(pump);
  };
  pump();
  await client.closed;
}

/** Takes messages, and acknowledges two of three with a receipt, which says that it is durable; the third with none. */
export async function takeByStomp(site: Site): Promise<void> {
  const { ledger, random } = site;
  const client = await site.stomp(({ command, headers, body }) => {
    if (command === 'RECEIPT') {
      const copy = Number(headers.get('receipt-id'));
      if (copy >= 0) ledger.acknowledged(copy);
      return;
    }
    if (isStop({ command, headers })) return;
    if (command !== 'MESSAGE') {
      ledger.violation('unexpected', `STOMP says ${command}: ${headers.get('message') ?? ''}`);
      return;
    }
    const isRedelivered = headers.get('redelivered') === 'true';
    const copy = ledger.delivered(queueNumbers.stomp, body, isRedelivered, expectations.inOrder);
    if (copy < 0) return;
    ledger.acknowledging(copy);
    const ack = ['id', headers.get('ack') ?? ''] as const;
    client.send('ACK', random.chance(0.33) ? [ack] : [ack, ['receipt', String(copy)]]);
  });
  ledger.reordered(queueNumbers.stomp);
  client.send('SUBSCRIBE', [
    ['id', '0'],
    ['destination', destination],
    ['ack', 'client-individual'],
    ['prefetch-count', '100'],
  ]);
  await client.closed;
}
