import { TimerQueue } from '../../base/timer-queue.ts';
import { checkUser } from '../access/user.ts';
import type { BrokerCore } from '../broker.ts';
import { BrokerError } from '../broker-error.ts';
import { bindingId } from '../exchanges/binding.ts';
import type { Target } from '../exchanges/exchange-type.ts';
import { Exchange } from '../exchanges/exchange.ts';
import { parameterProblems } from '../parameters/parameters.ts';
import { nullJournal } from '../ports/metadata-journal.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import type { QueueType } from '../queues/queue-type.ts';
import type { Queue, QueueDeclaration } from '../queues/queue.ts';
import { allAtOnce, type Steps } from '../stepped-work.ts';
import { noTopologyListener, Vhost, type VhostServices } from '../vhost.ts';
import type { BindingDefinition, Definitions, ExchangeDefinition, QueueDefinition } from './definitions.ts';
import { DefinitionsError, Remarks } from './problems.ts';
import type { ExistingObjects } from './references.ts';

/** What it costs to check a definition, in units of stepped work. */
const checkCost = 3;

/** What the broker has, as far as definitions may refer to it. */
export function existingObjects(core: BrokerCore): ExistingObjects {
  return {
    hasVhost: name => core.vhosts.has(name),
    hasUser: name => core.access.user(name) !== undefined,
    hasExchange: (vhost, name) => core.vhosts.get(vhost)?.exchanges.has(name) ?? false,
    hasQueue: (vhost, name) => core.vhosts.get(vhost)?.queues.has(name) ?? false,
    hasExchangeType: type => core.exchangeTypes.has(type),
    queueCounts(name) {
      const vhost = core.vhosts.get(name);
      return vhost === undefined ? null : { count: vhost.queues.size, max: vhost.limits.queuesMax };
    },
  };
}

/**
 * Asks all the checks that declarations go through, so that the broker refuses nothing in the middle of applying definitions. Their
 * references must be resolved.
 * @throws DefinitionsError
 */
export function* checkDefinitions(core: BrokerCore, definitions: Definitions): Steps {
  yield* new Check(core).run(definitions);
}

export function queueDeclaration({ name, isDurable, isAutoDelete, arguments: args }: QueueDefinition): QueueDeclaration {
  return { name, isDurable, isAutoDelete, owner: null, arguments: args };
}

class Check {
  readonly #core: BrokerCore;
  readonly #problems = new Remarks();
  readonly #defaultQueueTypes = new Map<string, string | null>();
  readonly #newQueues = new Map<string, QueueType>();
  readonly #newExchanges = new Map<string, Exchange>();
  /** One for all new queues of its type, where bindings are checked. */
  readonly #samples = new Map<QueueType, Queue>();
  /** Has what every new vhost has, and is home to the samples: they leave no trace in the broker. */
  readonly #blankVhost: Vhost;
  readonly #queueContext: QueueContext;
  #newBindingCount = 0;

  constructor(core: BrokerCore) {
    this.#core = core;
    const { clock, random, store } = core;
    const timers = new TimerQueue();
    const services: VhostServices = {
      clock,
      random,
      store,
      timers,
      format: tag => core.format(tag),
      pivot: () => core.pivot,
      holdsRefs() {},
      dropsRefs() {},
      deliver: () => 0,
      log: null,
      nextLogId: () => 0,
      work: (_, steps, done) => {
        allAtOnce(steps);
        done();
      },
      beforeCommit() {},
      heldDamaged() {},
      firehose: () => {
        throw new Error('nothing passes through the blank vhost');
      },
    };
    const declaration = { name: '', description: '', tags: [], defaultQueueType: null };
    this.#blankVhost = new Vhost(declaration, core.exchangeTypes, nullJournal, noTopologyListener, services);
    this.#queueContext = { ...core.queueContext, timers, log: null };
  }

  *run({ users, vhosts, exchanges, queues, bindings, parameters }: Definitions): Steps {
    for (const vhost of this.#core.vhosts.values()) this.#defaultQueueTypes.set(vhost.name, vhost.defaultQueueType);
    for (const vhost of vhosts) this.#defaultQueueTypes.set(vhost.name, vhost.defaultQueueType);
    yield* this.#each(users, checkUser);
    yield* this.#each(exchanges, exchange => this.#checkExchange(exchange));
    yield* this.#each(queues, queue => this.#checkQueue(queue));
    for (const { component, name, value } of parameters) {
      for (const problem of parameterProblems(component, name, value)) this.#problems.add(problem);
    }
    // What bindings refer to is in order, or of no interest.
    if (this.#problems.count === 0) yield* this.#each(bindings, binding => this.#checkBinding(binding), whereOf);
    this.#checkCounts();
    if (this.#problems.count > 0) throw new DefinitionsError(this.#problems.list());
  }

  *#each<Definition>(definitions: readonly Definition[], check: (each: Definition) => void, where?: (each: Definition) => string): Steps {
    for (const definition of definitions) {
      try {
        check(definition);
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        this.#problems.add((where?.(definition) ?? '') + error.text);
      }
      yield checkCost;
    }
  }

  #checkExchange(exchange: ExchangeDefinition): void {
    if (this.#core.vhosts.get(exchange.vhost)?.exchanges.has(exchange.name)) return;
    const type = this.#core.topology.checkExchange(exchange.vhost, exchange.type, exchange);
    this.#newExchanges.set(keyOf(exchange.vhost, exchange.name), new Exchange(type, exchange, this.#blankVhost.home));
  }

  #checkQueue(queue: QueueDefinition): void {
    if (this.#core.vhosts.get(queue.vhost)?.queues.has(queue.name)) return;
    const defaultType = this.#defaultQueueTypes.get(queue.vhost) ?? null;
    const type = this.#core.topology.checkQueue(queue.vhost, defaultType, queueDeclaration(queue));
    this.#newQueues.set(keyOf(queue.vhost, queue.name), type);
  }

  /** Limits of the node; those of vhosts are checked with the references. */
  #checkCounts(): void {
    const { settings, vhosts } = this.#core;
    let [queueCount, bindingCount] = [0, 0];
    for (const vhost of vhosts.values()) {
      queueCount += vhost.queues.size;
      bindingCount += vhost.bindingCount;
    }
    for (const [what, added, count, max] of [
      ['queue', this.#newQueues.size, queueCount, settings.queuesMax],
      ['binding', this.#newBindingCount, bindingCount, settings.bindingsMax],
    ] as const) {
      if (added === 0 || count + added <= max) continue;
      this.#problems.add(`Adding ${added} ${what}(s) would exceed the limit of the node of ${max} ${what}(s); it has ${count}.`);
    }
  }

  #checkBinding({ vhost, source, destinationKind, destination, key, arguments: args }: BindingDefinition): void {
    const exchange = this.#exchange(vhost, source);
    const target = destinationKind === 'exchange' ? this.#exchange(vhost, destination) : this.#queue(vhost, destination);
    exchange.routes.check(key, args, target);
    if (!exchange.bindings.has(bindingId(target, key, args))) this.#newBindingCount++;
  }

  #exchange(vhost: string, name: string): Exchange {
    const exchanges = this.#core.vhosts.get(vhost)?.exchanges ?? this.#blankVhost.exchanges;
    const exchange = exchanges.get(name) ?? this.#newExchanges.get(keyOf(vhost, name));
    if (exchange === undefined) throw new Error(`exchange '${name}' in vhost '${vhost}' was not resolved`);
    return exchange;
  }

  #queue(vhost: string, name: string): Target {
    const existing = this.#core.vhosts.get(vhost)?.queues.get(name);
    if (existing !== undefined) return existing;
    const type = this.#newQueues.get(keyOf(vhost, name));
    if (type === undefined) throw new Error(`queue '${name}' in vhost '${vhost}' was not resolved`);
    let sample = this.#samples.get(type);
    if (sample === undefined) {
      const declaration = { name: '', isDurable: true, isAutoDelete: false, owner: null, arguments: new Map() };
      sample = type.create(vhost, 0, declaration, this.#queueContext);
      this.#samples.set(type, sample);
    }
    return sample;
  }
}

function whereOf({ vhost, source, destinationKind, destination }: BindingDefinition): string {
  return `binding of ${destinationKind} '${destination}' to exchange '${source}' in vhost '${vhost}': `;
}

function keyOf(vhost: string, name: string): string {
  return `${vhost}\0${name}`;
}
