// Connections and queues for the rabbitmq-client checks.
import { Connection } from 'rabbitmq-client';
import { brokerUrl, equal, errorOf, eventually } from '../support/checks.js';

export async function withConnection(action, options = {}) {
  const connection = new Connection({ url: brokerUrl, retryLow: 20, retryHigh: 100, ...options });
  connection.on('error', () => {});
  try {
    await connection.onConnect(10_000);
    return await action(connection);
  } finally {
    await connection.close();
  }
}

export function withChannel(action, options = {}) {
  return withConnection(async connection => {
    const channel = await connection.acquire();
    channel.on('error', () => {});
    try {
      return await action(channel, connection);
    } finally {
      await channel.close();
    }
  }, options);
}

/** A server-named exclusive queue, gone with its connection. */
export async function ownQueue(channel, args = {}) {
  return (await channel.queueDeclare({ queue: '', exclusive: true, arguments: args })).queue;
}

export function getOne(channel, queue, noAck = true) {
  return eventually(() => channel.basicGet({ queue, noAck }), `a message in ${queue}`);
}

export async function awaitCount(channel, queue, expected) {
  await eventually(
    async () => (await channel.queueDeclare({ queue, passive: true })).messageCount === expected,
    `${expected} messages in ${queue}`,
  );
}

/** The action must fail because the broker closed the channel with this code and text. */
export function closesChannel(code, text, action) {
  return withChannel(async channel => {
    const error = await errorOf(() => action(channel));
    // the client puts the name of the failed method before the broker's text
    equal([error.code, error.message.replace(/^\w+: /, '')], [code, text]);
  });
}
