#!/usr/bin/env node
// Tutorial 3: listens with a queue of its own.
const amqp = require('amqplib/callback_api');

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    channel.assertExchange('logs', 'fanout', { durable: false });
    channel.assertQueue('', { exclusive: true }, (refusal, { queue }) => {
      if (refusal) throw refusal;
      channel.consume(queue, message => console.log(` [x] ${message.content}`), { noAck: true });
      channel.bindQueue(queue, 'logs', '', {}, () => console.log(' [*] Waiting for logs. To exit press CTRL+C'));
    });
  });
});
