#!/usr/bin/env node
// Tutorial 1: puts one message into the queue «hello».
const amqp = require('amqplib/callback_api');

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    channel.assertQueue('hello', { durable: false });
    channel.sendToQueue('hello', Buffer.from('Hello World!'));
    console.log(" [x] Sent 'Hello World!'");
    channel.close(() => connection.close());
  });
});
