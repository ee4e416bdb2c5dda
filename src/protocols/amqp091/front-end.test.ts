import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basicGet, queueDeclare } from '../../../test/support/amqp-requests.ts';
import { SimBroker } from '../../../test/support/sim-broker.ts';
import { SimClient } from '../../../test/support/sim-client.ts';
import * as methods from '../../wire/amqp091/methods.gen.ts';

test('deliveries that wait for an acknowledgement are whole when they go back, though memory was compacted meanwhile', () => {
  const broker = new SimBroker();
  const client = SimClient.connect(broker);
  client.openChannel(1);
  client.openChannel(2);
  client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  const get = (channel: number, noAck: boolean): string | null => {
    client.send(basicGet(channel, 'q', noAck));
    const got = client.takeDelivery(channel);
    client.takeAll();
    return got?.body.toString() ?? null;
  };
  const body = 'x'.repeat(10_000);
  for (let i = 0; i < 2000; i++) client.publish(1, { routingKey: 'q', body: `${i} ${body}` });
  for (let i = 0; i < 10; i++) assert.equal(get(2, false), `${i} ${body}`);
  // Nearly all else goes, so that what the channel holds has to move.
  for (let i = 10; i < 1990; i++) get(1, true);
  assert.ok(broker.core.compactMemory(0) > 0, 'there was something to compact');
  client.call(methods.encodeChannelClose(2, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }), methods.ChannelCloseOk);
  for (let i = 0; i < 10; i++) assert.equal(get(1, true), `${i} ${body}`);
});
