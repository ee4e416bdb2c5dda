// Connections and queues for the @cloudamqp/amqp-client checks.
import { AMQPClient } from '@cloudamqp/amqp-client';
import { brokerUrl, equal, errorOf, eventually } from '../support/checks.js';

export async function withConnection(action, url = brokerUrl) {
  const connection = await new AMQPClient(url, undefined, null).connect();
  try {
    return await action(connection);
  } finally {
    if (!connection.closed) await connection.close();
  }
}

export function withChannel(action) {
  return withConnection(async connection => action(await connection.channel(), connection));
}

/** A server-named exclusive queue, gone with its connection. */
export async function ownQueue(channel, args = {}) {
  return (await channel.queueDeclare('', { exclusive: true, durable: false, autoDelete: false }, args)).name;
}

export function getOne(channel, queue, options = { noAck: true }) {
  return eventually(() => channel.basicGet(queue, options), `a message in ${queue}`);
}

export async function awaitCount(channel, queue, expected) {
  await eventually(
    async () => (await channel.queueDeclare(queue, { passive: true })).messageCount === expected,
    `${expected} messages in ${queue}`,
  );
}

/** The action must fail because the broker closed the channel with this code and text. */
export async function closesChannel(code, text, action) {
  await withChannel(async channel => {
    const error = await errorOf(() => action(channel));
    equal(
      error.message.includes(text) && error.message.includes(String(code)) ? true : error.message,
      true,
      `an error with ${code} ${text}`,
    );
  });
}
