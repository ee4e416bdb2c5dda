import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import * as requests from '../../support/amqp-requests.ts';
import { ClosedError, type FastClient, headerNumber } from '../../support/fast-client.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type Expectation, expectations, type Ledger } from './ledger.ts';
import type { MetadataState } from './memory.ts';
import type { MqttState } from './mqtt-state.ts';
import { Publisher } from './publisher.ts';
import type { Site } from './site.ts';
import { type CampaignQueue, deliveryLimit, queueNumbers, queues, routes } from './topology.ts';
import { messageCountOf } from './work/administrate.ts';
import { Receiver } from './work/mqtt.ts';
import { publishers } from './work/publishers.ts';
import { attach } from './work/read-stream.ts';

const confirmChannel = 50;
const drainMillisMax = 60_000;
/** Longer than anything is held, and than a session takes to get its messages. */
const heldMillisMax = 10_000;
const sessionMillisMax = 20_000;

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
export async function auditMetadata(site: Site): Promise<void> {
  const { ledger } = site;
  const { metadata } = site.memory;
  const client = await site.amqp();
  const expected = new Map<string, MetadataState>(metadata);
  for (const [number, { name, access, kind }] of queues.entries()) {
    if (number !== queueNumbers.passing && access !== 'session' && site.has(kind)) expected.set(name, 'there');
  }
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
export async function audit(site: Site, options: AuditOptions): Promise<void> {
  const { ledger, random, memory } = site;
  const isTaken = (queue: number): boolean => options.isDrain && (queue !== queueNumbers.deep || options.drainsDeep);
  const isAudited = (queue: number): boolean => queue !== queueNumbers.deep || options.hasDeep;
  const from = options.hasDeep ? 0 : ledger.floor;
  const { offsets } = memory;
  const offsetFrom = options.hasDeep ? 0 : offsets.audited;
  ledger.beginAudit(from);
  const readers = new Map<number, Reader>();
  const client = await site.amqp({
    delivered: (_channel, queue, redelivered, deliveryTag, body, header) => {
      const { access, kind, deadLettersOf } = queues[queue] as CampaignQueue;
      const reader = readers.get(queue) as Reader;
      const copy = ledger.delivered(queue, body, redelivered, expectationOf(queue));
      reader.lastTag = deliveryTag;
      if (copy >= 0) reader.copies.push(copy);
      if (access === 'stream') {
        const offset = headerNumber(header, 'x-stream-offset');
        offsets.seen(offset, reader.lastOffset, copy);
        reader.lastOffset = offset;
        client.write(requests.basicAck(queue + 1, deliveryTag));
      }
      if (kind === 'quorum' && deadLettersOf.length === 0)
        memory.counts.delivered(copy, headerNumber(header, 'x-delivery-count'), queue === queueNumbers.quorum ? deliveryLimit : Infinity);
    },
    confirmed: (_channel, ...confirm) => publisher.confirmed(...confirm),
  });
  const publisher = new Publisher(client, confirmChannel, publishers.audit, ledger);
  await client.openChannel(confirmChannel);
  await client.call(requests.confirmSelect(confirmChannel));
  for (const [number, queue] of queues.entries()) {
    if (!isAudited(number) || queue.access === 'session' || !site.has(queue.kind)) continue;
    const reader = { copies: [], lastTag: 0, lastOffset: offsetFrom - 1 };
    readers.set(number, reader);
    await readAll(client, number, ledger, reader, offsetFrom);
  }
  for (const state of Object.values(memory.mqtt)) if (site.has(state.route.kind)) await receiveAll(site, state, from);
  // What waits for its time comes when it has come; an end that does not come is told by the ledger.
  const isHeld = (queue: number): boolean => isAudited(queue) && (queues[queue] as CampaignQueue).isHeld;
  await waitUntil(() => ledger.missing(from, isHeld) === 0, { timeoutMillis: heldMillisMax, intervalMillis: 5 }).catch(() => {});
  ledger.endAudit(from, isAudited);
  // What is published from here on comes to the consumers as well, and stays.
  const taken = new Map(Array.from(readers, ([number, { copies, lastTag }]) => [number, { copies: [...copies], lastTag }]));
  for (const [number, { copies, lastTag }] of taken) {
    if (!isTaken(number)) {
      await closeChannel(client, number + 1);
    } else if (copies.length > 0 && queues[number]?.access === 'queue') {
      for (const copy of copies) ledger.acknowledging(copy);
      client.write(requests.basicAck(number + 1, lastTag, true));
    }
  }
  if (options.isDrain) {
    publisher.publish([routes.barrier], random);
    await waitUntil(() => publisher.outstanding === 0, { timeoutMillis: drainMillisMax, intervalMillis: 1 });
    for (const [number, { copies }] of taken) {
      if (isTaken(number) && queues[number]?.access === 'queue') for (const copy of copies) ledger.acknowledged(copy);
    }
    // The barrier itself was delivered to the consumer, which is still there: it comes again next time.
    ledger.floor = ledger.count - 1;
    offsets.audited = offsets.end;
    for (const number of readers.keys()) if (isTaken(number)) await closeChannel(client, number + 1);
  }
  client.destroy();
}

function expectationOf(queue: number): Expectation {
  const { access, deadLettersOf, isHeld, kind } = queues[queue] as CampaignQueue;
  if (access === 'stream') return expectations.streamInOrder;
  if (kind === 'delay') return expectations.held;
  return deadLettersOf.length > 0 || isHeld ? expectations.disordered : expectations.inOrder;
}

/** What an audit got of one queue. */
interface Reader {
  readonly copies: number[];
  lastTag: number;
  lastOffset: number;
}

/** Consumes until nothing is left, and compares the count that the broker told. */
async function readAll(client: FastClient, number: number, ledger: Ledger, reader: Reader, offsetFrom: number): Promise<void> {
  const { name, access, ttlMillis, isHeld, deadLettersOf } = queues[number] as CampaignQueue;
  const channel = number + 1;
  await client.openChannel(channel);
  const declare = requests.queueDeclare(channel, { queue: name, passive: true, durable: true });
  const told = messageCountOf(await client.call(declare));
  const timing = { timeoutMillis: drainMillisMax, intervalMillis: 1 };
  if (access === 'stream') {
    await attach(client, channel, offsetFrom);
    await waitUntil(() => reader.lastOffset + 1 >= told, {
      ...timing,
      message: () => `offset ${told - 1} of ${name}: ${reader.lastOffset} came`,
    });
    return;
  }
  await client.call(requests.basicConsume(channel, { queue: name, consumerTag: String(number) }));
  await waitUntil(async () => messageCountOf(await client.call(declare)) === 0 && (ttlMillis > 0 || reader.copies.length >= told), {
    ...timing,
    message: () => `queue ${name} to be empty: ${reader.copies.length} of ${told} came`,
  });
  if (ttlMillis === 0 && deadLettersOf.length === 0 && !isHeld && reader.copies.length !== told)
    ledger.violation('counts', `queue ${name} said ${told} messages and has ${reader.copies.length}`);
}

/** Receives until everything has come that was promised to a session; it is acknowledged as it comes. */
async function receiveAll(site: Site, state: MqttState, from: number): Promise<void> {
  const { ledger } = site;
  const receiver = new Receiver(site, state);
  const client = await receiver.start();
  const isOf = (queue: number): boolean => queue === state.queue;
  // What was received of QoS 2 before a kill is released as well, or its packet id stays taken: the broker has to remember it. [MQTT 5.0 4.4]
  const isDone = (): boolean => ledger.missing(from, isOf) === 0 && receiver.isIdle && state.received.size === 0;
  await waitUntil(isDone, { timeoutMillis: sessionMillisMax, intervalMillis: 5 }).catch(() => {});
  for (const [packetId, copy] of state.received)
    ledger.violation('confirms', `packet ${packetId}, message ${copy} of a session, was received and is not released`);
  client.destroy();
}

function closeChannel(client: FastClient, channel: number): Promise<Buffer> {
  return client.call(methods.encodeChannelClose(channel, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }));
}
