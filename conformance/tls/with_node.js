// amqps with amqplib, @cloudamqp/amqp-client and rabbitmq-client.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AMQPClient } from '@cloudamqp/amqp-client';
import amqp from 'amqplib';
import { Connection } from 'rabbitmq-client';
import { assert, check, equal, errorOf, eventually, main } from '../support/checks.js';

const url = process.env.BROKER_TLS_URL;
const file = name => readFileSync(join(process.env.CERTIFICATES, name));
const ca = [file('authority.pem')];
const body = Buffer.alloc(300_000, 'body');

async function echo(connection) {
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  channel.sendToQueue(queue, body);
  const message = await eventually(() => channel.get(queue, { noAck: true }), 'the message');
  assert(message.content.equals(body), 'the body changed');
  await connection.close();
}

check('amqplib connects and verifies the broker', async () => echo(await amqp.connect(url, { ca })));

check('amqplib refuses a broker whose certificate it cannot verify', async () => {
  const error = await errorOf(() => amqp.connect(url, { ca: [file('stranger.pem')] }));
  assert(/unable to verify|self.signed|SELF_SIGNED|UNABLE_TO/i.test(`${error.code} ${error.message}`), error.message);
});

check('amqplib shows a client certificate', async () =>
  echo(await amqp.connect(url, { ca, cert: file('client.pem'), key: file('client.key') })),
);

check('amqplib logs in with nothing but its certificate (EXTERNAL)', async () =>
  echo(await amqp.connect(url, { ca, cert: file('client.pem'), key: file('client.key'), credentials: amqp.credentials.external() })),
);

check('@cloudamqp/amqp-client connects', async () => {
  const connection = await new AMQPClient(url, { ca: ca[0].toString() }, null).connect();
  const channel = await connection.channel();
  const { name } = await channel.queueDeclare('', { exclusive: true });
  await channel.basicPublish('', name, body);
  const message = await eventually(() => channel.basicGet(name), 'the message');
  equal(message.bodySize, body.length);
  await connection.close();
});

check('rabbitmq-client connects', async () => {
  const connection = new Connection({ url, tls: { ca } });
  connection.on('error', () => {});
  await connection.onConnect(10_000);
  const { queue } = await connection.queueDeclare({ queue: '', exclusive: true });
  const publisher = connection.createPublisher({ confirm: true });
  await publisher.send(queue, body);
  equal((await connection.basicGet({ queue, noAck: true })).body.length, body.length);
  await publisher.close();
  await connection.close();
});

await main();
