import * as requests from '../../../support/amqp-requests.ts';
import { Acknowledger, barrierBy } from '../acknowledger.ts';
import { expectations } from '../ledger.ts';
import { Publisher } from '../publisher.ts';
import type { Site } from '../site.ts';
import { nameOf, queueNumbers } from '../topology.ts';
import { publishers } from './publishers.ts';

/** Takes many and acknowledges them in one. */
const manyChannel = 1;
const barrierChannel = 2;

const { acked, ackedInPieces, fanned, rejected } = queueNumbers;
const consumers = [
  [manyChannel, acked],
  [manyChannel, fanned],
  [3, ackedInPieces],
  [4, rejected],
] as const;

/** Consumers of classic queues that acknowledge, many at once or each, and one that rejects. */
export async function consume(site: Site): Promise<void> {
  const { ledger, random } = site;
  const pending: number[] = [];
  let lastTag = 0;
  let isPlanned = false;
  const client = await site.amqp({
    delivered: (channel, queue, redelivered, deliveryTag, body) => {
      const copy = ledger.delivered(queue, body, redelivered, expectations.inOrder);
      if (copy < 0) return;
      if (channel === manyChannel) {
        pending.push(copy);
        lastTag = deliveryTag;
        if (!isPlanned) {
          isPlanned = true;
          setImmediate(settle);
        }
      } else if (queue === rejected) {
        client.write(requests.basicReject(channel, deliveryTag, false));
      } else {
        acknowledger.acknowledging(copy);
        client.write(requests.basicAck(channel, deliveryTag));
        acknowledger.barrier();
      }
    },
    confirmed: (_channel, ...confirm) => publisher.confirmed(...confirm),
  });
  const publisher = new Publisher(client, barrierChannel, publishers.consumer, ledger);
  const acknowledger = new Acknowledger(ledger, barrierBy(publisher, random));
  const settle = (): void => {
    isPlanned = false;
    for (const copy of pending) acknowledger.acknowledging(copy);
    pending.length = 0;
    client.write(requests.basicAck(manyChannel, lastTag, true));
    acknowledger.barrier();
  };
  await client.openChannel(manyChannel);
  await client.openChannel(barrierChannel);
  await client.call(requests.confirmSelect(barrierChannel));
  await client.call(requests.basicQos(manyChannel, 1000));
  for (const [channel, queue] of consumers) {
    if (channel > barrierChannel) {
      await client.openChannel(channel);
      await client.call(requests.basicQos(channel, 50));
    }
    ledger.reordered(queue);
    await client.call(requests.basicConsume(channel, { queue: nameOf(queue), consumerTag: String(queue) }));
  }
  await client.closed;
}
