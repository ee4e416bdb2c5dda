// Connections, channels and queues for the amqplib checks. AMQPLIB names the installed version that is tested.
import { createRequire } from 'node:module';
import { brokerUrl, equal, errorOf, eventually, unique } from '../support/checks.js';

const require = createRequire(import.meta.url);

export const packageName = process.env.AMQPLIB ?? 'amqplib';
export const amqp = require(packageName);
export const callbackApi = require(`${packageName}/callback_api`);

/** @param {(connection: import('amqplib').ChannelModel) => Promise<unknown>} action */
export async function withConnection(action, options = {}, url = brokerUrl) {
  const connection = await amqp.connect(url, options);
  connection.on('error', () => {});
  try {
    return await action(connection);
  } finally {
    await connection.close().catch(() => {});
  }
}

/** @param {(channel: import('amqplib').Channel, connection: import('amqplib').ChannelModel) => Promise<unknown>} action */
export function withChannel(action, options = {}) {
  return withConnection(async connection => action(await quietChannel(connection), connection), options);
}

/** @param {(channel: import('amqplib').ConfirmChannel, connection: import('amqplib').ChannelModel) => Promise<unknown>} action */
export function withConfirmChannel(action) {
  return withConnection(async connection => {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => {});
    return action(channel, connection);
  });
}

/** A channel whose errors reach the caller through the failing call, not through an unhandled event. */
export async function quietChannel(connection) {
  const channel = await connection.createChannel();
  channel.on('error', () => {});
  return channel;
}

/** A server-named exclusive queue, gone with its connection. */
export async function ownQueue(channel, options = {}) {
  return (await channel.assertQueue('', { exclusive: true, ...options })).queue;
}

/** A queue that other connections can use, deleted at the end. */
export async function withSharedQueue(label, options, action) {
  const name = unique(label);
  await withChannel(channel => channel.assertQueue(name, { durable: false, ...options }));
  try {
    await action(name);
  } finally {
    await withChannel(channel => channel.deleteQueue(name));
  }
}

/** An exchange of its own, deleted at the end. */
export async function withExchange(kind, options, action) {
  const name = unique(kind);
  await withChannel(channel => channel.assertExchange(name, kind, { durable: false, ...options }));
  try {
    await action(name);
  } finally {
    await withChannel(channel => channel.deleteExchange(name));
  }
}

/** Waits for a message in a queue. */
export function getOne(channel, queue, options = { noAck: true }) {
  return eventually(() => channel.get(queue, options), `a message in ${queue}`);
}

export async function awaitCount(channel, queue, expected) {
  await eventually(async () => (await channel.checkQueue(queue)).messageCount === expected, `${expected} messages in ${queue}`);
}

/** The action must get its channel closed with this code and exactly this text. */
export async function closesChannel(code, text, action) {
  await withConnection(async connection => {
    const channel = await connection.createChannel();
    const event = new Promise(resolve => channel.once('error', resolve));
    const failure = action(channel, connection);
    // A publish has no answer: its failure arrives as an event only.
    const error = await Promise.race([event, Promise.resolve(failure).then(() => event)]);
    await errorOf(async () => failure).catch(() => {});
    equal([error.code, error.message.includes(`"${text}"`) || error.message], [code, true], 'the channel error');
  });
}
