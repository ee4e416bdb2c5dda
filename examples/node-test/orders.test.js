// node:test, with one broker for the file and a virtual host for each test.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Broker } from 'warrenmq';
import { placeOrder, startWorker } from '../shop/worker.js';

let broker;
before(async () => {
  broker = await Broker.start({ clock: 'virtual' });
});
after(() => broker.stop());

test('an order is handled and acknowledged', async t => {
  const vhost = await broker.fork();
  t.after(() => vhost.delete());
  const handled = [];
  const worker = await startWorker(vhost.amqpUrl, async order => void handled.push(order.id));
  await placeOrder(vhost.amqpUrl, { id: 1, country: 'eu' });
  await broker.idle();
  assert.deepEqual(handled, [1]);
  const [order] = await vhost.queue('orders').received(1);
  assert.equal(order.fateIn('orders'), 'acked');
  await worker.stop();
});

test('an order that fails is tried three times, a minute apart', async t => {
  const vhost = await broker.fork();
  t.after(() => vhost.delete());
  let tries = 0;
  const worker = await startWorker(vhost.amqpUrl, async () => {
    tries++;
    throw new Error('no stock');
  });
  await placeOrder(vhost.amqpUrl, { id: 2, country: 'us' });
  await broker.idle();
  assert.equal(tries, 1);
  await broker.clock.advance('59s');
  assert.equal(tries, 1);
  await broker.clock.advance('2s');
  assert.equal(tries, 2);
  await broker.clock.advance('1m');
  assert.equal(tries, 3);
  await broker.idle();
  const [failed] = await vhost.queue('orders.failed').messages();
  assert.deepEqual(failed.json(), { id: 2, country: 'us' });
  await worker.stop();
});

test('a worker whose connection is cut leaves its order to the next', async t => {
  const vhost = await broker.fork();
  t.after(() => vhost.delete());
  const slow = await startWorker(vhost.amqpUrl, () => new Promise(() => {}));
  await placeOrder(vhost.amqpUrl, { id: 3, country: 'eu' });
  await vhost.queue('orders').received(1);
  broker.faults.dropConnections();
  const handled = [];
  const worker = await startWorker(vhost.amqpUrl, async order => void handled.push(order.id));
  await broker.idle();
  assert.deepEqual(handled, [3]);
  await worker.stop();
  await slow.stop().catch(() => {});
});
