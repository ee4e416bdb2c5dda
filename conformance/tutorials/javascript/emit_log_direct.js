#!/usr/bin/env node
// Tutorial 4: tells those who asked for this severity.
const amqp = require('amqplib/callback_api');

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    const [severity = 'info', ...words] = process.argv.slice(2);
    const text = words.join(' ') || 'Hello World!';
    channel.assertExchange('direct_logs', 'direct', { durable: false });
    channel.publish('direct_logs', severity, Buffer.from(text));
    console.log(` [x] Sent ${severity}:${text}`);
    channel.close(() => connection.close());
  });
});
