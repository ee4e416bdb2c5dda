#!/usr/bin/env node
// Tutorial 6: computes Fibonacci numbers on request.
const amqp = require('amqplib/callback_api');

const fibonacci = n => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    channel.assertQueue('rpc_queue', { durable: false });
    channel.prefetch(1);
    console.log(' [x] Awaiting RPC requests');
    channel.consume('rpc_queue', request => {
      const n = Number(request.content.toString());
      console.log(` [.] fib(${n})`);
      channel.sendToQueue(request.properties.replyTo, Buffer.from(String(fibonacci(n))), {
        correlationId: request.properties.correlationId,
      });
      channel.ack(request);
    });
  });
});
