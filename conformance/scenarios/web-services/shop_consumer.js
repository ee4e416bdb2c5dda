// The consumer of service B: keeps service A's products in its own database, also those that changed while it was away.
//   shop_consumer.js DATABASE
import { setTimeout as delay } from 'node:timers/promises';
import amqp from 'amqplib';
import { deleteProduct, saveProduct } from './database.js';

const [database] = process.argv.slice(2);
const queue = process.env.QUEUE;

function onEvent(channel, message) {
  const data = JSON.parse(message.content.toString());
  const kind = message.properties.contentType;
  if (kind === 'product_deleted') deleteProduct(database, data);
  else saveProduct(database, data);
  // only now: an event that was not kept comes again
  channel.ack(message);
  console.log(kind);
}

for (;;) {
  try {
    const connection = await amqp.connect(process.env.BROKER_URL);
    const closed = new Promise(resolve => connection.once('close', resolve));
    connection.on('error', () => {});
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { durable: true });
    await channel.prefetch(10);
    await channel.consume(queue, message => onEvent(channel, message));
    console.log('consuming');
    await closed;
    console.log('no broker: closed');
  } catch (error) {
    console.log(`no broker: ${error.code}`);
  }
  await delay(100);
}
