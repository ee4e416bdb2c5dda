import type { FieldTable } from '../../base/field-table.ts';
import { brokerActor } from '../actor.ts';
import { preconditionFailed } from '../broker-error.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../ports/logger.ts';
import type { Queue } from '../queues/queue.ts';
import { allAtOnce, type Steps } from '../stepped-work.ts';
import type { Topology } from '../topology/topology.ts';
import type { Vhost } from '../vhost.ts';

/** What a policy says of an exchange that is sharded. */
interface Shards {
  readonly count: number;
  /** Binding key of all of them. */
  readonly key: string;
}

const noArguments: FieldTable = new Map();

/** Of an exchange that stays as it is, in units of stepped work. */
const reviewCost = 1;

/**
 * Queues that stand for one: a policy with shards-per-node gives an exchange so many queues, bound to it, and whoever consumes from a queue by
 * the exchange's name gets the one with the fewest consumers. [rabbitmq-sharding]
 */
export class Sharding {
  readonly #topology: Topology;
  readonly #nodeName: string;
  readonly #logger: Logger;
  /** What has been seen to. */
  readonly #sharded = new WeakMap<Exchange, Shards>();
  /** Whether there has ever been a sharded exchange: else nobody's queues need be asked for. */
  #isUsed = false;
  /** While the journal is read nothing is made: it is there, or will be. */
  #hasStarted = false;

  constructor(topology: Topology, nodeName: string, logger: Logger) {
    this.#topology = topology;
    this.#nodeName = nodeName;
    this.#logger = logger;
  }

  /** Recovery is over: sees to all exchanges, and from now on to those that come. */
  start(vhosts: Iterable<Vhost>): void {
    this.#hasStarted = true;
    for (const vhost of vhosts) allAtOnce(this.review(vhost));
  }

  /** Policies have changed: sees to the exchanges that have other shards than before. */
  *review(vhost: Vhost): Steps {
    if (!this.#hasStarted) return;
    for (const exchange of vhost.exchanges.values()) {
      this.reviewOne(vhost, exchange);
      yield reviewCost;
    }
  }

  /** An exchange was made, or may have got another policy. */
  reviewOne(vhost: Vhost, exchange: Exchange): void {
    if (!this.#hasStarted) return;
    const before = this.#sharded.get(exchange) ?? null;
    const now = shardsOf(exchange);
    if (before?.count === now?.count && before?.key === now?.key) return;
    if (now === null) this.#sharded.delete(exchange);
    else this.#sharded.set(exchange, now);
    this.#isUsed = true;
    // First the new ones: an exchange may be deleted with its last binding.
    if (now !== null) this.#each(vhost, exchange, now, name => this.#add(vhost, exchange, name, now.key));
    if (before !== null && before.key !== now?.key)
      this.#each(vhost, exchange, before, name => this.#unbind(vhost, exchange, name, before.key));
  }

  /**
   * The name of the queue to consume or get from: another than was asked for only for a sharded exchange.
   * @throws BrokerError PRECONDITION_FAILED when none of its queues is there
   */
  nameToRead(vhost: Vhost, name: string): string {
    const shards = this.#shardsNamed(vhost, name);
    if (shards === null) return name;
    let best: Queue | null = null;
    for (let index = 0; index < shards.count; index++) {
      const queue = vhost.queues.get(this.#queueName(name, index));
      if (queue !== undefined && (best === null || queue.consumerCount < best.consumerCount)) best = queue;
    }
    if (best === null) throw preconditionFailed(`Error finding sharded queue for: <<"${name}">>`);
    return best.name;
  }

  /** The name to declare: for a sharded exchange that of its first queue. */
  nameToDeclare(vhost: Vhost, name: string): string {
    return this.#shardsNamed(vhost, name) === null ? name : this.#queueName(name, 0);
  }

  /** @throws BrokerError PRECONDITION_FAILED for what cannot be done to all of the queues at once */
  assertWhole(vhost: Vhost, name: string, action: 'bind' | 'unbind' | 'purge' | 'delete'): void {
    if (this.#shardsNamed(vhost, name) !== null) throw preconditionFailed(`Can't ${action} sharded queue: <<"${name}">>`);
  }

  #shardsNamed(vhost: Vhost, name: string): Shards | null {
    if (!this.#isUsed || name === '') return null;
    const exchange = vhost.exchanges.get(name);
    return exchange === undefined ? null : (this.#sharded.get(exchange) ?? null);
  }

  #queueName(exchangeName: string, index: number): string {
    return `sharding: ${exchangeName} - ${this.#nodeName} - ${index}`;
  }

  #each(vhost: Vhost, exchange: Exchange, shards: Shards, act: (queueName: string) => void): void {
    for (let index = 0; index < shards.count; index++) {
      const name = this.#queueName(exchange.name, index);
      try {
        act(name);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#logger.error('default', `queue '${name}' of the sharded exchange '${exchange.name}' in vhost '${vhost.name}': ${reason}`);
        return;
      }
    }
  }

  #add(vhost: Vhost, exchange: Exchange, name: string, key: string): void {
    if (Buffer.byteLength(name) > limits.nameBytesMax) throw preconditionFailed(`its name is longer than ${limits.nameBytesMax} bytes`);
    if (!vhost.queues.has(name)) {
      const declaration = { name, isDurable: exchange.isDurable, owner: null, isAutoDelete: false, arguments: noArguments };
      this.#topology.declareQueue(vhost, declaration, brokerActor);
    }
    this.#topology.bind(vhost, exchange.name, 'queue', name, key, noArguments, brokerActor);
  }

  #unbind(vhost: Vhost, exchange: Exchange, name: string, key: string): void {
    this.#topology.unbind(vhost, exchange.name, 'queue', name, key, noArguments, brokerActor);
  }
}

/** Null for an exchange that is not sharded. */
function shardsOf({ name, policy: { definition } }: Exchange): Shards | null {
  const count = definition['shards-per-node'];
  if (name === '' || typeof count !== 'number') return null;
  const key = definition['routing-key'];
  return { count: Math.min(count, limits.shardsMax), key: typeof key === 'string' ? key : '' };
}
