// A broker's core without sockets, with time that moves when a test says so.
import type { FieldTable } from '../../src/base/field-table.ts';
import { BrokerCore } from '../../src/core/broker.ts';
import { brokerActor } from '../../src/core/actor.ts';
import type { Exchange } from '../../src/core/exchanges/exchange.ts';
import type { ExchangeType } from '../../src/core/exchanges/exchange-type.ts';
import { Publication } from '../../src/core/messages/publication.ts';
import { silentLogger } from '../../src/core/ports/logger.ts';
import { Entry } from '../../src/core/queues/entry.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import type { Vhost } from '../../src/core/vhost.ts';
import { amqp091FormatTag } from '../../src/core/messages/format-tags.ts';
import { exchangeTypes, messageFormats, queueTypes } from '../../src/server/registry.ts';
import type { Properties } from '../../src/wire/amqp091/properties.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import { FakeClock, ManualScheduler } from './fake-clock.ts';
import { Random } from './random.ts';

export interface TestMessage {
  readonly exchange?: string;
  readonly key?: string;
  /** More routing keys, as CC gives them. */
  readonly copies?: readonly string[];
  readonly properties?: Properties;
  readonly body?: string;
}

const none: FieldTable = new Map();

export class CoreBroker {
  readonly clock = new FakeClock();
  readonly scheduler = new ManualScheduler();
  readonly core: BrokerCore;
  readonly vhost: Vhost;

  /** `types` are added to those of the registry; what is done by chance follows the seed. */
  constructor(types: readonly ExchangeType[] = [], seed = 1) {
    const random = new Random(seed);
    this.core = new BrokerCore({
      clock: this.clock,
      scheduler: this.scheduler,
      logger: silentLogger,
      exchangeTypes: [...exchangeTypes, ...types],
      queueTypes,
      formats: messageFormats,
      random: () => random.fraction(),
    });
    this.vhost = this.core.addVhost({ name: '/', description: '', tags: [], defaultQueueType: null });
  }

  queue(name: string, args: FieldTable = none): Queue {
    const declaration = { name, isDurable: true, owner: null, isAutoDelete: false, arguments: args };
    return this.core.topology.declareQueue(this.vhost, declaration, brokerActor);
  }

  exchange(name: string, type: string, args: FieldTable = none): Exchange {
    const declaration = { name, isDurable: true, isAutoDelete: false, isInternal: false, arguments: args };
    return this.core.topology.declareExchange(this.vhost, type, declaration, brokerActor);
  }

  bind(source: string, destination: Queue | Exchange, key = '', args: FieldTable = none): void {
    this.core.topology.bind(this.vhost, source, destination.kind, destination.name, key, args, brokerActor);
  }

  unbind(source: string, destination: Queue | Exchange, key = '', args: FieldTable = none): void {
    this.core.topology.unbind(this.vhost, source, destination.kind, destination.name, key, args, brokerActor);
  }

  /** A publication as a channel makes it. */
  publication({ exchange = '', key = '', properties = {}, body = '' }: TestMessage): Publication {
    const p = new Publication();
    const names = [exchange, key].map(text => Buffer.from(text));
    p.envelope = Buffer.concat(names.flatMap(name => [Buffer.from([name.length]), name]));
    p.envelopeBytes = p.envelope.length;
    p.properties = encodeProperties(properties);
    p.propertiesBytes = p.properties.length;
    p.body = Buffer.from(body);
    p.bodyBytes = p.body.length;
    p.format = amqp091FormatTag;
    p.isPersistent = properties.deliveryMode === 2;
    p.priority = properties.priority ?? 0;
    return p;
  }

  /** Publishes, and returns to how many queues the message went; a message that an exchange kept or refused counts as one. */
  publish(message: TestMessage): number {
    const exchange = this.vhost.exchanges.get(message.exchange ?? '');
    if (exchange === undefined) throw new Error(`no exchange ${message.exchange}`);
    const p = this.publication(message);
    const route = this.vhost.router.route(exchange, [message.key ?? '', ...(message.copies ?? [])], p);
    return this.core.publisher.publish(this.vhost, exchange, route, p);
  }

  /** Takes all messages out of a queue; returns their bodies. */
  take(queue: Queue): string[] {
    const bodies: string[] = [];
    const entry = new Entry();
    while (queue.take(entry, true)) {
      const { store } = this.core;
      store.locate(entry.ref);
      bodies.push(store.bytes.toString('utf8', store.bodyStart, store.bodyStart + store.bodyBytes));
      queue.release(entry);
    }
    return bodies;
  }

  /** Lets time pass, and runs what is due at the end of it. */
  advance(millis: number): void {
    this.clock.advance(millis);
    this.core.turn.run();
    while (this.scheduler.runTurn());
  }
}
