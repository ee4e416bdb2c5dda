#!/usr/bin/env node
// Tutorial 4: listens to the severities named on the command line.
const amqp = require('amqplib/callback_api');

const severities = process.argv.slice(2);
if (severities.length === 0) {
  console.error('Usage: receive_logs_direct.js [info] [warning] [error]');
  process.exit(1);
}

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    channel.assertExchange('direct_logs', 'direct', { durable: false });
    channel.assertQueue('', { exclusive: true }, (refusal, { queue }) => {
      if (refusal) throw refusal;
      for (const severity of severities) channel.bindQueue(queue, 'direct_logs', severity);
      const print = message => console.log(` [x] ${message.fields.routingKey}:${message.content}`);
      channel.consume(queue, print, { noAck: true }, () => console.log(' [*] Waiting for logs. To exit press CTRL+C'));
    });
  });
});
