// Vitest: a broker for the file costs milliseconds, so no global set-up is needed.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Broker } from 'warrenmq';
import { placeOrder, startWorker } from '../shop/worker.js';

let broker;
beforeAll(async () => {
  broker = await Broker.start();
});
beforeEach(() => broker.reset());
afterAll(() => broker.stop());

test('an order is handled', async () => {
  const handled = [];
  const worker = await startWorker(broker.amqpUrl, async order => void handled.push(order.id));
  await placeOrder(broker.amqpUrl, { id: 1, country: 'eu' });
  await broker.idle();
  expect(handled).toEqual([1]);
  expect(broker.published().map(String)).toEqual([`shop 'order.eu' {"id":1,"country":"eu"} [orders: acked]`]);
  await worker.stop();
});

test('nothing of the test before is left', async () => {
  expect(broker.vhost().queues()).toEqual([]);
  expect(broker.published()).toEqual([]);
});

test('an order that the broker refuses is an error', async () => {
  const worker = await startWorker(broker.amqpUrl, async () => {});
  broker.faults.nackPublishes(1);
  await expect(placeOrder(broker.amqpUrl, { id: 2, country: 'eu' })).rejects.toThrow();
  await worker.stop();
});
