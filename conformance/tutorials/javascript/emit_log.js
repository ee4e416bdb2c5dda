#!/usr/bin/env node
// Tutorial 3: tells everybody who listens.
const amqp = require('amqplib/callback_api');

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    const text = process.argv.slice(2).join(' ') || 'info: Hello World!';
    channel.assertExchange('logs', 'fanout', { durable: false });
    channel.publish('logs', '', Buffer.from(text));
    console.log(` [x] Sent ${text}`);
    channel.close(() => connection.close());
  });
});
