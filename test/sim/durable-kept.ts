import { type Field, type FieldTable, long, longstr } from '../../src/base/field-table.ts';
import type { HeldMessages } from '../../src/core/delays/held-messages.ts';
import type { GroupTable } from '../../src/core/groups/group-table.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import * as requests from '../support/amqp-requests.ts';
import type { Random } from '../support/random.ts';
import type { DelayLedger } from './delay-ledger.ts';
import type { Arrival } from './durable-client.ts';
import { Copy, type Ledger, type LedgerQueue } from './durable-ledger.ts';
import { type KnownQueues, valueMillis } from './durable-names.ts';
import { adminChannel, confirmChannel, type Sent, type Session } from './durable-session.ts';
import { GroupWatch } from './group-watch.ts';
import { makeBody } from './message-body.ts';
import type { SimNode } from './sim-node.ts';
import { type Fate, ValueMemory } from './value-memory.ts';

const groupKeys = ['a', 'b', 'c'] as const;
const values = [...Array.from({ length: 10 }, (_, index) => `v${index}`), 'long '.repeat(20)];
const transientShare = 0.15;

/**
 * Queues with message groups, retries and de-duplication, and exchanges that delay and de-duplicate: what clients of the world publish to
 * them, and what must hold over a cut.
 */
export class DurableKept {
  readonly random: Random;
  readonly ledger: Ledger;
  readonly #known: KnownQueues;
  readonly #messageId: () => number;
  readonly #groups: GroupWatch;
  /** Of the queue u1 and of the exchange `once`. */
  readonly #remembered = { u1: new ValueMemory(valueMillis), once: new ValueMemory(valueMillis) };
  /** Messages that were dropped as duplicates. */
  duplicates = 0;

  constructor(random: Random, ledger: Ledger, known: KnownQueues, messageId: () => number) {
    this.random = random;
    this.ledger = ledger;
    this.#known = known;
    this.#messageId = messageId;
    this.#groups = new GroupWatch(ledger, known);
  }

  /** Declares the exchanges and binds their queues, which are declared. */
  declareFirst(session: Session): void {
    const declare = (exchange: string, type: string, args: readonly (readonly [string, Field])[], queue: string): void => {
      const declaration = { exchange, type, durable: true, arguments: new Map(args) };
      session.client.call(requests.exchangeDeclare(adminChannel, declaration), methods.ExchangeDeclareOk, null);
      session.client.call(requests.queueBind(adminChannel, { queue, exchange, routingKey: '' }), methods.QueueBindOk, null);
    };
    declare('later', 'x-delayed-message', [['x-delayed-type', longstr('fanout')]], 'l0');
    declare(
      'once',
      'x-message-deduplication',
      [
        ['x-cache-size', long(1_000_000)],
        ['x-cache-ttl', long(valueMillis)],
        ['x-cache-persistence', longstr('disk')],
      ],
      'o0',
    );
  }

  // --- clients

  publish(session: Session, node: SimNode): void {
    switch (this.random.pick(['retry', 'group', 'group', 'holds', 'remembers', 'once', 'later', 'later'] as const)) {
      case 'retry':
        this.#toQueue(session, node, 'r0', new Map());
        return;
      case 'group': {
        const group = this.random.chance(0.9) ? this.random.pick(groupKeys) : null;
        const copy = this.#toQueue(session, node, 'g0', group === null ? new Map() : new Map([['key', longstr(group)]]));
        if (copy !== null && group !== null) this.#groups.published(copy, group);
        return;
      }
      case 'holds':
        this.#unlessDuplicate(session, node, '', 'u0');
        return;
      case 'remembers':
        this.#unlessDuplicate(session, node, '', 'u1');
        return;
      case 'once':
        this.#unlessDuplicate(session, node, 'once', 'o0');
        return;
      case 'later':
        this.#later(session, node);
    }
  }

  /** Parks a group, or lets it go on, as the HTTP API does. */
  park(node: SimNode): void {
    const queue = node.queues.get('g0');
    if (queue === undefined) return;
    const table = tableOf(queue);
    const group = table.get(this.random.pick(groupKeys));
    if (group === undefined) return;
    const { core } = node;
    core.turn.begin();
    table.park(group, this.random.chance(0.4));
    const event = this.ledger.nextEvent();
    this.#groups.seeParked(queue, event);
    core.log.commit(() => this.ledger.durableUpTo(event), null);
  }

  arrived(session: Session, queue: LedgerQueue, arrival: Arrival, nowMillis: number): void {
    const { retryMillis } = queue;
    if (queue.hasGroups) this.#groups.arrived(session, queue, arrival);
    if (retryMillis.length > 0) this.ledger.copy(queue.id, arrival.messageId)?.cameFor(arrival.retryCount, nowMillis);
  }

  /** All clients have seen what was sent to them, before any of them does something. */
  look(node: SimNode, sessions: readonly Session[]): void {
    const queue = node.queues.get('g0');
    if (queue !== undefined) this.#groups.look(queue, sessions);
  }

  /** Something was done and its consequences are to come. */
  acted(node: SimNode): void {
    const queue = node.queues.get('g0');
    if (queue !== undefined) this.#groups.seeParked(queue, null);
  }

  // --- the end

  /** Everything is to be consumed. */
  letGo(node: SimNode): void {
    const table = tableOf(node.queues.get('g0') as Queue);
    node.core.turn.begin();
    for (const key of [...table.parkedKeys()]) table.park(table.obtain(key), false);
  }

  /** What is not in a queue's ready messages and will be. */
  waitingCount(node: SimNode): number {
    const held = heldOf(node)?.count ?? 0;
    return [...node.queues.values()].reduce((sum, { retries }) => sum + (retries?.heldCount ?? 0), held);
  }

  /** Whether values are in the log, which outlive their messages. */
  remembersValues(node: SimNode): boolean {
    const once = node.core.vhosts.get('/')?.exchanges.get('once')?.deduplication;
    return [once, node.queues.get('u1')?.deduplication].some(each => (each?.kept?.count ?? 0) > 0);
  }

  // --- a start

  /** Compares with what was found, `messages` by queue. Returns what is to be called when the node serves, before the ledger is told. */
  audit(node: SimNode, messages: ReadonlyMap<number, readonly number[]>): () => void {
    const { wasClean } = node.report;
    const queue = node.queues.get('g0');
    if (queue !== undefined) this.#groups.audit(queue, wasClean);
    const acceptDelays = this.#auditDelays(node, messages);
    return () => {
      if (queue !== undefined) this.#groups.accept(queue);
      acceptDelays();
      if (wasClean) return;
      const isThere = ({ queueId, messageId }: Copy): boolean => messages.get(queueId)?.includes(messageId) === true;
      for (const memory of Object.values(this.#remembered)) memory.restarted(isThere);
      for (const copy of this.ledger.copies.values())
        if (copy.value !== null) copy.isValueSure &&= copy.isSafe && copy.settledEvent === Infinity;
    };
  }

  /** All was consumed: nothing may be held, and nothing missing. */
  checkDelaysAtEnd(node: SimNode): void {
    if (heldOf(node)?.count !== 0) throw new Error('messages are held though all came');
    const { delays } = this.#known.of(node.queues.get('l0')) as LedgerQueue;
    delays?.audit({ held: new Map(), ready: [] }, false, node.broker.clock.millis, this.ledger.durableEvent, true);
  }

  #auditDelays(node: SimNode, messages: ReadonlyMap<number, readonly number[]>): () => void {
    const queue = node.queues.get('l0');
    const delays = this.#known.of(queue)?.delays;
    if (queue === undefined || delays === undefined || delays === null) return () => {};
    const held = new Map<number, number>();
    heldOf(node)?.relocate((ref, _owner, _meta, _number, _bytes, dueMillis) => {
      const messageId = node.messageIdOf({ ref });
      if (held.has(messageId)) throw new Error(`message ${messageId} is held twice`);
      held.set(messageId, dueMillis);
      return ref;
    });
    const found = { held, ready: messages.get(this.#known.ledgerId(queue)) ?? [] };
    const { millis } = node.broker.clock;
    const audit = (isServing: boolean): void => delays.audit(found, node.report.wasClean, millis, this.ledger.durableEvent, isServing);
    audit(false);
    return () => audit(true);
  }

  // --- inside

  /** Publishes to a queue that takes everything. */
  #toQueue(session: Session, node: SimNode, name: string, headers: FieldTable): Copy | null {
    const queue = node.queues.get(name);
    if (queue === undefined) return null;
    const isPersistent = !this.random.chance(transientShare);
    const messageId = this.#send(session, node, '', name, headers, isPersistent);
    const copy = this.#copyIn(queue, messageId, isPersistent);
    this.#sent(session, { copies: [copy], records: [], held: [] });
    return copy;
  }

  #unlessDuplicate(session: Session, node: SimNode, exchangeName: string, name: 'u0' | 'u1' | 'o0'): void {
    const queue = node.queues.get(name);
    const exchange = node.core.vhosts.get('/')?.exchanges.get(exchangeName);
    const deduplication = exchangeName === '' ? queue?.deduplication : exchange?.deduplication;
    if (queue === undefined || deduplication === undefined || deduplication === null) return;
    const value = this.random.pick(values);
    const droppedBefore = deduplication.droppedCount;
    const messageId = this.#send(session, node, exchangeName, exchangeName === '' ? name : '', valueHeaders(value), true);
    const isDropped = deduplication.droppedCount > droppedBefore;
    const now = node.broker.clock.nowMillis;
    const memory = name === 'u0' ? null : name === 'u1' ? this.#remembered.u1 : this.#remembered.once;
    const holders = memory === null ? this.#holders(queue, value) : [];
    const fate = memory === null ? fateOf(holders) : memory.fate(value, now);
    if (isDropped && fate === 'new') throw new Error(`message ${messageId} with '${value}' was dropped by ${name} and is no duplicate`);
    if (!isDropped && fate === 'duplicate') throw new Error(`message ${messageId} with '${value}' was taken by ${name} and is a duplicate`);
    if (isDropped) {
      this.duplicates++;
      // Whoever is told that its message is safe may rely on the one that is there in its place.
      const original = memory === null ? (holders.length === 1 ? (holders[0] as Copy) : null) : memory.dropped(value);
      if (memory === null && original !== null) original.isValueSure = true;
      this.#sent(session, { copies: original === null ? [] : [original], records: [], held: [] }, original?.event);
      return;
    }
    const copy = this.#copyIn(queue, messageId, true);
    copy.value = value;
    memory?.took(value, copy, now);
    this.#sent(session, { copies: [copy], records: [], held: [] });
  }

  #later(session: Session, node: SimNode): void {
    const delays = this.#known.of(node.queues.get('l0'))?.delays;
    if (delays === undefined || delays === null) return;
    const delay = this.random.pick([0, 5, 40, 300, 1200, 4000]) + this.random.below(20);
    const isPersistent = !this.random.chance(transientShare);
    const messageId = this.#send(session, node, 'later', '', new Map([['x-delay', long(delay)]]), isPersistent);
    const event = this.ledger.nextEvent();
    const held = (delays as DelayLedger).published(messageId, event, node.broker.clock.nowMillis + delay, isPersistent);
    this.#sent(session, { copies: [], records: [], held: [held] });
  }

  #send(session: Session, node: SimNode, exchange: string, routingKey: string, headers: FieldTable, isPersistent: boolean): number {
    const messageId = this.#messageId();
    const bytes = Number(this.random.weighted({ 16: 20, 100: 25, 1000: 15, 12_000: 10, 40_000: 3, 300_000: 1 }));
    this.ledger.publishCount++;
    const properties = { deliveryMode: isPersistent ? 2 : 1, headers };
    session.client.publish(confirmChannel, exchange, routingKey, properties, makeBody(messageId, bytes + this.random.below(100)));
    // What became of it is looked at.
    while (session.client.socket.unreadBytes > 0 && node.broker.step());
    return messageId;
  }

  #copyIn(queue: Queue, messageId: number, isPersistent: boolean): Copy {
    const isDurable = isPersistent || queue.keepsTransient;
    const copy = new Copy(this.#known.ledgerId(queue), messageId, this.ledger.nextEvent(), isDurable, 0, Infinity);
    copy.isTransient = !isPersistent;
    this.ledger.published(copy);
    return copy;
  }

  #sent(session: Session, sent: Sent, event = this.ledger.event): void {
    session.unconfirmed.push({ tag: ++session.lastPublishTag, event, ...sent });
  }

  /** Messages of a value that the queue still has. */
  #holders(queue: Queue, value: string): Copy[] {
    const id = this.#known.ledgerId(queue);
    return [...this.ledger.copies.values()].filter(copy => copy.queueId === id && copy.value === value && copy.isThere);
  }
}

function fateOf(holders: readonly Copy[]): Fate {
  if (holders.length === 0) return 'new';
  return holders.some(({ isValueSure }) => isValueSure) ? 'duplicate' : 'either';
}

function valueHeaders(value: string): FieldTable {
  return new Map([['x-deduplication-header', longstr(value)]]);
}

function heldOf(node: SimNode): HeldMessages | undefined {
  return node.core.vhosts.get('/')?.exchanges.get('later')?.delay?.held;
}

function tableOf(queue: Queue): GroupTable {
  if (queue.groups === null) throw new Error(`queue ${queue.name} has no groups`);
  return queue.groups.table;
}
