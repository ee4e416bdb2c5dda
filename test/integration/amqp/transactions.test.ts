// What a transaction holds stays whole while memory is compacted and queues come and go. Its order of things is in test/differential.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { basicAck, basicConsume, basicGet, basicQos, queueDeclare, queueDelete } from '../../support/amqp-requests.ts';
import { SimBroker } from '../../support/sim-broker.ts';
import { SimClient } from '../../support/sim-client.ts';

let broker: SimBroker;
let client: SimClient;

beforeEach(() => {
  broker = new SimBroker();
  client = SimClient.connect(broker);
  client.openChannel(1);
  client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
});

function get(channel: number): string | null {
  client.send(basicGet(channel, 'q'));
  const got = client.takeDelivery(channel);
  client.takeAll();
  return got?.body.toString() ?? null;
}

test('acknowledged messages are whole again after a rollback, though memory was compacted meanwhile', () => {
  const body = 'x'.repeat(10_000);
  for (let i = 0; i < 2000; i++) client.publish(1, { routingKey: 'q', body: `${i} ${body}` });
  client.openChannel(2);
  client.call(methods.encodeTxSelect(2), methods.TxSelectOk);
  for (let i = 0; i < 10; i++) assert.equal(get(2), `${i} ${body}`);
  client.send(basicAck(2, 0, true));
  // Nearly all else goes, so that what the transaction holds has to move.
  for (let i = 10; i < 1990; i++) {
    client.send(basicGet(1, 'q', true));
    client.takeDelivery(1);
  }
  assert.ok(broker.core.compactMemory(0) > 0, 'there was something to compact');
  client.call(methods.encodeTxRollback(2), methods.TxRollbackOk);
  client.call(methods.encodeChannelClose(2, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }), methods.ChannelCloseOk);
  for (let i = 0; i < 10; i++) assert.equal(get(1), `${i} ${body}`);
});

test('a transaction of ten thousand acknowledgements is rolled back and committed in no time to speak of', () => {
  for (let i = 0; i < 10_000; i++) client.publish(1, { routingKey: 'q', body: 'x' });
  client.openChannel(2);
  client.call(methods.encodeTxSelect(2), methods.TxSelectOk);
  client.call(basicConsume(2, { queue: 'q' }), methods.BasicConsumeOk);
  assert.equal(client.takeDeliveries(2).length, 10_000);
  for (let i = 10_000; i > 0; i--) client.send(basicAck(2, i));
  client.call(methods.encodeTxRollback(2), methods.TxRollbackOk);
  client.send(basicAck(2, 5000, true));
  client.call(methods.encodeTxRollback(2), methods.TxRollbackOk);
  client.send(basicAck(2, 0, true));
  client.call(methods.encodeTxCommit(2), methods.TxCommitOk);
  assert.equal(broker.core.store.liveCount, 0);
});

test('credit comes back with the commit', () => {
  for (let i = 0; i < 3; i++) client.publish(1, { routingKey: 'q', body: String(i) });
  client.openChannel(2);
  client.call(methods.encodeTxSelect(2), methods.TxSelectOk);
  client.call(basicQos(2, 1), methods.BasicQosOk);
  client.call(basicConsume(2, { queue: 'q' }), methods.BasicConsumeOk);
  assert.equal(client.takeDeliveries(2).length, 1);
  client.send(basicAck(2, 1));
  assert.equal(client.takeDeliveries(2).length, 0);
  client.call(methods.encodeTxCommit(2), methods.TxCommitOk);
  assert.equal(client.takeDeliveries(2).length, 1);
});

test('a connection that ends with a transaction open gives back what was acknowledged in it', () => {
  client.publish(1, { routingKey: 'q', body: 'x' });
  const other = SimClient.connect(broker);
  other.openChannel(1);
  other.call(methods.encodeTxSelect(1), methods.TxSelectOk);
  other.send(basicGet(1, 'q'));
  other.takeDelivery(1);
  other.send(basicAck(1, 1));
  other.publish(1, { routingKey: 'q', body: 'never' });
  other.drop();
  assert.equal(get(1), 'x');
  assert.equal(get(1), null);
});

test('what was acknowledged of a queue that is gone at the commit is let go', () => {
  client.publish(1, { routingKey: 'q', body: 'x' });
  client.call(methods.encodeTxSelect(1), methods.TxSelectOk);
  assert.equal(get(1), 'x');
  client.send(basicAck(1, 1));
  client.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk);
  client.call(methods.encodeTxCommit(1), methods.TxCommitOk);
  assert.equal(broker.core.store.liveCount, 0);
});
