import { setTimeout as delay } from 'node:timers/promises';
import * as methods from '../../../../src/wire/amqp091/methods.gen.ts';
import { Publisher } from '../publisher.ts';
import type { Site } from '../site.ts';
import { type Route, routes } from '../topology.ts';
import { publishers } from './publishers.ts';

const txChannel = 3;

/** Publishes in transactions, and rolls a fifth of them back. */
export async function transact(site: Site): Promise<void> {
  const { ledger, random } = site;
  const client = await site.amqp();
  const publisher = new Publisher(client, txChannel, publishers.transactions, ledger);
  await client.openChannel(txChannel);
  await client.call(methods.encodeTxSelect(txChannel));
  while (!site.isOver) {
    const list = new Array<Route>(1 + random.below(10)).fill(routes.transacted);
    const copies = publisher.publish(list, random);
    const chance = random.uint32() / 0x1_0000_0000;
    if (chance < 0.2) {
      for (const copy of copies) ledger.refused(routes.transacted, copy);
      await client.call(methods.encodeTxRollback(txChannel));
    } else {
      await client.call(methods.encodeTxCommit(txChannel));
      for (const copy of copies) ledger.confirmed(routes.transacted, copy);
    }
    await delay(random.below(5));
  }
}
