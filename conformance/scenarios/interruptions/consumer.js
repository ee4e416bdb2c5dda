// Prints what it gets, then acknowledges it. Goes on over lost connections.
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import amqp from 'amqplib';

const [queue] = process.argv.slice(2);
for (;;) {
  try {
    const connection = await amqp.connect(process.env.BROKER_URL);
    const closed = new Promise(resolve => connection.once('close', resolve));
    connection.on('error', () => {});
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { durable: true });
    await channel.prefetch(20);
    const onMessage = message => {
      // straight into the pipe: what a killed process had only buffered would look like a loss
      writeSync(1, `got ${message.content}\n`);
      channel.ack(message);
    };
    await channel.consume(queue, onMessage);
    writeSync(1, 'consuming\n');
    await closed;
  } catch {
    // the broker is away; it is asked again
  }
  await delay(50);
}
