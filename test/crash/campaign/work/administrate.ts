import { setTimeout as delay } from 'node:timers/promises';
import * as requests from '../../../support/amqp-requests.ts';
import { Publisher } from '../publisher.ts';
import type { Site } from '../site.ts';
import { nameOf, queueNumbers, type Route, routes } from '../topology.ts';
import { publishers } from './publishers.ts';

const adminChannel = 1;
const confirmChannel = 2;
const { purged, passing } = queueNumbers;

/** Purges one queue, deletes and declares another, and queues that come and go by name. */
export async function administrate(site: Site): Promise<void> {
  const { ledger, random } = site;
  const { metadata } = site.memory;
  const client = await site.amqp({ confirmed: (_channel, ...confirm) => publisher.confirmed(...confirm) });
  const publisher = new Publisher(client, confirmChannel, publishers.admin, ledger);
  const confirmed = async (list: readonly Route[]): Promise<void> => {
    publisher.publish(list, random);
    await new Promise<void>(resolve => {
      publisher.onConfirmed = () => {
        if (publisher.outstanding === 0) resolve();
      };
      void client.closed.then(() => resolve());
    });
    if (!client.isOpen) throw new Error('the connection is gone');
  };
  await client.openChannel(adminChannel);
  await client.openChannel(confirmChannel);
  await client.call(requests.confirmSelect(confirmChannel));
  const from = ledger.floor;
  while (!site.isOver) {
    await confirmed(new Array<Route>(1 + random.below(30)).fill(routes.passing));
    const inPurged = ledger.emptying(purged, from);
    await client.call(requests.queuePurge(adminChannel, { queue: nameOf(purged) }));
    ledger.emptying(purged, from);
    await confirmed([routes.barrier]);
    for (const copy of inPurged) ledger.acknowledged(copy);
    const inPassing = ledger.emptying(passing, from);
    await client.call(requests.queueDelete(adminChannel, { queue: nameOf(passing) }));
    for (const copy of inPassing) ledger.acknowledged(copy);
    const answer = await client.call(requests.queueDeclare(adminChannel, { queue: nameOf(passing), durable: true }));
    if (messageCountOf(answer) !== 0) ledger.violation('metadata', 'a queue that was deleted and declared again is not empty');
    const name = `temporary-${random.below(12)}`;
    const isThere = metadata.get(name) === 'there';
    metadata.set(name, 'unknown');
    if (isThere) await client.call(requests.queueDelete(adminChannel, { queue: name }));
    else await client.call(requests.queueDeclare(adminChannel, { queue: name, durable: true }));
    metadata.set(name, isThere ? 'gone' : 'there');
    await delay(random.below(20));
  }
}

/** Of a queue.declare-ok. */
export function messageCountOf(payload: Buffer): number {
  return payload.readUInt32BE(5 + (payload[4] as number));
}
