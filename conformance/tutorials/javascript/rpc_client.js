#!/usr/bin/env node
// Tutorial 6: asks for a Fibonacci number and waits for the answer.
const { randomUUID } = require('node:crypto');
const amqp = require('amqplib/callback_api');

const n = Number(process.argv[2] ?? 30);

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    channel.assertQueue('', { exclusive: true }, (refusal, { queue }) => {
      if (refusal) throw refusal;
      const correlationId = randomUUID();
      console.log(` [x] Requesting fib(${n})`);
      const onReply = reply => {
        if (reply.properties.correlationId !== correlationId) return;
        console.log(` [.] Got ${reply.content}`);
        channel.close(() => connection.close());
      };
      channel.consume(queue, onReply, { noAck: true });
      channel.sendToQueue('rpc_queue', Buffer.from(String(n)), { correlationId, replyTo: queue });
    });
  });
});
