#!/usr/bin/env node
// Tutorial 1: prints what arrives in the queue «hello», until Ctrl+C.
const amqp = require('amqplib/callback_api');

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    // whoever comes first makes the queue
    channel.assertQueue('hello', { durable: false });
    channel.consume('hello', message => console.log(` [x] Received ${message.content}`), { noAck: true });
    console.log(' [*] Waiting for messages. To exit press CTRL+C');
  });
  process.on('SIGINT', () => {
    console.log('Interrupted');
    connection.close(() => process.exit(0));
  });
});
