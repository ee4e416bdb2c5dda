// hot: this runs for every message of a campaign.
import { setTimeout as delay } from 'node:timers/promises';
import { long, longstr } from '../../../src/base/field-table.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import * as requests from '../../support/amqp-requests.ts';
import { ClosedError, FastClient } from '../../support/fast-client.ts';
import type { Random } from '../../support/random.ts';
import type { Ledger } from './ledger.ts';
import { Publisher } from './publisher.ts';
import { type CampaignQueue, fanoutExchange, queueNumbers, queues, type Route, routes } from './topology.ts';

/** How much there is to do. */
export interface LoadSize {
  readonly publishers: number;
  /** Messages of one write, and unconfirmed ones of one publisher. */
  readonly batch: number;
  readonly window: number;
}

export const fullLoad: LoadSize = { publishers: 3, batch: 120, window: 1500 };

const consumeChannel = 1;
const barrierChannel = 2;
const adminChannel = 1;
const adminConfirmChannel = 2;
const txChannel = 3;

const barrierPublisher = 40;
const adminPublisher = 41;
const txPublisher = 42;

/** What clients know of names that come and go. */
export type MetadataState = 'there' | 'gone' | 'unknown';

/** Declares what the campaign works with; equal declarations of what is there change nothing. */
export async function declareTopology(port: number): Promise<void> {
  const client = await FastClient.connect(port, { delivered() {}, confirmed() {} });
  await client.openChannel(1);
  await client.call(requests.exchangeDeclare(1, { exchange: fanoutExchange, type: 'fanout', durable: true }));
  for (const queue of queues) await client.call(declaration(queue));
  for (const number of routes.fan.queues) {
    const { name } = queues[number] as CampaignQueue;
    await client.call(requests.queueBind(1, { queue: name, exchange: fanoutExchange }));
  }
  client.destroy();
}

function declaration(queue: CampaignQueue): Buffer {
  const args = new Map();
  if (queue.ttlMillis > 0) args.set('x-message-ttl', long(queue.ttlMillis));
  const target = queues[queue.deadLetterQueue];
  if (target !== undefined) {
    args.set('x-dead-letter-exchange', longstr(''));
    args.set('x-dead-letter-routing-key', longstr(target.name));
  }
  return requests.queueDeclare(1, { queue: queue.name, durable: true, arguments: args });
}

/** Acknowledgements of one connection, and which of them are durable for sure. */
class Acknowledger {
  readonly publisher: Publisher;
  readonly #ledger: Ledger;
  readonly #random: Random;
  #sent: number[] = [];
  #covered: number[] = [];
  #barrierTag = 0;

  constructor(publisher: Publisher, ledger: Ledger, random: Random) {
    this.publisher = publisher;
    this.#ledger = ledger;
    this.#random = random;
    publisher.onConfirmed = () => this.#confirmed();
  }

  acknowledging(copy: number): void {
    this.#ledger.acknowledging(copy);
    this.#sent.push(copy);
  }

  /** Publishes something behind the acknowledgements: there is one log, and when that is confirmed they are durable as well. */
  barrier(): void {
    if (this.#barrierTag > 0 || this.#sent.length === 0) return;
    this.#covered = this.#sent;
    this.#sent = [];
    this.publisher.publish([routes.barrier], this.#random);
    this.#barrierTag = this.publisher.lastTag;
  }

  get isIdle(): boolean {
    return this.#barrierTag === 0 && this.#sent.length === 0;
  }

  #confirmed(): void {
    if (this.#barrierTag === 0 || this.publisher.outstanding > 0) return;
    for (const copy of this.#covered) this.#ledger.acknowledged(copy);
    this.#covered = [];
    this.#barrierTag = 0;
    this.barrier();
  }
}

/** Clients that publish, consume, reject, purge, delete and transact until the broker is gone. */
export class Load {
  readonly #port: number;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #clients: FastClient[] = [];
  /** Queues that come and go: name -> what is known. */
  readonly #metadata: Map<string, MetadataState>;
  #isOver = false;
  readonly #work: Promise<void>[] = [];
  readonly #published: number;
  readonly #size: LoadSize;

  constructor(port: number, ledger: Ledger, random: Random, metadata: Map<string, MetadataState>, size = fullLoad) {
    this.#size = size;
    this.#port = port;
    this.#ledger = ledger;
    this.#random = random;
    this.#metadata = metadata;
    this.#published = ledger.confirmedMessages;
  }

  get confirmedMessages(): number {
    return this.#ledger.confirmedMessages - this.#published;
  }

  async start(): Promise<void> {
    // Whatever is still connecting when the broker dies is over as well.
    const started = [this.#admin(), this.#transact(), this.#requeue(), this.#consume()];
    for (let id = 0; id < this.#size.publishers; id++) started.push(this.#publish(id));
    this.#work.push(...started.map(work => work.catch((error: unknown) => this.#failed(error))));
    await Promise.resolve();
  }

  /** The broker is gone. Resolves when all clients have noticed. */
  async end(): Promise<void> {
    this.#isOver = true;
    for (const client of this.#clients) client.destroy();
    await Promise.all(this.#work);
  }

  #failed(error: unknown): void {
    // 320: a clean stop says that it stops.
    if (error instanceof ClosedError && error.replyCode !== 320)
      this.#ledger.violation('unexpected', `the broker refused: ${error.message}`);
  }

  async #connect(events: Parameters<typeof FastClient.connect>[1]): Promise<FastClient> {
    const client = await FastClient.connect(this.#port, events);
    this.#clients.push(client);
    if (this.#isOver) client.destroy();
    return client;
  }

  async #publish(id: number): Promise<void> {
    const random = this.#random;
    const { window: windowMax, batch: batchMax } = this.#size;
    const client = await this.#connect({ delivered() {}, confirmed: (_channel, ...confirm) => publisher.confirmed(...confirm) });
    const publisher = new Publisher(client, 1, id, this.#ledger);
    await client.openChannel(1);
    await client.call(requests.confirmSelect(1));
    const weights = { acked: 30, ackedInPieces: 20, requeued: 6, waiting: 12, fan: 10, expiring: 8, rejected: 6, purged: 8 };
    const table = Object.entries(weights).flatMap(([name, weight]) => new Array<Route>(weight).fill(routes[name as keyof typeof routes]));
    let isPlanned = false;
    const pump = (): void => {
      isPlanned = false;
      if (this.#isOver) return;
      for (let batches = 0; batches < 2 && publisher.outstanding < windowMax && client.socket.writableLength < 1_000_000; batches++) {
        const count = 1 + random.below(batchMax);
        const list: Route[] = [];
        // A run of one route, or a mixture; and seldom something that stays for the whole campaign.
        const one = random.chance(0.3) ? random.pick(table) : null;
        for (let i = 0; i < count; i++) list.push(one ?? random.pick(table));
        if (random.chance(0.02)) list.push(routes.deep);
        publisher.publish(list, random);
      }
      if (publisher.outstanding < windowMax) plan();
    };
    const plan = (): void => {
      if (isPlanned) return;
      isPlanned = true;
      setImmediate(pump);
    };
    publisher.onConfirmed = plan;
    pump();
    await client.closed;
  }

  /** Consumers that acknowledge, many at once or each, and one that rejects. */
  async #consume(): Promise<void> {
    const { acked, ackedInPieces, fanned, rejected } = queueNumbers;
    const ledger = this.#ledger;
    const pending: number[] = [];
    let lastTag = 0;
    let isPlanned = false;
    const client = await this.#connect({
      delivered: (channel, queue, redelivered, deliveryTag, body) => {
        const copy = ledger.delivered(queue, body, redelivered, true, false);
        if (copy < 0) return;
        if (channel === consumeChannel) {
          pending.push(copy);
          lastTag = deliveryTag;
          if (!isPlanned) {
            isPlanned = true;
            setImmediate(settle);
          }
        } else if (queue === rejected) {
          client.write(requests.basicReject(channel, deliveryTag, false));
        } else {
          acknowledger.acknowledging(copy);
          client.write(requests.basicAck(channel, deliveryTag));
          acknowledger.barrier();
        }
      },
      confirmed: (_channel, ...confirm) => acknowledger.publisher.confirmed(...confirm),
    });
    const acknowledger = new Acknowledger(new Publisher(client, barrierChannel, barrierPublisher, ledger), ledger, this.#random);
    const settle = (): void => {
      isPlanned = false;
      for (const copy of pending) acknowledger.acknowledging(copy);
      pending.length = 0;
      client.write(requests.basicAck(consumeChannel, lastTag, true));
      acknowledger.barrier();
    };
    await client.openChannel(consumeChannel);
    await client.openChannel(barrierChannel);
    await client.call(requests.confirmSelect(barrierChannel));
    await client.call(requests.basicQos(consumeChannel, 1000));
    const consumers = [
      [consumeChannel, acked],
      [consumeChannel, fanned],
      [3, ackedInPieces],
      [4, rejected],
    ] as const;
    for (const [channel, queue] of consumers) {
      if (channel > barrierChannel) {
        await client.openChannel(channel);
        await client.call(requests.basicQos(channel, 50));
      }
      const { name } = queues[queue] as CampaignQueue;
      ledger.reordered(queue);
      await client.call(requests.basicConsume(channel, { queue: name, consumerTag: String(queue) }));
    }
    await client.closed;
  }

  /** A consumer that gives messages back, and goes away with some. */
  async #requeue(): Promise<void> {
    const random = this.#random;
    const ledger = this.#ledger;
    const { requeued } = queueNumbers;
    while (!this.#isOver) {
      let left = 50 + random.below(400);
      const client = await this.#connect({
        delivered: (_channel, queue, redelivered, deliveryTag, body) => {
          const copy = ledger.delivered(queue, body, redelivered, false, true);
          if (copy < 0) return;
          if (random.chance(0.2)) client.write(requests.basicNack(1, deliveryTag));
          else {
            acknowledger.acknowledging(copy);
            client.write(requests.basicAck(1, deliveryTag));
            acknowledger.barrier();
          }
          if (--left === 0) client.destroy();
        },
        confirmed: (_channel, ...confirm) => acknowledger.publisher.confirmed(...confirm),
      });
      const acknowledger = new Acknowledger(new Publisher(client, 2, barrierPublisher + 10, ledger), ledger, random);
      await client.openChannel(1);
      await client.openChannel(2);
      await client.call(requests.confirmSelect(2));
      await client.call(requests.basicQos(1, 20));
      await client.call(requests.basicConsume(1, { queue: (queues[requeued] as CampaignQueue).name, consumerTag: String(requeued) }));
      await client.closed;
      if (this.#isOver) return;
    }
  }

  /** Purges one queue, deletes and declares another, and queues that come and go by name. */
  async #admin(): Promise<void> {
    const ledger = this.#ledger;
    const random = this.#random;
    const { purged, passing } = queueNumbers;
    const client = await this.#connect({ delivered() {}, confirmed: (_channel, ...confirm) => publisher.confirmed(...confirm) });
    const publisher = new Publisher(client, adminConfirmChannel, adminPublisher, ledger);
    const confirmed = async (list: readonly Route[]): Promise<void> => {
      publisher.publish(list, random);
      await new Promise<void>(resolve => {
        publisher.onConfirmed = () => {
          if (publisher.outstanding === 0) resolve();
        };
        void client.closed.then(() => resolve());
      });
      if (!client.isOpen) throw new Error('the connection is gone');
    };
    await client.openChannel(adminChannel);
    await client.openChannel(adminConfirmChannel);
    await client.call(requests.confirmSelect(adminConfirmChannel));
    const passingName = (queues[passing] as CampaignQueue).name;
    const from = ledger.floor;
    while (!this.#isOver) {
      await confirmed(new Array<Route>(1 + random.below(30)).fill(routes.passing));
      const inPurged = ledger.emptying(purged, from);
      await client.call(requests.queuePurge(adminChannel, { queue: (queues[purged] as CampaignQueue).name }));
      ledger.emptying(purged, from);
      await confirmed([routes.barrier]);
      for (const copy of inPurged) ledger.acknowledged(copy);
      const inPassing = ledger.emptying(passing, from);
      await client.call(requests.queueDelete(adminChannel, { queue: passingName }));
      for (const copy of inPassing) ledger.acknowledged(copy);
      const answer = await client.call(requests.queueDeclare(adminChannel, { queue: passingName, durable: true }));
      if (messageCountOf(answer) !== 0) ledger.violation('metadata', 'a queue that was deleted and declared again is not empty');
      const name = `temporary-${random.below(12)}`;
      const isThere = this.#metadata.get(name) === 'there';
      this.#metadata.set(name, 'unknown');
      if (isThere) await client.call(requests.queueDelete(adminChannel, { queue: name }));
      else await client.call(requests.queueDeclare(adminChannel, { queue: name, durable: true }));
      this.#metadata.set(name, isThere ? 'gone' : 'there');
      await delay(random.below(20));
    }
  }

  async #transact(): Promise<void> {
    const ledger = this.#ledger;
    const random = this.#random;
    const client = await this.#connect({ delivered() {}, confirmed() {} });
    const publisher = new Publisher(client, txChannel, txPublisher, ledger);
    await client.openChannel(txChannel);
    await client.call(methods.encodeTxSelect(txChannel));
    while (!this.#isOver) {
      const list = new Array<Route>(1 + random.below(10)).fill(routes.transacted);
      const copies = publisher.publish(list, random);
      const chance = random.uint32() / 0x1_0000_0000;
      if (chance < 0.2) {
        for (const copy of copies) ledger.refused(routes.transacted, copy);
        await client.call(methods.encodeTxRollback(txChannel));
      } else {
        await client.call(methods.encodeTxCommit(txChannel));
        for (const copy of copies) ledger.confirmed(routes.transacted, copy);
      }
      await delay(random.below(5));
    }
  }
}

/** Of a queue.declare-ok. */
export function messageCountOf(payload: Buffer): number {
  return payload.readUInt32BE(5 + (payload[4] as number));
}
