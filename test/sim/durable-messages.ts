import { longstr } from '../../src/base/field-table.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import type { Properties } from '../../src/wire/amqp091/properties.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import * as requests from '../support/amqp-requests.ts';
import type { Random } from '../support/random.ts';
import type { Arrival } from './durable-client.ts';
import { Copy, type Ledger, type LedgerQueue } from './durable-ledger.ts';
import { deadNames, filterValues, keptNames, type KnownQueues, names, streamNames } from './durable-names.ts';
import { confirmChannel, consumeChannel, type Sent, type Session, txChannel, type Unacked, type Unconfirmed } from './durable-session.ts';
import { makeBody } from './message-body.ts';
import type { SimNode } from './sim-node.ts';
import type { StreamRecord } from './stream-ledger.ts';

const allNames = [...names, ...streamNames];

interface Message {
  readonly messageId: number;
  readonly bodyBytes: number;
  readonly isPersistent: boolean;
  readonly priority: number;
  readonly ttl: number;
  readonly filterValue: string | null;
}

/** Messages that clients of the world publish, take and settle. */
export class DurableMessages {
  readonly random: Random;
  readonly ledger: Ledger;
  readonly #known: KnownQueues;
  /** Hears of every message that arrived. */
  onArrival: (session: Session, queue: LedgerQueue, arrival: Arrival) => void = () => {};
  #lastMessage = 0;

  constructor(random: Random, ledger: Ledger, known: KnownQueues) {
    this.random = random;
    this.ledger = ledger;
    this.#known = known;
  }

  nextMessageId(): number {
    return ++this.#lastMessage;
  }

  publish(session: Session, node: SimNode): void {
    const send = this.#message(session, node, confirmChannel);
    if (send === null) return;
    const sent = send();
    session.unconfirmed.push({ tag: ++session.lastPublishTag, event: this.ledger.event, ...sent });
  }

  /** Sends a message; what it returns tells where the message went, when it did. Null when there is nowhere to send it. */
  #message(session: Session, node: SimNode, channel: number): (() => Sent) | null {
    const isFanout = this.random.chance(0.3);
    const name = this.random.pick(allNames);
    if (!isFanout && !node.queues.has(name)) return null;
    const messageId = this.nextMessageId();
    const bytes = Number(this.random.weighted({ 16: 20, 100: 25, 1000: 15, 12_000: 15, 40_000: 10, 120_000: 8, 300_000: 5 }));
    const body = makeBody(messageId, bytes + this.random.below(200));
    const isPersistent = this.random.chance(0.85);
    const priority = this.random.chance(0.3) ? this.random.below(6) : 0;
    const ttl = this.random.chance(0.08) ? this.random.between(0, 200) : -1;
    const filterValue = this.random.chance(0.5) ? this.random.pick(filterValues) : null;
    const properties: Properties = {
      deliveryMode: isPersistent ? 2 : 1,
      ...(priority > 0 ? { priority } : {}),
      ...(ttl >= 0 ? { expiration: String(ttl) } : {}),
      ...(filterValue === null ? {} : { headers: new Map([['x-stream-filter-value', longstr(filterValue)]]) }),
    };
    this.ledger.publishCount++;
    session.client.publish(channel, isFanout ? 'fan' : '', name, properties, body);
    const targets = new Set<Queue>();
    if (isFanout) {
      const bindings = node.core.vhosts.get('/')?.exchanges.get('fan')?.bindings.values() ?? [];
      for (const binding of bindings) if (binding.destination.kind === 'queue') targets.add(binding.destination);
    } else {
      targets.add(node.queues.get(name) as Queue);
    }
    // A message of a transaction is routed when it is published, and is in its queues when it is committed.
    const message = { messageId, bodyBytes: body.length, isPersistent, priority, ttl, filterValue };
    if (channel === txChannel) return () => this.#sent(node, targets, message);
    const sent = this.#sent(node, targets, message);
    return () => sent;
  }

  #sent(node: SimNode, targets: ReadonlySet<Queue>, { messageId, bodyBytes, isPersistent, priority, ttl, filterValue }: Message): Sent {
    const event = this.ledger.nextEvent();
    const copies: Copy[] = [];
    const records: StreamRecord[] = [];
    const { clock } = node.broker;
    for (const { name } of targets) {
      const queue = node.queues.get(name);
      if (queue === undefined) continue;
      const stream = this.#known.of(queue)?.stream;
      if (stream !== undefined && stream !== null) {
        records.push(stream.published({ messageId, event, bodyBytes, filterValue, sentMillis: clock.wallMillis }));
        continue;
      }
      const queueTtl = Number(queue.arguments.get('x-message-ttl')?.value ?? Infinity);
      const expiresAt = clock.nowMillis + Math.min(queueTtl, ttl < 0 ? Infinity : ttl);
      const copy = new Copy(
        this.#known.ledgerId(queue),
        messageId,
        event,
        (isPersistent || queue.keepsTransient) && queue.isDurable,
        priority,
        expiresAt,
      );
      copy.isTransient = !isPersistent;
      this.ledger.published(copy);
      copies.push(copy);
    }
    return { copies, records, held: [] };
  }

  #nameToTake(): string {
    return this.random.pick(this.random.chance(0.4) ? keptNames : [...names, ...deadNames]);
  }

  consume(session: Session, node: SimNode): void {
    const name = this.#nameToTake();
    const queue = node.queues.get(name);
    const known = this.#known.of(queue);
    if (known === undefined || session.consumers.size > 4) return;
    const consumerTag = `c${++session.lastConsumer}`;
    const noAck = name === 'n0';
    session.consumers.set(consumerTag, known);
    if (noAck) session.noAck.add(consumerTag);
    this.ledger.nextEvent();
    session.client.call(requests.basicConsume(consumeChannel, { queue: name, consumerTag, noAck }), methods.BasicConsumeOk, null);
  }

  get(session: Session, node: SimNode): void {
    const name = this.#nameToTake();
    const queue = node.queues.get(name);
    const known = this.#known.of(queue);
    if (known === undefined) return;
    this.ledger.nextEvent();
    session.client.call(
      requests.basicGet(consumeChannel, name, name === 'n0'),
      methods.BasicGetOk,
      () => session.gets.push(known),
      methods.BasicGetEmpty,
    );
  }

  arrived(session: Session, arrival: Arrival): void {
    const queue = arrival.consumerTag === null ? session.gets.pop() : session.consumers.get(arrival.consumerTag);
    if (queue === undefined) {
      // Sent before the consumer was cancelled.
      throw new Error(`a delivery for nobody: ${JSON.stringify(arrival)}`);
    }
    const noAck = arrival.consumerTag === null ? queue.name === 'n0' : session.noAck.has(arrival.consumerTag);
    const { deliveryTag, messageId, consumerTag } = arrival;
    this.ledger.delivered(queue, messageId, arrival.isRedelivered, noAck, session.client.node.broker.clock.millis);
    if (!noAck) session.unacked.push({ deliveryTag, queue, messageId, consumerTag });
    this.onArrival(session, queue, arrival);
  }

  confirmed(session: Session, node: SimNode, channel: number, tag: number, multiple: boolean): void {
    if (channel !== confirmChannel) throw new Error(`a confirm on channel ${channel}`);
    const isCovered = (each: Unconfirmed): boolean => (multiple ? each.tag <= tag : each.tag === tag);
    const covered = session.unconfirmed.filter(isCovered);
    if (covered.length === 0) throw new Error(`a confirm of publish ${tag}, which was confirmed or never made`);
    session.unconfirmed = session.unconfirmed.filter(each => !isCovered(each));
    for (const { event, ...sent } of covered) {
      this.ledger.confirmCount++;
      this.#safe(sent, event, node);
    }
  }

  settleOne(session: Session, how: 'ack' | 'nack' | 'reject'): void {
    if (session.unacked.length === 0) return;
    const index = this.random.below(session.unacked.length);
    const multiple = this.random.chance(0.3);
    const picked = session.unacked[index] as Unacked;
    const taken = multiple ? session.unacked.slice(0, index + 1) : [picked];
    session.unacked = session.unacked.filter(each => !taken.includes(each));
    this.ledger.nextEvent();
    const tag = picked.deliveryTag;
    if (how === 'ack') session.client.send(requests.basicAck(consumeChannel, tag, multiple));
    else session.client.send(requests.basicNack(consumeChannel, tag, { multiple, requeue: how === 'nack' }));
    const { nowMillis } = session.client.node.broker.clock;
    if (how !== 'nack') for (const each of taken) this.ledger.settled(each.queue, each.messageId, how === 'reject', nowMillis);
  }

  transact(session: Session, node: SimNode): void {
    if (session.txPublishes.length < 4 && this.random.chance(0.7)) {
      const send = this.#message(session, node, txChannel);
      if (send !== null) session.txPublishes.push(send);
      return;
    }
    const publishes = session.txPublishes;
    session.txPublishes = [];
    if (this.random.chance(0.2)) {
      session.client.call(methods.encodeTxRollback(txChannel), methods.TxRollbackOk, null);
      return;
    }
    // The messages go to the queues in the order in which they were published, all at the commit.
    const sent = publishes.map(publish => publish());
    const event = this.ledger.nextEvent();
    session.client.call(methods.encodeTxCommit(txChannel), methods.TxCommitOk, () => {
      for (const each of sent) this.#safe(each, event, node);
    });
  }

  /** A client was told that a message is safe. */
  #safe({ copies, records, held }: Sent, event: number, node: SimNode): void {
    for (const copy of [...copies, ...held]) copy.isSafe = true;
    for (const record of records) {
      record.isSafe = true;
      record.confirmedMillis = Math.min(record.confirmedMillis, node.broker.clock.wallNow);
    }
    // Only what is in the log is behind what came before it in the log.
    if (records.length > 0 || copies.some(copy => copy.isDurable) || held.some(copy => copy.isPersistent)) this.ledger.durableUpTo(event);
  }
}
