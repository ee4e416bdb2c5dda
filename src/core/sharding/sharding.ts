import type { FieldTable } from '../../base/field-table.ts';
import { brokerActor } from '../actor.ts';
import { preconditionFailed } from '../broker-error.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../ports/logger.ts';
import type { Queue } from '../queues/queue.ts';
import { allAtOnce, type Steps } from '../stepped-work.ts';
import { Task } from '../task.ts';
import type { Topology } from '../topology/topology.ts';
import type { Vhost } from '../vhost.ts';

/** What a policy says of an exchange that is sharded. */
interface Shards {
  readonly count: number;
  /** Binding key of all of them. */
  readonly key: string;
}

const noArguments: FieldTable = new Map();

/** Of an exchange that stays as it is, of a queue that is made and bound, and of a binding that goes, in units of stepped work. */
const reviewCost = 1;
const addCost = 20;
const unbindCost = 4;

type Work = (what: string, steps: Steps, done: () => void) => void;

/**
 * Queues that stand for one: a policy with shards-per-node gives an exchange so many queues, bound to it, and whoever consumes from a queue by
 * the exchange's name gets the one with the fewest consumers. [rabbitmq-sharding]
 */
export class Sharding {
  readonly #topology: Topology;
  readonly #nodeName: string;
  readonly #logger: Logger;
  readonly #work: Work;
  /** What has been seen to, or is being. */
  readonly #sharded = new WeakMap<Exchange, Shards>();
  /** Exchanges that are getting other queues: many of these are made in steps. */
  readonly #tasks = new Map<Exchange, Task>();
  /** Whether there has ever been a sharded exchange: else nobody's queues need be asked for. */
  #isUsed = false;
  /** While the journal is read nothing is made: it is there, or will be. */
  #hasStarted = false;

  constructor(topology: Topology, nodeName: string, logger: Logger, work: Work) {
    this.#topology = topology;
    this.#work = work;
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
      const task = this.#review(vhost, exchange);
      if (task !== null) yield* task.steps;
      yield reviewCost;
    }
  }

  /** An exchange was made: sees to it, in steps when it gets many queues. */
  added(vhost: Vhost, exchange: Exchange): void {
    if (!this.#hasStarted) return;
    const task = this.#review(vhost, exchange);
    if (task !== null) this.#work(`making the queues of exchange '${exchange.name}'`, task.steps, () => {});
  }

  /** By which an exchange is getting its queues; null when it has them. */
  taskOf(exchange: Exchange): Task | null {
    return this.#tasks.get(exchange) ?? null;
  }

  /** What there is to be done for an exchange that was made, or may have got another policy; null when nothing is. */
  #review(vhost: Vhost, exchange: Exchange): Task | null {
    const before = this.#tasks.get(exchange);
    if (before !== undefined) return before;
    if (isSame(this.#sharded.get(exchange) ?? null, shardsOf(exchange))) return null;
    const task = new Task(this.#change(vhost, exchange));
    this.#tasks.set(exchange, task);
    task.whenOver(() => this.#tasks.delete(exchange));
    return task;
  }

  /** Brings an exchange to what its policy says, which may change meanwhile. */
  *#change(vhost: Vhost, exchange: Exchange): Steps {
    for (;;) {
      const before = this.#sharded.get(exchange) ?? null;
      const now = shardsOf(exchange);
      if (isSame(before, now)) return;
      if (now === null) this.#sharded.delete(exchange);
      else this.#sharded.set(exchange, now);
      this.#isUsed = true;
      // First the new ones: an exchange may be deleted with its last binding.
      if (now !== null) yield* this.#each(vhost, exchange, now, addCost, name => this.#add(vhost, exchange, name, now.key));
      if (before !== null && before.key !== now?.key)
        yield* this.#each(vhost, exchange, before, unbindCost, name => this.#unbind(vhost, exchange, name, before.key));
    }
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

  *#each(vhost: Vhost, exchange: Exchange, shards: Shards, cost: number, act: (queueName: string) => void): Steps {
    for (let index = 0; index < shards.count && !exchange.isDeleted; index++) {
      const name = this.#queueName(exchange.name, index);
      try {
        act(name);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#logger.error('default', `queue '${name}' of the sharded exchange '${exchange.name}' in vhost '${vhost.name}': ${reason}`);
        return;
      }
      yield cost;
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

function isSame(before: Shards | null, now: Shards | null): boolean {
  return before?.count === now?.count && before?.key === now?.key;
}
