// Mocha.
import assert from 'node:assert/strict';
import { Broker } from 'warrenmq';
import { placeOrder, startWorker } from '../shop/worker.js';

describe('orders', () => {
  let broker;
  let worker;
  const handled = [];

  before(async () => {
    broker = await Broker.start();
    worker = await startWorker(broker.amqpUrl, async order => void handled.push(order.id));
  });
  after(async () => {
    await worker.stop();
    await broker.stop();
  });

  it('are handled once each', async () => {
    for (const id of [1, 2, 3]) await placeOrder(broker.amqpUrl, { id, country: 'eu' });
    await broker.idle();
    assert.deepEqual(handled, [1, 2, 3]);
  });

  it('come again when an acknowledgement is lost', async () => {
    handled.length = 0;
    broker.faults.deliverTwice(1);
    await placeOrder(broker.amqpUrl, { id: 4, country: 'eu' });
    await broker.idle();
    assert.deepEqual(handled, [4, 4]);
  });
});
