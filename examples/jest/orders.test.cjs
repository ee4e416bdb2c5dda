// Jest keeps modules of its own in each test file: the broker runs outside of them, in the global set-up, and tests get its URL.
const amqplib = require('amqplib');

test('a message arrives', async () => {
  const connection = await amqplib.connect(process.env.AMQP_URL);
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  channel.sendToQueue(queue, Buffer.from('hello'));
  const message = await new Promise(resolve => channel.consume(queue, resolve, { noAck: true }));
  expect(message.content.toString()).toBe('hello');
  await connection.close();
});
