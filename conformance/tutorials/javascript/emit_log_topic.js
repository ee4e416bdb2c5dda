#!/usr/bin/env node
// Tutorial 5: tells those whose pattern matches the routing key.
const amqp = require('amqplib/callback_api');

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    const [key = 'anonymous.info', ...words] = process.argv.slice(2);
    const text = words.join(' ') || 'Hello World!';
    channel.assertExchange('topic_logs', 'topic', { durable: false });
    channel.publish('topic_logs', key, Buffer.from(text));
    console.log(` [x] Sent ${key}:${text}`);
    channel.close(() => connection.close());
  });
});
