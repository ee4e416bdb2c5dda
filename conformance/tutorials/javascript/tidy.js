#!/usr/bin/env node
// Not a tutorial: deletes what the tutorials leave behind, so that they can be run again on the same broker.
const amqp = require('amqplib');

async function main() {
  const connection = await amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost');
  const channel = await connection.createChannel();
  for (const queue of ['hello', 'task_queue', 'rpc_queue']) await channel.deleteQueue(queue);
  for (const exchange of ['logs', 'direct_logs', 'topic_logs']) await channel.deleteExchange(exchange);
  await connection.close();
}

void main();
