// Publishes a number every few milliseconds and consumes them again, through whatever happens to the broker. Prints what is confirmed and
// what arrives; ends on SIGTERM. Used by amqp-connection-manager.test.ts, which restarts the broker meanwhile.
import amqp from 'amqp-connection-manager';

const queue = process.argv[2];
const manager = amqp.connect([process.env.BROKER_URL], { reconnectTimeInSeconds: 0.1 });
manager.on('connect', () => console.log('connected'));
manager.on('disconnect', () => console.log('disconnected'));
manager.on('connectFailed', () => {});
const channel = manager.createChannel({
  setup: async raw => {
    await raw.assertQueue(queue, { durable: true });
    await raw.consume(queue, message => {
      if (message === null) return; // the queue was deleted
      console.log(`got ${message.content}`);
      raw.ack(message);
    });
    console.log('set up');
  },
});
channel.on('error', error => console.log(`channel error: ${error.message}`));

let number = 0;
const timer = setInterval(() => {
  const mine = ++number;
  channel.sendToQueue(queue, Buffer.from(String(mine)), { persistent: true }).then(
    () => console.log(`confirmed ${mine}`),
    error => console.log(`lost ${mine}: ${error.message}`),
  );
}, 5);

process.on('SIGTERM', async () => {
  clearInterval(timer);
  await channel.deleteQueue(queue);
  await manager.close();
  console.log('closed');
  process.exit(0);
});
