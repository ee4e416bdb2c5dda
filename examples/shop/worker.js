// The program that the examples test: a worker that takes orders. What fails goes to a dead letter queue after three tries, a minute apart.
import amqplib from 'amqplib';

export async function startWorker(url, handle) {
  const connection = await amqplib.connect(url);
  connection.on('error', () => {});
  const channel = await connection.createChannel();
  await channel.assertExchange('shop', 'topic', { durable: true });
  await channel.assertQueue('orders.failed', { durable: true });
  await channel.assertQueue('orders.retry', {
    durable: true,
    arguments: { 'x-message-ttl': 60_000, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'orders' },
  });
  await channel.assertQueue('orders', {
    durable: true,
    arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'orders.retry' },
  });
  await channel.bindQueue('orders', 'shop', 'order.#');
  await channel.prefetch(10);
  await channel.consume('orders', async message => {
    try {
      await handle(JSON.parse(message.content.toString()));
      channel.ack(message);
    } catch {
      const tries = message.properties.headers?.['x-death']?.find(({ queue }) => queue === 'orders')?.count ?? 0;
      if (tries < 2) return channel.nack(message, false, false);
      channel.sendToQueue('orders.failed', message.content, { persistent: true });
      channel.ack(message);
    }
  });
  return { stop: () => connection.close() };
}

export async function placeOrder(url, order) {
  const connection = await amqplib.connect(url);
  const channel = await connection.createConfirmChannel();
  channel.publish('shop', `order.${order.country}`, Buffer.from(JSON.stringify(order)), { persistent: true });
  await channel.waitForConfirms();
  await connection.close();
}
