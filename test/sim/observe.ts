import assert from 'node:assert/strict';
import type { BrokerCore } from '../../src/core/broker.ts';
import type { Consumer } from '../../src/core/consumer.ts';
import type { DeliverySink } from '../../src/core/delivery-sink.ts';
import type { MessageStore } from '../../src/core/messages/message-store.ts';
import type { Publication } from '../../src/core/messages/publication.ts';
import type { Entry } from '../../src/core/queues/entry.ts';
import type { QueueType } from '../../src/core/queues/queue-type.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import type { Channel } from '../../src/protocols/amqp091/channel.ts';
import type { Ledger } from './ledger.ts';
import { idOf } from './message.ts';

/** The id of the message that an entry names. */
export function idIn(store: MessageStore, entry: Entry): number {
  store.locate(entry.ref);
  const { loose } = store;
  return loose === null ? idOf(store.bytes, store.bodyStart) : idOf(loose.body?.pieces[0] as Buffer);
}

function idOfPublication(p: Publication): number {
  return p.large === null ? idOf(p.body, p.bodyStart) : idOf(p.large.pieces[0] as Buffer);
}

/** Queue types whose queues tell the ledger what happens at their port. `ledger` is asked for when the first queue is made. */
export function observedTypes(types: readonly QueueType[], ledger: () => Ledger): QueueType[] {
  return types.map(type => {
    const observed: QueueType = {
      ...type,
      check(vhostName, declaration) {
        type.check(vhostName, declaration);
      },
      create(vhostName, id, declaration, context) {
        return observe(type.create.call(observed, vhostName, id, declaration, context), ledger());
      },
    };
    return observed;
  });
}

function observe(queue: Queue, ledger: Ledger): Queue {
  const record = ledger.recordOf(queue);
  const original = {
    enqueue: queue.enqueue.bind(queue),
    attach: queue.attach.bind(queue),
    take: queue.take.bind(queue),
    settle: queue.settle.bind(queue),
    release: queue.release.bind(queue),
    purge: queue.purge.bind(queue),
    close: queue.close.bind(queue),
  };
  const because = <T>(cause: string, act: () => T): T => {
    const before = record.cause;
    record.cause = cause;
    try {
      return act();
    } finally {
      record.cause = before;
    }
  };
  queue.enqueue = (p, ref) => {
    ledger.enqueued(queue, idOfPublication(p), p.priority);
    original.enqueue(p, ref);
  };
  queue.attach = consumer => {
    Object.defineProperty(consumer, 'sink', { value: new ObservedSink(consumer.sink, ledger) });
    original.attach(consumer);
  };
  queue.take = (into, noAck) => {
    const hasMessage = original.take(into, noAck);
    if (hasMessage) ledger.delivered(queue, into, null, noAck);
    return hasMessage;
  };
  queue.settle = (entry, outcome) => {
    const copy = ledger.settling(queue, entry);
    original.settle(entry, outcome);
    ledger.settled(copy, outcome);
  };
  queue.release = entry => {
    ledger.released(queue, entry);
    original.release(entry);
  };
  // All that is ready goes in one piece, and is not told of one by one.
  const withReady = <T>(act: () => T): T => {
    queue.forEachReady(entry => {
      ledger.released(queue, entry);
      return true;
    });
    return act();
  };
  queue.purge = () => because(record.cause || 'purged', () => withReady(original.purge));
  queue.close = () => because('deleted', () => withReady(original.close));
  return queue;
}

class ObservedSink implements DeliverySink {
  readonly #sink: DeliverySink;
  readonly #ledger: Ledger;

  constructor(sink: DeliverySink, ledger: Ledger) {
    this.#sink = sink;
    this.#ledger = ledger;
  }

  get canTake(): boolean {
    return this.#sink.canTake;
  }

  deliver(consumer: Consumer, entry: Entry): void {
    const redelivered = this.#ledger.recordOf(consumer.queue).copyOf(entry).wasDelivered;
    const copy = this.#ledger.delivered(consumer.queue, entry, consumer, consumer.noAck);
    this.#sink.deliver(consumer, entry);
    const channel = this.#sink as Channel;
    assert.ok(channel.isOpen, 'a delivery to a channel that is not open');
    this.#ledger
      .outgoing(`${channel.connection.link.facts.peerPort}/${channel.number}`)
      .push({ copy, deliveryTag: channel.lastDeliveryTag, consumerTag: consumer.tag, redelivered });
  }

  cancelled(consumer: Consumer, reason: 'queue-deleted' | 'consumer-timeout'): void {
    this.#sink.cancelled(consumer, reason);
  }
}

/** Lets the ledger see publishes and deaths. */
export function observeCore(core: BrokerCore, ledger: Ledger): void {
  const { publisher, deadLetters } = core;
  let isDeadLettering = false;
  const publish = publisher.publish.bind(publisher);
  publisher.publish = (vhost, exchange, route, p) => {
    for (const queue of route.queues) assert.ok(!queue.isDeleted, `a message is routed to queue ${queue.name}, which is deleted`);
    const routedCount = publish(vhost, exchange, route, p);
    if (!isDeadLettering) ledger.published(idOfPublication(p), routedCount, p.isRefused);
    return routedCount;
  };
  const run = deadLetters.run.bind(deadLetters);
  deadLetters.run = countMax => {
    isDeadLettering = true;
    const count = run(countMax);
    isDeadLettering = false;
    return count;
  };
  const add = deadLetters.add.bind(deadLetters);
  deadLetters.add = (queue, entry, reason) => {
    ledger.dying(queue, entry, reason);
    add(queue, entry, reason);
  };
}
