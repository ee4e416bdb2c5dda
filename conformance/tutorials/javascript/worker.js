#!/usr/bin/env node
// Tutorial 2: takes tasks one at a time; a task is only acknowledged when it is done.
const amqp = require('amqplib/callback_api');

amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost', (error, connection) => {
  if (error) throw error;
  connection.createChannel((failure, channel) => {
    if (failure) throw failure;
    channel.assertQueue('task_queue', { durable: true });
    channel.prefetch(1);
    const onTask = message => {
      const text = message.content.toString();
      console.log(` [x] Received ${text}`);
      setTimeout(
        () => {
          console.log(' [x] Done');
          channel.ack(message);
        },
        (text.split('.').length - 1) * 1000,
      );
    };
    channel.consume('task_queue', onTask, {}, () => console.log(' [*] Waiting for messages. To exit press CTRL+C'));
  });
});
