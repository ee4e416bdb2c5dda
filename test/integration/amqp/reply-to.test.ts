// Names of direct reply-to: who gets what is sent to them. The ordinary course is in test/differential/scripts/direct-reply-to.txt.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import * as requests from '../../support/amqp-requests.ts';
import { SimBroker } from '../../support/sim-broker.ts';
import { SimClient } from '../../support/sim-client.ts';

const pseudo = 'amq.rabbitmq.reply-to';

function connect(broker: SimBroker): SimClient {
  const client = SimClient.connect(broker);
  client.openChannel(1);
  return client;
}

/** A requester that waits for replies, and the name that whoever gets its request sees. */
function request(broker: SimBroker): { requester: SimClient; name: string } {
  const requester = connect(broker);
  requester.call(requests.queueDeclare(1, { queue: 'rpc' }), methods.QueueDeclareOk);
  requester.call(requests.basicConsume(1, { queue: pseudo, noAck: true }), methods.BasicConsumeOk);
  requester.publish(1, { routingKey: 'rpc', body: 'ask', properties: { replyTo: pseudo } });
  const server = connect(broker);
  server.send(requests.basicGet(1, 'rpc', true));
  const delivery = server.takeDelivery(1);
  assert.ok(delivery !== null);
  const name = delivery.properties.replyTo ?? '';
  server.close();
  return { requester, name };
}

/** The reply text of the error that the frame ends its channel with; null when it does not. */
function refusalOf(broker: SimBroker, frame: Buffer): string | null {
  const client = connect(broker);
  client.send(frame);
  const closed = client.takeAll().find(each => each.method === methods.ChannelClose);
  client.drop();
  return closed?.method === methods.ChannelClose ? closed.args.replyText : null;
}

test('a reply-to name can be bound to nothing, consumed by nobody else, and is gone with its channel', () => {
  const broker = new SimBroker();
  const { requester, name } = request(broker);
  assert.match(name, /^amq\.rabbitmq\.reply-to\..{24}$/);
  for (const queue of [name, pseudo]) {
    for (const frame of [
      requests.queueBind(1, { queue, exchange: 'amq.direct', routingKey: 'k' }),
      requests.queuePurge(1, { queue }),
      requests.basicGet(1, queue, true),
    ])
      assert.match(
        refusalOf(broker, frame) ?? 'done',
        /^(NOT_FOUND|ACCESS_REFUSED|RESOURCE_LOCKED) - /,
        `${queue}: ${frame.readUInt32BE(7)}`,
      );
  }
  assert.match(refusalOf(broker, requests.basicConsume(1, { queue: name, noAck: true })) ?? 'done', /^(NOT_FOUND|RESOURCE_LOCKED) - /);
  // Deleting what is not there is no error. It is still there.
  refusalOf(broker, requests.queueDelete(1, { queue: name }));
  const other = connect(broker);
  other.publish(1, { routingKey: name, body: 'reply' });
  assert.equal(requester.takeDelivery(1)?.body.toString(), 'reply');
  requester.drop();
  other.publish(1, { routingKey: name, body: 'late', mandatory: true });
  assert.equal(other.takeDelivery(1)?.kind, 'return');
  assert.equal(broker.core.store.liveCount, 0);
});

test('a name that only looks like a reply-to reaches nobody, whatever is in it', () => {
  const broker = new SimBroker();
  const { requester, name } = request(broker);
  const client = connect(broker);
  const endings = [
    '',
    '.',
    '.1',
    '.__proto__',
    '.constructor',
    `.${'x'.repeat(200)}`,
    '.g1h2AA==.rabbit@host',
    '.\u0000',
    name.slice(pseudo.length, -1),
  ];
  for (let i = 0; i < 2000; i++) endings.push(`.${i}.node-${i}@host`);
  for (const ending of endings) client.publish(1, { routingKey: `${pseudo}${ending}`, body: 'x' });
  assert.equal(requester.takeDelivery(1), null);
  assert.equal(broker.core.store.liveCount, 0);
  assert.equal(broker.core.vhosts.get('/')?.hiddenQueues.size, 1);
});
