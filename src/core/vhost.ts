import type { FieldTable } from '../base/field-table.ts';
import { BindingTable, isAbandoned } from './binding-table.ts';
import type { Departures } from './departures.ts';
import type { Binding } from './exchanges/binding.ts';
import { internalUser } from './events/broker-events.ts';
import { defaultExchangeType } from './exchanges/default-exchange.ts';
import type { ExchangeHome } from './exchanges/exchange-home.ts';
import type { ExchangeType, Target } from './exchanges/exchange-type.ts';
import { Exchange } from './exchanges/exchange.ts';
import { Router } from './exchanges/router.ts';
import type { MessageRef } from './messages/message-ref.ts';
import type { Publication } from './messages/publication.ts';
import { UnroutableLog } from './messages/unroutable-log.ts';
import { type MetadataChange, type MetadataJournal, nullJournal } from './ports/metadata-journal.ts';
import type { QueuePause } from './queues/queue-pause.ts';
import type { QueueType } from './queues/queue-type.ts';
import type { Queue } from './queues/queue.ts';
import { TrafficCounters } from './statistics/traffic-counters.ts';
import type { Steps } from './stepped-work.ts';
import {
  bindingChange,
  exchangeChange,
  logIdChange,
  parkChange,
  pauseChange,
  type LogIdKind,
  queueChange,
  prepareChange,
  reshapeChange,
  type TopologyChange,
} from './topology-change.ts';
import type { ShapeChange } from './shape/shape-change.ts';
import { type MessageTracer, tracerOfAll } from './tracing/message-tracer.ts';

/** What of the topology is made known to others: statistics, the event exchange, the management's live stream. */
export interface TopologyListener {
  queueCreated(vhost: Vhost, queue: Queue, user: string): void;
  queueDeleted(vhost: Vhost, queue: Queue, user: string): void;
  exchangeCreated(vhost: Vhost, exchange: Exchange, user: string): void;
  exchangeDeleted(vhost: Vhost, exchange: Exchange, user: string): void;
  bindingCreated(vhost: Vhost, binding: Binding, user: string): void;
  bindingDeleted(vhost: Vhost, binding: Binding, user: string): void;
}

/** Takes no notice. */
export const noTopologyListener: TopologyListener = {
  queueCreated() {},
  queueDeleted() {},
  exchangeCreated() {},
  exchangeDeleted() {},
  bindingCreated() {},
  bindingDeleted() {},
};

/** What a virtual host needs of the broker around it. */
export interface VhostServices extends Omit<ExchangeHome, 'deliver' | 'types' | 'claimId' | 'heldDamaged'> {
  /** A number for what is recorded in the log, never given before. */
  nextLogId(): number;
  heldDamaged(vhost: Vhost, exchange: Exchange, ref: MessageRef): void;
  deliver(vhost: Vhost, target: Target, keys: readonly string[], p: Publication): number;
  /** Does something large in steps. `what` is for the log. */
  work(what: string, steps: Steps, done: () => void): void;
  /** Copies messages to amq.rabbitmq.trace. */
  firehose(vhost: Vhost): MessageTracer;
}

export interface VhostDeclaration {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** Queue type for declarations that name none; null: the node's default. */
  readonly defaultQueueType: string | null;
  /** Whether messages are copied to amq.rabbitmq.trace; not given: as it is, at first not. */
  readonly isTracing?: boolean;
  /** Not given: as it is, at first not. */
  readonly isProtectedFromDeletion?: boolean;
}

/** Limits of a virtual host; -1 means none. [RabbitMQ docs: virtual host limits] */
export interface VhostLimits {
  readonly connectionsMax: number;
  readonly queuesMax: number;
}

/** What it costs to remove a queue, without its bindings, in units of stepped work. */
const removalCost = 2;

/** Exchanges every virtual host has from the start. [RabbitMQ docs: exchanges] */
const predeclared: readonly (readonly [name: string, type: string, isInternal: boolean])[] = [
  ['amq.direct', 'direct', false],
  ['amq.fanout', 'fanout', false],
  ['amq.topic', 'topic', false],
  ['amq.headers', 'headers', false],
  ['amq.match', 'headers', false],
  ['amq.rabbitmq.trace', 'topic', true],
];

/**
 * A virtual host: a closed world of exchanges, queues and bindings. This class keeps them consistent and records durable ones;
 * who may do what is asked in topology/.
 */
export class Vhost {
  readonly name: string;
  description: string;
  tags: readonly string[];
  defaultQueueType: string | null;
  /** Queues that have messages and cannot be found: those that are being filled to take another's place, and those whose place was taken. */
  readonly aside = new Set<Queue>();
  /** The first of these. */
  readonly prepared = new Set<Queue>();
  /** Who is told of every message: the firehose while tracing is on, an observer, or both; null otherwise. */
  tracer: MessageTracer | null = null;
  isProtectedFromDeletion = false;
  /** Whether every exchange holds messages that say when they want to be delivered. */
  isScheduling = false;
  limits: VhostLimits = { connectionsMax: -1, queuesMax: -1 };
  readonly queues = new Map<string, Queue>();
  readonly exchanges = new Map<string, Exchange>();
  /** Queues that routing by the default exchange finds but nobody lists: the reply queues of direct reply-to. */
  readonly hiddenQueues = new Map<string, Queue>();
  readonly defaultExchange: Exchange;
  readonly counters = new TrafficCounters();
  /** The last messages that reached no queue. */
  readonly unroutable = new UnroutableLog();
  readonly router: Router;
  /** What exchanges get of the broker. */
  readonly home: ExchangeHome;
  connectionCount = 0;
  readonly bindings: BindingTable;
  /** Changes with any exchange, queue or binding: what was remembered about routes is then void. */
  generation = 0;
  /** Whether it is deleted: what is left of it is on its way out. */
  isDeleted = false;
  #journal: MetadataJournal;
  readonly #listener: TopologyListener;
  readonly #services: VhostServices;
  readonly #offered = new Map<string, ExchangeType>();
  #firehose: MessageTracer | null = null;
  #observer: MessageTracer | null = null;
  /** Exclusive queues by their owner. */
  readonly #owned = new Map<object, Set<Queue>>();
  /** Owners that are gone, and whose queues are on their way out. */
  readonly #leaving = new Set<object>();

  constructor(
    declaration: VhostDeclaration,
    types: ReadonlyMap<string, ExchangeType>,
    journal: MetadataJournal,
    listener: TopologyListener,
    services: VhostServices,
  ) {
    this.#services = services;
    this.name = declaration.name;
    this.description = declaration.description;
    this.tags = declaration.tags;
    this.defaultQueueType = declaration.defaultQueueType;
    this.isProtectedFromDeletion = declaration.isProtectedFromDeletion ?? false;
    this.#journal = journal;
    this.#listener = listener;
    this.bindings = new BindingTable({
      bindingCreated: (binding, user) => listener.bindingCreated(this, binding, user),
      bindingDeleted: (binding, user) => listener.bindingDeleted(this, binding, user),
      work: (what, steps, done) => services.work(what, steps, done),
    });
    this.router = new Router(this, services.format);
    const { clock, random, timers, store, log, format, pivot, holdsRefs, dropsRefs, beforeCommit } = services;
    const deliver: ExchangeHome['deliver'] = (target, keys, p) => services.deliver(this, target, keys, p);
    const keeping: Pick<ExchangeHome, 'claimId' | 'heldDamaged'> = {
      claimId: (exchange, kind) => this.claimId(kind, exchange.name),
      heldDamaged: (exchange, ref) => services.heldDamaged(this, exchange, ref),
    };
    this.home = { clock, random, timers, store, log, types, format, pivot, holdsRefs, dropsRefs, beforeCommit, deliver, ...keeping };
    const find = (name: string): Queue | undefined => this.queues.get(name) ?? this.hiddenQueues.get(name);
    const none: FieldTable = new Map();
    const system = { isDurable: true, isAutoDelete: false, arguments: none };
    this.defaultExchange = new Exchange(defaultExchangeType(find), { name: '', isInternal: false, ...system }, this.home);
    this.exchanges.set('', this.defaultExchange);
    for (const [name, typeName, isInternal] of predeclared) {
      const type = types.get(typeName) as ExchangeType;
      this.exchanges.set(name, new Exchange(type, { name, isInternal, ...system }, this.home));
    }
    this.isTracing = declaration.isTracing ?? false;
  }

  get bindingCount(): number {
    return this.bindings.count;
  }

  /** What is deleted and has bindings yet. */
  get departures(): Departures {
    return this.bindings.departures;
  }

  get isTracing(): boolean {
    return this.#firehose !== null;
  }

  set isTracing(isOn: boolean) {
    if (isOn === this.isTracing) return;
    this.#firehose = isOn ? this.#services.firehose(this) : null;
    this.tracer = tracerOfAll([this.#firehose, this.#observer]);
  }

  /** Somebody wants to know of every message, besides the firehose; null: nobody any more. */
  observe(observer: MessageTracer | null): void {
    this.#observer = observer;
    this.tracer = tracerOfAll([this.#firehose, observer]);
  }

  /** The change that makes this virtual host. */
  change(): TopologyChange {
    const { name, description, tags, defaultQueueType, isProtectedFromDeletion } = this;
    return { kind: 'vhost.put', name, description, tags, defaultQueueType, isProtectedFromDeletion };
  }

  /** Names what an exchange or queue holds or remembers in the log, from now on. */
  claimId(kind: LogIdKind, name: string): number {
    const id = this.#services.nextLogId();
    this.#journal.record(logIdChange(kind, this.name, name, id));
    return id;
  }

  /** `user` is on whose behalf, here and below. */
  addQueue(queue: Queue, user = internalUser): void {
    this.departures.finish('queue', queue.name);
    this.queues.set(queue.name, queue);
    if (queue.owner !== null) {
      const owned = this.#owned.get(queue.owner);
      if (owned === undefined) this.#owned.set(queue.owner, new Set([queue]));
      else owned.add(queue);
    }
    this.generation++;
    if (queue.isDurable && !queue.isExclusive) this.#journal.record(queueChange(this.name, queue));
    this.#listener.queueCreated(this, queue, user);
  }

  /** Gives a queue another type and other arguments; null, with nothing done, where its messages are kept in another way. */
  reshapeQueue(queue: Queue, type: QueueType, args: FieldTable): ShapeChange | null {
    const isRecorded = queue.isDurable && !queue.isExclusive;
    return queue.reshape(type, args, () => {
      if (isRecorded) this.#journal.record(reshapeChange(this.name, queue, type.name, args));
      this.generation++;
    });
  }

  /** A queue of a name that another has is being filled, to take its place. */
  prepareQueue(successor: Queue): void {
    this.#journal.record(prepareChange(this.name, successor));
    this.aside.add(successor);
    this.prepared.add(successor);
  }

  /** It does not take it. */
  dropPrepared(successor: Queue): void {
    if (!this.prepared.delete(successor)) return;
    this.aside.delete(successor);
    successor.close();
  }

  /** It takes its place. What the old queue has is still to be let go of; `forget` it then. */
  replaceQueue(old: Queue, successor: Queue, user = internalUser): void {
    this.#journal.record({
      kind: 'queue.replace',
      vhost: this.name,
      name: old.name,
      id: old.id,
      successor: successor.id,
    } as MetadataChange);
    this.prepared.delete(successor);
    this.aside.delete(successor);
    this.aside.add(old);
    this.queues.set(old.name, successor);
    this.bindings.move(old, successor);
    this.generation++;
    if (old.paused !== null) successor.setPaused(old.paused);
    old.supersede();
    this.#listener.queueDeleted(this, old, user);
    this.#listener.queueCreated(this, successor, user);
  }

  forget(old: Queue): void {
    this.aside.delete(old);
  }

  /** A queue hands out nothing from now on, or goes on when `paused` is null. */
  pauseQueue(queue: Queue, paused: QueuePause | null): void {
    if (queue.isDurable && !queue.isExclusive) this.#journal.record(pauseChange(this.name, queue, paused));
    queue.setPaused(paused);
  }

  /** Remembers that a message group of a queue is parked, or goes on. */
  recordPark(queue: Queue, key: string, isParked: boolean): void {
    if (queue.isDurable && !queue.isExclusive) this.#journal.record(parkChange(this.name, queue, [key], isParked));
  }

  /** Nobody finds the queue any more, and nothing is routed to it; many bindings are taken away in steps: see `departures`. */
  removeQueue(queue: Queue, user = internalUser): void {
    if (this.#takeOut(queue)) this.bindings.depart(queue, () => this.#listener.queueDeleted(this, queue, user));
  }

  /** Returns false when it is not there. */
  #takeOut(queue: Queue): boolean {
    if (this.queues.get(queue.name) !== queue) return false;
    this.queues.delete(queue.name);
    if (queue.owner !== null) {
      const owned = this.#owned.get(queue.owner);
      if (owned?.delete(queue) && owned.size === 0) this.#owned.delete(queue.owner);
    }
    this.generation++;
    if (queue.isDurable && !queue.isExclusive)
      this.#journal.record({ kind: 'queue.delete', vhost: this.name, name: queue.name, id: queue.id } as { kind: string });
    this.#removeExchanges(this.bindings.abandonedBy(queue), internalUser);
    queue.close();
    return true;
  }

  /** Removes the exclusive queues of an owner that is gone, many of them in steps, and calls `done`. */
  removeQueuesOf(owner: object, done: () => void = () => {}): void {
    const owned = this.#owned.get(owner);
    if (owned === undefined || this.#leaving.has(owner)) {
      done();
      return;
    }
    this.#leaving.add(owner);
    this.#services.work(`deleting exclusive queues in vhost '${this.name}'`, this.removal(owned), () => {
      this.#leaving.delete(owner);
      done();
    });
  }

  /** The queue by name. One whose owner is gone goes now, so that its name is free for whoever asks. */
  queue(name: string): Queue | undefined {
    const queue = this.queues.get(name);
    if (queue === undefined || queue.owner === null || !this.#leaving.has(queue.owner)) return queue;
    this.removeQueue(queue);
    return undefined;
  }

  /** Removes queues, those that come meanwhile included. */
  *removal(queues: Iterable<Queue>): Steps {
    for (const queue of queues) {
      if (!this.#takeOut(queue)) continue;
      yield* this.bindings.departing(queue, () => this.#listener.queueDeleted(this, queue, internalUser));
      yield removalCost;
    }
  }

  addExchange(exchange: Exchange, user = internalUser): void {
    this.departures.finish('exchange', exchange.name);
    this.exchanges.set(exchange.name, exchange);
    this.generation++;
    if (exchange.isDurable) this.#journal.record(exchangeChange(this.name, exchange));
    this.#listener.exchangeCreated(this, exchange, user);
  }

  /** The exchange by name; one of the broker's own that is only offered is made now. */
  exchange(name: string): Exchange | undefined {
    const existing = this.exchanges.get(name);
    if (existing !== undefined) return existing;
    const type = this.#offered.get(name);
    return type === undefined ? undefined : this.addSystemExchange(name, type);
  }

  /** Offers an exchange of the broker's own: it is there as soon as somebody asks for it by name, and nobody else gets to see it. */
  offerExchange(name: string, type: ExchangeType): void {
    this.#offered.set(name, type);
  }

  /** Adds an exchange that every start makes anew. */
  addSystemExchange(name: string, type: ExchangeType): Exchange {
    const declaration = { name, isDurable: true, isAutoDelete: false, isInternal: true, arguments: new Map() };
    const exchange = new Exchange(type, declaration, this.home);
    this.exchanges.set(name, exchange);
    this.generation++;
    return exchange;
  }

  /** Removes an exchange, and auto-delete exchanges that have lost their last binding by that. */
  removeExchange(exchange: Exchange, user = internalUser): void {
    this.#removeExchanges([exchange], user);
  }

  /** A work list and not a recursion: a chain of auto-delete exchanges may be of any length. */
  #removeExchanges(work: Exchange[], user: string): void {
    for (let at = 0; at < work.length; at++) this.#removeExchange(work[at] as Exchange, work, at === 0 ? user : internalUser);
  }

  #removeExchange(exchange: Exchange, work: Exchange[], user: string): void {
    if (exchange.isDeleted) return;
    exchange.close();
    this.exchanges.delete(exchange.name);
    this.generation++;
    if (exchange.isDurable) this.#journal.record({ kind: 'exchange.delete', vhost: this.name, name: exchange.name } as { kind: string });
    for (const abandoned of this.bindings.abandonedBy(exchange)) work.push(abandoned);
    this.bindings.depart(exchange, () => this.#listener.exchangeDeleted(this, exchange, user));
  }

  /** It is deleted, which the log knows: nothing that happens to it from now on is recorded, since another one may have its name. */
  leave(): void {
    this.isDeleted = true;
    this.#journal = nullJournal;
  }

  /** The virtual host is deleted and has no queues any more: its exchanges let go of what they keep. */
  close(): void {
    for (const exchange of this.exchanges.values()) exchange.close();
  }

  /** Adds a binding; nothing happens when it is there already. */
  bind(source: Exchange, destination: Target, key: string, args: FieldTable, user = internalUser): void {
    const binding = this.bindings.add(source, destination, key, args, user);
    if (binding === null) return;
    this.generation++;
    if (binding.isRecorded) this.#journal.record(bindingChange('binding.put', this.name, binding));
  }

  /** Takes a binding away; nothing happens when there is none. An auto-delete exchange goes with its last binding. */
  unbind(source: Exchange, destination: Target, key: string, args: FieldTable, user = internalUser): void {
    const binding = this.bindings.find(source, destination, key, args);
    if (binding === null) return;
    if (binding.isRecorded) this.#journal.record(bindingChange('binding.delete', this.name, binding));
    this.bindings.remove(binding, user);
    this.generation++;
    if (isAbandoned(source)) this.#removeExchanges([source], internalUser);
  }
}
