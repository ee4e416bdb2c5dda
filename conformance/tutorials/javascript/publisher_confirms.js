#!/usr/bin/env node
// Tutorial 7: three ways to know that the broker has what was published. Prints how many messages each way found in its queue.
const amqp = require('amqplib');

const count = 1000;

async function oneAtATime(channel, queue) {
  for (let number = 0; number < count; number++) {
    channel.sendToQueue(queue, Buffer.from(String(number)));
    await channel.waitForConfirms();
  }
}

async function inBatches(channel, queue) {
  for (let number = 1; number <= count; number++) {
    channel.sendToQueue(queue, Buffer.from(String(number)));
    if (number % 100 === 0) await channel.waitForConfirms();
  }
}

async function asynchronously(channel, queue) {
  const publish = number =>
    new Promise((resolve, reject) => {
      channel.sendToQueue(queue, Buffer.from(String(number)), {}, error => (error ? reject(error) : resolve()));
    });
  await Promise.all(Array.from({ length: count }, (_, number) => publish(number)));
}

async function main() {
  const connection = await amqp.connect(process.env.BROKER_URL ?? 'amqp://localhost');
  const ways = { 'one at a time': oneAtATime, 'in batches': inBatches, 'and handled confirms asynchronously': asynchronously };
  for (const [name, way] of Object.entries(ways)) {
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await way(channel, queue);
    console.log(`Published ${(await channel.checkQueue(queue)).messageCount} messages ${name}`);
    await channel.close();
  }
  await connection.close();
}

void main();
