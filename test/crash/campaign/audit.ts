import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import * as requests from '../../support/amqp-requests.ts';
import { ClosedError, FastClient } from '../../support/fast-client.ts';
import type { Random } from '../../support/random.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Ledger } from './ledger.ts';
import { messageCountOf, type MetadataState } from './load.ts';
import { Publisher } from './publisher.ts';
import { type CampaignQueue, queueNumbers, queues, routes } from './topology.ts';

const confirmChannel = 50;
const drainMillisMax = 60_000;

/** How a look at all queues is to be. */
export interface AuditOptions {
  /** Takes the messages for good; otherwise they are given back. */
  readonly isDrain: boolean;
  /** Looks also at the queue whose messages stay. */
  readonly hasDeep: boolean;
  /** Takes the messages of that one for good as well. */
  readonly drainsDeep: boolean;
}

/** Looks whether every queue that was declared is there, and none that was deleted. */
export async function auditMetadata(port: number, ledger: Ledger, metadata: Map<string, MetadataState>): Promise<void> {
  const client = await FastClient.connect(port, { delivered() {}, confirmed() {} });
  const expected = new Map<string, MetadataState>(metadata);
  for (const [number, { name }] of queues.entries()) if (number !== queueNumbers.passing) expected.set(name, 'there');
  for (const [name, state] of expected) {
    const isThere = await exists(client, name);
    if (state === 'there' && !isThere) ledger.violation('metadata', `queue ${name} was declared and is not there`);
    if (state === 'gone' && isThere) ledger.violation('metadata', `queue ${name} was deleted and is there`);
    if (metadata.has(name)) metadata.set(name, isThere ? 'there' : 'gone');
  }
  client.destroy();
}

async function exists(client: FastClient, name: string): Promise<boolean> {
  await client.openChannel(1);
  try {
    await client.call(requests.queueDeclare(1, { queue: name, passive: true, durable: true }));
    await closeChannel(client, 1);
    return true;
  } catch (error) {
    if (error instanceof ClosedError && error.replyCode === 404) return false;
    throw error;
  }
}

/** Has every message of every queue come, and compares them with what was promised. */
export async function audit(port: number, ledger: Ledger, random: Random, options: AuditOptions): Promise<void> {
  const isAudited = (queue: number): boolean => queue !== queueNumbers.deep || options.hasDeep;
  const from = options.hasDeep ? 0 : ledger.floor;
  ledger.beginAudit(from);
  const got = new Map<number, number[]>();
  const lastTags = new Map<number, number>();
  const client = await FastClient.connect(port, {
    delivered: (channel, queue, redelivered, deliveryTag, body) => {
      const copy = ledger.delivered(queue, body, redelivered, queues[queue]?.deadLettersOf.length === 0, false);
      if (copy >= 0) got.get(queue)?.push(copy);
      lastTags.set(channel, deliveryTag);
    },
    confirmed: (_channel, ...confirm) => publisher.confirmed(...confirm),
  });
  const publisher = new Publisher(client, confirmChannel, 43, ledger);
  await client.openChannel(confirmChannel);
  await client.call(requests.confirmSelect(confirmChannel));
  for (const [number, queue] of queues.entries()) {
    if (!isAudited(number)) continue;
    got.set(number, []);
    await readAll(client, number, queue, ledger, () => got.get(number)?.length ?? 0);
  }
  ledger.endAudit(from, isAudited);
  // What is published from here on comes to the consumers as well, and stays.
  const taken = new Map(Array.from(got, ([number, copies]) => [number, [...copies]]));
  const tags = new Map(lastTags);
  for (const [number, copies] of taken) {
    const channel = number + 1;
    const isTaken = options.isDrain && (number !== queueNumbers.deep || options.drainsDeep);
    if (!isTaken) {
      await closeChannel(client, channel);
      continue;
    }
    for (const copy of copies) ledger.acknowledging(copy);
    if (copies.length > 0) client.write(requests.basicAck(channel, tags.get(channel) as number, true));
  }
  if (options.isDrain) {
    publisher.publish([routes.barrier], random);
    await waitUntil(() => publisher.outstanding === 0, { timeoutMillis: drainMillisMax, intervalMillis: 1 });
    for (const [number, copies] of taken) {
      if (number === queueNumbers.deep && !options.drainsDeep) continue;
      for (const copy of copies) ledger.acknowledged(copy);
    }
    // The barrier itself was delivered to the consumer, which is still there: it comes again next time.
    ledger.floor = ledger.count - 1;
    for (const number of got.keys()) {
      if (number !== queueNumbers.deep || options.drainsDeep) await closeChannel(client, number + 1);
    }
  }
  client.destroy();
}

/** Consumes until nothing is left, and compares the count that the broker told. */
async function readAll(client: FastClient, number: number, queue: CampaignQueue, ledger: Ledger, gotCount: () => number): Promise<void> {
  const channel = number + 1;
  await client.openChannel(channel);
  const declare = requests.queueDeclare(channel, { queue: queue.name, passive: true, durable: true });
  const told = messageCountOf(await client.call(declare));
  await client.call(requests.basicConsume(channel, { queue: queue.name, consumerTag: String(number) }));
  await waitUntil(async () => messageCountOf(await client.call(declare)) === 0 && (queue.ttlMillis > 0 || gotCount() >= told), {
    timeoutMillis: drainMillisMax,
    intervalMillis: 1,
    message: () => `queue ${queue.name} to be empty: ${gotCount()} of ${told} came`,
  });
  if (queue.ttlMillis === 0 && queue.deadLettersOf.length === 0 && gotCount() !== told)
    ledger.violation('counts', `queue ${queue.name} said ${told} messages and has ${gotCount()}`);
}

function closeChannel(client: FastClient, channel: number): Promise<Buffer> {
  return client.call(methods.encodeChannelClose(channel, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }));
}
