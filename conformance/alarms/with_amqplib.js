// A broker that is low on memory, seen through amqplib and @cloudamqp/amqp-client.
import { AMQPClient } from '@cloudamqp/amqp-client';
import amqp from 'amqplib';
import { brokerUrl, check, equal, eventually, main, once } from '../support/checks.js';

check('amqplib emits blocked with the reason, and no confirm comes', async () => {
  const connection = await amqp.connect(brokerUrl);
  const blocked = once(connection, 'blocked');
  const channel = await connection.createConfirmChannel();
  let confirms = 0;
  channel.publish('amq.fanout', '', Buffer.from('x'), {}, () => (confirms += 1));
  equal(await blocked, ['low on memory']);
  // a second connection's round trip: a confirm would have come by now
  const other = await amqp.connect(brokerUrl);
  await (await other.createChannel()).checkExchange('amq.fanout');
  equal(confirms, 0);
  await other.close();
  // the broker does not read this connection any more, not even its close
  connection.connection.stream.destroy();
});

check('@cloudamqp/amqp-client knows that it is blocked', async () => {
  const connection = await new AMQPClient(brokerUrl, undefined, null).connect();
  const channel = await connection.channel();
  await channel.basicPublish('amq.fanout', '', 'x');
  await eventually(() => connection.blocked, 'the reason');
  equal(connection.blocked, 'low on memory');
  connection.closeSocket();
});

await main();
