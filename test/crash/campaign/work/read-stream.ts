import { long, longstr } from '../../../../src/base/field-table.ts';
import * as requests from '../../../support/amqp-requests.ts';
import { type FastClient, headerNumber } from '../../../support/fast-client.ts';
import { expectations } from '../ledger.ts';
import type { Site } from '../site.ts';
import { nameOf, queueNumbers } from '../topology.ts';

const { stream } = queueNumbers;

/** Consumes the stream on a channel from an offset on, or as a name such as `next` says. */
export async function attach(client: FastClient, channel: number, from: number | string): Promise<void> {
  const offset = typeof from === 'number' ? long(from) : longstr(from);
  await client.call(requests.basicQos(channel, 500));
  await client.call(
    requests.basicConsume(channel, {
      queue: nameOf(stream),
      consumerTag: String(stream),
      arguments: new Map([['x-stream-offset', offset]]),
    }),
  );
}

/** A reader that begins somewhere, and again and again elsewhere. */
export async function readStream(site: Site): Promise<void> {
  const { ledger, random, memory } = site;
  while (!site.isOver) {
    const from = random.weighted({ first: 1, next: 2, last: 1, offset: 4 });
    let left = from === 'first' ? Infinity : 100 + random.below(2000);
    let last = -1;
    const client: FastClient = await site.amqp({
      delivered: (channel, queue, redelivered, deliveryTag, body, header) => {
        const copy = ledger.delivered(queue, body, redelivered, expectations.stream);
        if (copy < 0) return;
        const offset = headerNumber(header, 'x-stream-offset');
        memory.offsets.seen(offset, last, copy);
        last = offset;
        client.write(requests.basicAck(channel, deliveryTag));
        if (--left === 0) client.destroy();
      },
    });
    await client.openChannel(1);
    await attach(client, 1, from === 'offset' ? random.below(memory.offsets.end + 1) : from);
    await client.closed;
  }
}
