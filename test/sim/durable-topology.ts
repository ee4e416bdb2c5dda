import { longstr, sameTable } from '../../src/base/field-table.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import * as requests from '../support/amqp-requests.ts';
import type { Random } from '../support/random.ts';
import { DelayLedger } from './delay-ledger.ts';
import type { Ledger } from './durable-ledger.ts';
import {
  argumentsFor,
  deadNames,
  flipType,
  isKept,
  keptNames,
  type KnownQueues,
  names,
  retryMillis,
  shape,
  streamLimits,
  streamNames,
} from './durable-names.ts';
import { adminChannel, type Session } from './durable-session.ts';
import type { SimNode } from './sim-node.ts';
import { StreamLedger } from './stream-ledger.ts';

const allNames = [...names, ...streamNames];
/** Queues that are changed. */
const reshapedNames = [...names.filter(name => name.startsWith('q')), 'r0', 'g0', 'u0', 'u1'];

/** Queues that clients of the world declare, change, bind, purge and delete. */
export class DurableTopology {
  readonly random: Random;
  readonly ledger: Ledger;
  readonly #known: KnownQueues;

  constructor(random: Random, ledger: Ledger, known: KnownQueues) {
    this.random = random;
    this.ledger = ledger;
    this.#known = known;
  }

  declareFirst(session: Session, node: SimNode): void {
    for (const name of [...deadNames, ...keptNames]) this.declare(session, node, name);
    session.client.call(
      requests.exchangeDeclare(adminChannel, { exchange: 'fan', type: 'fanout', durable: true }),
      methods.ExchangeDeclareOk,
      null,
    );
    for (const name of allNames) if (this.random.chance(0.5)) this.declare(session, node, name);
    node.settle();
  }

  declare(session: Session, node: SimNode, name: string): void {
    const existing = node.queues.get(name);
    const known = this.#known.of(existing);
    // A queue that exists is declared as it is; another one as chance has it.
    const args = existing === undefined ? argumentsFor(this.random, name) : existing.arguments;
    const event = this.ledger.nextEvent();
    const queueId = known?.id ?? this.#known.nextId();
    session.client.call(
      requests.queueDeclare(adminChannel, { queue: name, durable: name !== 't0', autoDelete: name === 'a0', arguments: args }),
      methods.QueueDeclareOk,
      () => {
        if (known === undefined && name !== 't0') this.ledger.durableUpTo(event);
        const now = node.queues.get(name);
        if (this.#known.isDurable(queueId) && name !== 'a0' && now !== undefined && this.#known.ledgerId(now) === queueId)
          this.#known.declared.add(queueId);
      },
    );
    const queue = node.queues.get(name);
    if (queue === undefined) throw new Error(`queue ${name} was not declared`);
    if (known !== undefined) return;
    this.#known.set(queue.id, queueId);
    const target = args.get('x-dead-letter-routing-key')?.value;
    this.ledger.queues.set(queueId, {
      id: queueId,
      name,
      isDurable: name !== 't0',
      priorityMax: Number(args.get('x-max-priority')?.value ?? 0),
      isOrdered: !args.has('x-queue-type') || args.has('x-group-header'),
      isLimited: name === 'n0' || args.has('x-max-length'),
      deadLetterQueue: typeof target === 'string' ? target : null,
      takesDeadLetters: name.startsWith('d'),
      stream: name.startsWith('s') ? new StreamLedger(name, streamLimits(args)) : null,
      delays: name === 'l0' ? new DelayLedger() : null,
      retryMillis: retryMillis(args),
      hasGroups: args.has('x-group-header'),
    });
  }

  /** Declares a queue that is there with another type or other priorities. */
  reshape(session: Session, node: SimNode): void {
    const name = this.random.pick(reshapedNames);
    const queue = node.queues.get(name);
    if (queue === undefined) return;
    // With messages under way it would be refused.
    if (queue.arguments.has('x-max-priority') && queue.messageCount + queue.dyingCount > queue.readyCount) return;
    const args = new Map(queue.arguments);
    if (isKept(name)) flipType(args);
    else shape(this.random, args);
    // What changes nothing waits for nothing.
    const isChange = !sameTable(args, queue.arguments);
    args.set('x-on-conflict', longstr('migrate'));
    this.ledger.reshaped.add(this.#known.ledgerId(queue));
    const event = this.ledger.nextEvent();
    session.client.call(
      requests.queueDeclare(adminChannel, { queue: name, durable: true, arguments: args }),
      methods.QueueDeclareOk,
      () => {
        if (isChange) this.ledger.durableUpTo(event);
      },
    );
  }

  delete(session: Session, node: SimNode, name: string): void {
    const queue = node.queues.get(name);
    // Whoever is changing it would lose a channel, as integration/queues/long-change.test.ts has it.
    if (queue === undefined || queue.change !== null) return;
    const event = this.ledger.nextEvent();
    const id = this.#known.ledgerId(queue);
    this.#known.declared.delete(id);
    session.client.call(requests.queueDelete(adminChannel, { queue: name }), methods.QueueDeleteOk, () => {
      if (queue.isDurable) this.ledger.durableUpTo(event);
      this.#known.deleted.add(id);
    });
  }

  purge(session: Session, node: SimNode, name: string): void {
    const queue = node.queues.get(name);
    if (queue === undefined) return;
    this.ledger.nextEvent();
    for (const copy of this.ledger.copies.values()) if (copy.queueId === this.#known.ledgerId(queue)) copy.mayBeGone = true;
    session.client.call(requests.queuePurge(adminChannel, { queue: name }), methods.QueuePurgeOk, null);
  }

  bind(session: Session, node: SimNode): void {
    const name = this.random.pick(allNames);
    if (!node.queues.has(name)) return;
    this.ledger.nextEvent();
    const routingKey = this.random.pick(['', 'k']);
    if (this.random.chance(0.7))
      session.client.call(requests.queueBind(adminChannel, { queue: name, exchange: 'fan', routingKey }), methods.QueueBindOk, null);
    else session.client.call(requests.queueUnbind(adminChannel, { queue: name, exchange: 'fan', routingKey }), methods.QueueUnbindOk, null);
  }
}
