import { preconditionFailed } from '../../core/broker-error.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { Exchange } from '../../core/exchanges/exchange.ts';
import { Route } from '../../core/exchanges/route.ts';
import type { RefHolder, Rename } from '../../core/messages/message-ref.ts';
import { Publication } from '../../core/messages/publication.ts';
import { Entry } from '../../core/queues/entry.ts';
import type { Outcome } from '../../core/queues/queue.ts';
import type { Vhost } from '../../core/vhost.ts';
import type { TakenDelivery } from '../../core/unacked-ring.ts';
import type { Channel } from './channel.ts';
import type { PublishMemo } from '../../core/publish-memo.ts';

/** Stands for the route of a message that exchanges must not see before the commit. */
export class DeferredRoute extends Route {
  readonly keys: readonly string[];

  constructor(keys: readonly string[]) {
    super([]);
    this.keys = keys;
  }
}

interface PendingPublish {
  readonly memo: PublishMemo;
  readonly route: Route;
  readonly publication: Publication;
}

interface PendingSettlement extends TakenDelivery {
  readonly outcome: Outcome;
}

/** Publishes and settlements of a transactional channel that wait for tx.commit. [AMQP 0-9-1 class tx] */
export class Transaction implements RefHolder {
  readonly #channel: Channel;
  #publishes: PendingPublish[] = [];
  /** What was settled is out of the channel's deliveries, so that it cannot be settled twice, but not yet given back to its queue. */
  #settlements: PendingSettlement[] = [];

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.connection.broker.holdsRefs(this);
  }

  get publishCount(): number {
    return this.#publishes.length;
  }

  get settlementCount(): number {
    return this.#settlements.length;
  }

  addPublish(memo: PublishMemo, route: Route, p: Publication): void {
    this.#publishes.push({ memo, route, publication: copyOf(p) });
  }

  /** Settles a delivery, or all up to it, at the commit. `last` must be known. */
  addSettlements(last: number, multiple: boolean, outcome: Outcome): void {
    const { unacked } = this.#channel;
    for (let tag = multiple ? unacked.firstTag : last; tag !== 0 && tag <= last; tag = multiple ? unacked.firstTag : 0) {
      const deliveredMillis = unacked.deliveredMillis(tag);
      const entry = new Entry();
      const consumer = unacked.take(tag, entry) as Consumer;
      this.#settlements.push({ tag, consumer, entry, deliveredMillis, outcome });
    }
  }

  /**
   * Does all that was asked since the last commit, publishes first.
   * @throws BrokerError PRECONDITION_FAILED when a queue did not take a message; the rest is done. [RabbitMQ: complete_tx]
   */
  commit(): void {
    const channel = this.#channel;
    const publishes = this.#publishes;
    const settlements = this.#settlements;
    this.#publishes = [];
    this.#settlements = [];
    const { vhost } = channel.connection;
    let isPartial = false;
    for (const { memo, route, publication } of publishes) {
      const exchange = memo.exchange as Exchange;
      const known = route instanceof DeferredRoute ? vhost.router.route(exchange, route.keys, publication) : route;
      // An exchange that was deleted since the publish remembers what was bound to it.
      channel.route(exchange, memo.routingKey, memo.isMandatory, stillThere(known, vhost), publication);
      isPartial ||= publication.isRefused;
    }
    for (const { consumer, entry, outcome } of settlements) {
      channel.settling.taken(consumer, entry, outcome);
      channel.settling.gaveBack(consumer, 1);
    }
    if (isPartial) throw preconditionFailed('partial tx completion');
  }

  /** Forgets the publishes; deliveries that were settled wait for their settlement again, under their tags. [RabbitMQ: tx.rollback] */
  rollback(): void {
    const settlements = this.#settlements;
    this.#publishes = [];
    this.#settlements = [];
    this.#channel.unacked.restore(settlements);
  }

  /** The channel is closed: nothing will be committed. */
  end(): void {
    this.rollback();
    this.#channel.connection.broker.dropsRefs(this);
  }

  relocate(rename: Rename): void {
    for (const { consumer, entry } of this.#settlements) {
      entry.ref = rename(entry.ref, consumer.queue, entry.meta, entry.sequence, entry.bytes, entry.expiryMillis);
    }
  }
}

/** The route as it was found at the time of the publish, with what has the same names now. [RabbitMQ: tx.commit] */
function stillThere(route: Route, vhost: Vhost): Route {
  if (!route.queues.some(queue => queue.isDeleted)) return route;
  const queues = route.queues.map(queue => (queue.isDeleted ? vhost.queues.get(queue.name) : queue));
  return new Route(queues.filter(queue => queue !== undefined));
}

/** A publication that can be kept: its bytes are copied, together. */
function copyOf(p: Publication): Publication {
  const copy = Object.assign(new Publication(), p);
  const properties = p.properties.subarray(p.propertiesStart, p.propertiesStart + p.propertiesBytes);
  const body = p.body.subarray(p.bodyStart, p.bodyStart + p.bodyBytes);
  const bytes = Buffer.allocUnsafe(properties.length + body.length);
  bytes.set(properties);
  bytes.set(body, properties.length);
  copy.properties = bytes;
  copy.propertiesStart = 0;
  copy.body = bytes;
  copy.bodyStart = properties.length;
  // A large body is somewhere else, and is held for good.
  p.large?.hold();
  copy.publisher = null;
  return copy;
}
