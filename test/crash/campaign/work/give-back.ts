import { setTimeout as delay } from 'node:timers/promises';
import type { FastClient } from '../../../support/fast-client.ts';
import * as requests from '../../../support/amqp-requests.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { Acknowledger, barrierBy } from '../acknowledger.ts';
import { type Expectation, expectations } from '../ledger.ts';
import { Publisher } from '../publisher.ts';
import type { Site } from '../site.ts';
import { nameOf } from '../topology.ts';

const consumeChannel = 1;
const barrierChannel = 2;
/** Longer than a busy machine takes to confirm. */
const leaveMillisMax = 60_000;

/** How a message is settled. */
export type Settlement = 'accept' | 'requeue' | 'reject';

export interface GiveBack {
  readonly queue: number;
  readonly publisher: number;
  /** Deliveries after which the client goes away with what it has; Infinity: never. */
  leavesAfter(): number;
  /** Before it comes again. */
  readonly pauseMillis?: number;
  readonly expectation?: Expectation;
  decide(copy: number, header: Buffer): Settlement;
  onReturned?(copy: number): void;
}

/** A consumer of one queue that takes some messages, gives others back, and perhaps goes away with some and comes again. */
export async function giveBack(site: Site, how: GiveBack): Promise<void> {
  const { ledger, random } = site;
  while (!site.isOver) {
    let left = how.leavesAfter();
    const client: FastClient = await site.amqp({
      delivered: (channel, queue, redelivered, deliveryTag, body, header) => {
        if (left <= 0) return;
        const copy = ledger.delivered(queue, body, redelivered, how.expectation ?? expectations.returning);
        if (copy < 0) return;
        const settlement = how.decide(copy, header);
        if (settlement === 'accept') {
          acknowledger.acknowledging(copy);
          client.write(requests.basicAck(channel, deliveryTag));
        } else {
          if (settlement === 'requeue') acknowledger.returning(copy);
          client.write(requests.basicNack(channel, deliveryTag, { requeue: settlement === 'requeue' }));
        }
        acknowledger.barrier();
        if (--left === 0) void leave();
      },
      confirmed: (_channel, ...confirm) => publisher.confirmed(...confirm),
    });
    const publisher = new Publisher(client, barrierChannel, how.publisher, ledger);
    const acknowledger = new Acknowledger(ledger, barrierBy(publisher, random));
    // Who comes again after a pause waits until what it gave back is durable.
    const leave = async (): Promise<void> => {
      const timing = { timeoutMillis: leaveMillisMax, intervalMillis: 1 };
      if (how.pauseMillis !== undefined)
        await waitUntil(() => acknowledger.isIdle || !client.isOpen, timing).catch(() =>
          ledger.violation('confirms', `what was given back to ${nameOf(how.queue)} is not durable after ${leaveMillisMax} ms`),
        );
      client.destroy();
    };
    acknowledger.onReturned = copy => how.onReturned?.(copy);
    await client.openChannel(consumeChannel);
    await client.openChannel(barrierChannel);
    await client.call(requests.confirmSelect(barrierChannel));
    await client.call(requests.basicQos(consumeChannel, 20));
    await client.call(requests.basicConsume(consumeChannel, { queue: nameOf(how.queue), consumerTag: String(how.queue) }));
    await client.closed;
    if (how.pauseMillis !== undefined) await delay(how.pauseMillis);
  }
}
