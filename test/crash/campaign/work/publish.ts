// hot: this runs for every message of a campaign.
import { confirmSelect } from '../../../support/amqp-requests.ts';
import { Publisher } from '../publisher.ts';
import type { Site } from '../site.ts';
import { type Route, routes } from '../topology.ts';

/** Of a hundred and more messages, how many go where. */
const weights = {
  acked: 30,
  ackedInPieces: 20,
  requeued: 6,
  waiting: 12,
  fan: 10,
  expiring: 8,
  rejected: 6,
  purged: 8,
  quorum: 8,
  quorumWaiting: 4,
  stream: 12,
  retried: 4,
  heldShortly: 4,
  heldLong: 2,
} as const satisfies Partial<Record<keyof typeof routes, number>>;

/** Bytes that wait in the socket at most. */
const waitingBytesMax = 1_000_000;

function tableOf({ size }: Site): Route[] {
  return Object.entries(weights).flatMap(([name, weight]) => {
    const route: Route = routes[name as keyof typeof weights];
    return size.kinds.includes(route.kind) ? new Array<Route>(weight).fill(route) : [];
  });
}

/** A publisher that keeps its window of unconfirmed messages full. */
export async function publish(site: Site, id: number): Promise<void> {
  const { random, memory } = site;
  const table = tableOf(site);
  if (table.length === 0) return;
  const { window: windowMax, batch: batchMax } = site.size;
  const client = await site.amqp({ confirmed: (_channel, ...confirm) => publisher.confirmed(...confirm) });
  const publisher = new Publisher(client, 1, id, site.ledger);
  await client.openChannel(1);
  await client.call(confirmSelect(1));
  let isPlanned = false;
  const pump = (): void => {
    isPlanned = false;
    if (site.isOver) return;
    for (let batches = 0; batches < 2 && publisher.outstanding < windowMax && client.socket.writableLength < waitingBytesMax; batches++) {
      const count = 1 + random.below(batchMax);
      const list: Route[] = [];
      // A run of one route, or a mixture; and seldom something that stays for the whole campaign.
      const one = random.chance(0.3) ? random.pick(table) : null;
      for (let i = 0; i < count; i++) list.push(one ?? random.pick(table));
      if (random.chance(0.02)) list.push(routes.deep);
      const nowMillis = Date.now();
      for (const [index, copy] of publisher.publish(list, random).entries()) {
        const { delayMillis } = list[index] as Route;
        if (delayMillis > 0) memory.due.set(copy, nowMillis + delayMillis);
      }
    }
    if (publisher.outstanding < windowMax) plan();
  };
  const plan = (): void => {
    if (isPlanned) return;
    isPlanned = true;
    setImmediate(pump);
  };
  publisher.onConfirmed = plan;
  pump();
  await client.closed;
}
