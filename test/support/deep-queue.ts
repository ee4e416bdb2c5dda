// Queues of very many messages, filled and emptied as fast as the broker goes.
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import { basicConsume, basicQos, confirmSelect } from './amqp-requests.ts';
import { FastClient } from './fast-client.ts';

const openMax = 5000;
const batchMessages = 100;

/** Publishes messages to a queue, each with its number from `first` on in front of its body; resolves when all are confirmed. */
export async function fillQueue(
  port: number,
  queue: string,
  count: number,
  bodyBytes: number,
  first = 0,
  isPersistent = true,
): Promise<void> {
  let confirmed = 0;
  let more = (): void => {};
  const client = await FastClient.connect(port, {
    delivered() {},
    confirmed(_channel, deliveryTag, multiple) {
      confirmed = multiple ? deliveryTag : confirmed + 1;
      more();
    },
  });
  await client.openChannel(1);
  await client.call(confirmSelect(1));
  const body = Buffer.alloc(8 + bodyBytes);
  body[0] = 3;
  body.writeUInt16BE(1, 1);
  body.writeUInt32BE(bodyBytes, 3);
  body[body.length - 1] = 206;
  const method = methods.encodeBasicPublish(1, { exchange: '', routingKey: queue, mandatory: false, immediate: false });
  const header = encodeContentHeaderFrame(1, bodyBytes, encodeProperties({ deliveryMode: isPersistent ? 2 : 1 }));
  const one = Buffer.concat([method, header, body]);
  const bodyAt = method.length + header.length + 7;
  let sent = 0;
  await new Promise<void>((resolve, reject) => {
    void client.closed.then(reject);
    more = () => {
      while (sent < count && sent - confirmed < openMax) {
        const batch = Buffer.concat(Array.from({ length: Math.min(batchMessages, count - sent) }, () => one));
        for (let at = bodyAt; at < batch.length; at += one.length) batch.writeUInt32BE(first + sent++, at);
        client.write(batch);
      }
      if (confirmed === count) resolve();
    };
    more();
  });
  client.destroy();
}

/** Takes so many messages of a queue and acknowledges them; resolves with their numbers. */
export async function drainQueue(port: number, queue: string, count: number): Promise<{ numbers: Uint32Array; redelivered: number }> {
  const numbers = new Uint32Array(count);
  let got = 0;
  let redelivered = 0;
  const all = Promise.withResolvers<void>();
  const client = await FastClient.connect(port, {
    delivered(_channel, _consumer, isRedelivered, deliveryTag, body) {
      if (got === count) return;
      if (isRedelivered) redelivered++;
      numbers[got++] = body.readUInt32BE(0);
      if (got % 100 === 0 || got === count) client.write(methods.encodeBasicAck(1, { deliveryTag, multiple: true }));
      if (got === count) all.resolve();
    },
    confirmed() {},
  });
  void client.closed.then(all.reject);
  await client.openChannel(1);
  await client.call(basicQos(1, 1000));
  await client.call(basicConsume(1, { queue, consumerTag: '1' }));
  await all.promise;
  // Nothing is under way any more when this is answered.
  await client.call(basicQos(1, 1000));
  client.destroy();
  return { numbers, redelivered };
}

/** Whether numbers go up by one, from `first` on. */
export function isInOrder(numbers: Uint32Array, first: number): boolean {
  return numbers.every((number, index) => number === first + index);
}
