#!/usr/bin/env node
// Tutorial 2: schedules a task. Every dot in its text is a second of work.
const amqp = require('amqplib/callback_api');

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    const text = process.argv.slice(2).join(' ') || 'Hello World!';
    channel.assertQueue('task_queue', { durable: true });
    channel.sendToQueue('task_queue', Buffer.from(text), { persistent: true });
    console.log(` [x] Sent ${text}`);
    channel.close(() => connection.close());
  });
});
