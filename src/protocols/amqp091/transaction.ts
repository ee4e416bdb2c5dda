import type { Consumer } from '../../core/consumer.ts';
import type { Exchange } from '../../core/exchanges/exchange.ts';
import type { Route } from '../../core/exchanges/route.ts';
import { Publication } from '../../core/messages/publication.ts';
import { Entry } from '../../core/queues/entry.ts';
import type { Outcome } from '../../core/queues/queue.ts';
import type { Channel } from './channel.ts';
import type { PublishMemo } from './publish-memo.ts';

interface PendingPublish {
  readonly memo: PublishMemo;
  readonly route: Route;
  readonly publication: Publication;
}

interface PendingSettlement {
  readonly consumer: Consumer;
  readonly entry: Entry;
  readonly outcome: Outcome;
}

/** Publishes and settlements of a transactional channel that wait for tx.commit. [AMQP 0-9-1 class tx] */
export class Transaction {
  readonly #channel: Channel;
  #publishes: PendingPublish[] = [];
  #settlements: PendingSettlement[] = [];

  constructor(channel: Channel) {
    this.#channel = channel;
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

  addSettlement(consumer: Consumer, entry: Entry, outcome: Outcome): void {
    this.#settlements.push({ consumer, entry: Object.assign(new Entry(), entry), outcome });
  }

  /** Does all that was asked since the last commit, publishes first. */
  commit(): void {
    const channel = this.#channel;
    const publishes = this.#publishes;
    const settlements = this.#settlements;
    this.#publishes = [];
    this.#settlements = [];
    for (const { memo, route, publication } of publishes) {
      channel.route(memo.exchange as Exchange, memo.routingKey, memo.isMandatory, route, publication);
    }
    for (const { consumer, entry, outcome } of settlements) {
      if (outcome === 'accepted') channel.counters.acked++;
      consumer.queue.settle(entry, outcome);
    }
  }

  /** Forgets the publishes; deliveries that were settled in it wait for their settlement again. */
  rollback(): void {
    const settlements = this.#settlements;
    this.#publishes = [];
    this.#settlements = [];
    for (const { consumer, entry } of settlements) consumer.queue.settle(entry, 'returned');
  }
}

/** A publication that can be kept: its bytes are copied. */
function copyOf(p: Publication): Publication {
  const copy = Object.assign(new Publication(), p);
  copy.properties = Buffer.from(p.properties.subarray(p.propertiesStart, p.propertiesStart + p.propertiesBytes));
  copy.propertiesStart = 0;
  copy.body = Buffer.from(p.body.subarray(p.bodyStart, p.bodyStart + p.bodyBytes));
  copy.bodyStart = 0;
  copy.publisher = null;
  return copy;
}
