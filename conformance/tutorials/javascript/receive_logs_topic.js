#!/usr/bin/env node
// Tutorial 5: listens to the patterns named on the command line.
const amqp = require('amqplib/callback_api');

const patterns = process.argv.slice(2);
if (patterns.length === 0) {
  console.error('Usage: receive_logs_topic.js [binding_key]...');
  process.exit(1);
}

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    channel.assertExchange('topic_logs', 'topic', { durable: false });
    channel.assertQueue('', { exclusive: true }, (refusal, { queue }) => {
      if (refusal) throw refusal;
      for (const pattern of patterns) channel.bindQueue(queue, 'topic_logs', pattern);
      const print = message => console.log(` [x] ${message.fields.routingKey}:${message.content}`);
      channel.consume(queue, print, { noAck: true }, () => console.log(' [*] Waiting for logs. To exit press CTRL+C'));
    });
  });
});
