import { longstr } from '../base/field-table.ts';
import { TimerQueue } from '../base/timer-queue.ts';
import { AccessControl } from './access/access-control.ts';
import { Alarms } from './alarms.ts';
import { BrokerMessages } from './broker-messages.ts';
import { ConfirmLedger } from './confirm-ledger.ts';
import { DeadLetters } from './dead-letters.ts';
import { ConnectionRegistry } from './connection-registry.ts';
import { BrokerEvents } from './events/broker-events.ts';
import { accessChanged, parameterChanged, policyChanged } from './events/metadata-events.ts';
import { topologyEvents } from './events/topology-events.ts';
import { FlowControl } from './flow-control.ts';
import type { ExchangeType } from './exchanges/exchange-type.ts';
import { limits } from './limits.ts';
import { LostMessages } from './messages/lost-messages.ts';
import { MessageFormats } from './messages/message-formats.ts';
import type { RefHolder, RefOwner } from './messages/message-ref.ts';
import { compactSlabs } from './messages/compaction.ts';
import { MessageStore } from './messages/message-store.ts';
import { isParameterChange } from './parameters/parameter-change.ts';
import { Parameters } from './parameters/parameters.ts';
import { applyPolicies, applyPolicyChange } from './policies/apply-policies.ts';
import { Leftovers } from './queues/leftovers.ts';
import { Policies } from './policies/policies.ts';
import { isPolicyChange, type PolicyChange } from './policies/policy-change.ts';
import type { Clock } from './ports/clock.ts';
import { type Backlog, type CommitLog, type PagedMessages, volatileLog } from './ports/commit-log.ts';
import type { Logger } from './ports/logger.ts';
import type { QueueLog } from './ports/queue-log.ts';
import type { Publication } from './messages/publication.ts';
import type { MessageFormat, PivotFormat } from './ports/message-format.ts';
import { type MetadataChange, type MetadataJournal, nullJournal } from './ports/metadata-journal.ts';
import type { Scheduler } from './ports/scheduler.ts';
import type { StreamLogs } from './ports/stream-log.ts';
import { Publisher } from './publisher.ts';
import { IndexPager } from './queues/index-pager.ts';
import type { QueueContext } from './queues/queue-context.ts';
import type { Entry } from './queues/entry.ts';
import type { QueueType } from './queues/queue-type.ts';
import type { Queue } from './queues/queue.ts';
import { type BrokerSettings, defaultSettings } from './settings.ts';
import { Sharding } from './sharding/sharding.ts';
import { allAtOnce, SteppedWork, type Steps } from './stepped-work.ts';
import { TopologyCapture } from './topology-capture.ts';
import { Topology } from './topology/topology.ts';
import { Turn } from './turn.ts';
import { Tracer } from './tracing/tracer.ts';
import { logExchangeName, VirtualHosts } from './virtual-hosts.ts';
import { type TopologyListener, type Vhost, type VhostDeclaration, type VhostServices } from './vhost.ts';
import { BrokerCounters } from './broker-counters.ts';

/** The doors to the outside and the registries of what can be plugged in. */
export interface BrokerDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly settings?: Partial<BrokerSettings>;
  readonly exchangeTypes: readonly ExchangeType[];
  readonly queueTypes: readonly QueueType[];
  /** One of them is the pivot. */
  readonly formats: readonly (MessageFormat | PivotFormat)[];
  /** Numbers from 0 to below 1 for all that is done by chance; those of a simulation repeat. Without it Math.random. */
  readonly random?: () => number;
  /** What makes the broker durable; without it everything is in memory. */
  readonly durability?: CommitLog & MetadataJournal & QueueLog & PagedMessages;
  /** Says what is durable in place of `durability`: it may be later than that, never earlier. */
  readonly log?: CommitLog;
  /** Where streams are kept; without it there are none. */
  readonly streams?: StreamLogs;
}

/**
 * The broker's core: virtual hosts, users, the message store, the turn. Pure and synchronous: it does what sessions ask and touches the
 * outside only through its ports.
 */
export class BrokerCore {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly settings: BrokerSettings;
  readonly timers = new TimerQueue();
  readonly store = new MessageStore();
  readonly access: AccessControl;
  readonly policies: Policies;
  readonly parameters: Parameters;
  readonly ledger: ConfirmLedger;
  readonly turn: Turn;
  /** What is too large to be done at once. */
  readonly works: SteppedWork;
  readonly publisher: Publisher;
  readonly deadLetters: DeadLetters;
  readonly indexPager: IndexPager;
  readonly leftovers: Leftovers;
  readonly flow: FlowControl;
  readonly topology: Topology;
  readonly sharding: Sharding;
  readonly alarms: Alarms;
  /** Whether there is no room for more queues, exchanges and bindings. */
  isHeapFull: () => boolean = () => false;
  readonly connections = new ConnectionRegistry();
  /** What happens, for who wants to know. */
  readonly events = new BrokerEvents();
  /** What the broker publishes itself. */
  readonly messages: BrokerMessages;
  readonly counters = new BrokerCounters();
  readonly formats: MessageFormats;
  readonly lost: LostMessages;
  readonly virtualHosts: VirtualHosts;
  readonly exchangeTypes: ReadonlyMap<string, ExchangeType>;
  readonly queueTypes: ReadonlyMap<string, QueueType>;
  /** Says what is durable. */
  readonly log: CommitLog;
  readonly #queueLog: QueueLog | null;
  readonly #paged: PagedMessages | null;
  readonly #streams: StreamLogs | null;
  readonly #journal: MetadataJournal;
  readonly #refHolders = new Set<RefHolder>();
  #lastQueueId = 0;
  /** Changes of policies that are being applied, and who waits for them. */
  #policyWorks = 0;
  readonly #policyWaiters: (() => void)[] = [];
  readonly startedMillis: number;

  constructor(deps: BrokerDeps) {
    this.clock = deps.clock;
    this.random = deps.random ?? Math.random;
    this.logger = deps.logger;
    this.settings = { ...defaultSettings, ...deps.settings };
    this.exchangeTypes = new Map(deps.exchangeTypes.map(type => [type.name, type]));
    this.queueTypes = new Map(deps.queueTypes.map(type => [type.name, type]));
    this.formats = new MessageFormats(deps.formats);
    this.lost = new LostMessages(this.counters, this.logger);
    this.#journal = deps.durability ?? nullJournal;
    this.clock.refresh();
    this.startedMillis = this.clock.wallMillis;
    this.log = deps.log ?? deps.durability ?? volatileLog;
    this.#queueLog = deps.durability ?? null;
    this.#paged = deps.durability ?? null;
    const { queueIndexBytesMax, queueIndexBlockPlaces } = this.settings;
    this.indexPager = new IndexPager(deps.durability?.indexPages ?? null, queueIndexBytesMax, this.logger, queueIndexBlockPlaces);
    this.#streams = deps.streams ?? null;
    this.access = new AccessControl(this.#journal);
    this.policies = new Policies(this.#journal, this.logger);
    this.policies.onChange(change => {
      this.#policyWorks++;
      this.work('applying policies', this.#policyChange(change), () => this.#policyWorkDone());
      policyChanged(this.events, change);
    });
    this.parameters = new Parameters(this.#journal, this.policies);
    this.parameters.onChange(change => {
      this.virtualHosts.applyParameters();
      parameterChanged(this.events, change);
    });
    this.access.onChange((change, before) => accessChanged(this.events, change, before));
    this.ledger = new ConfirmLedger(this.log);
    this.turn = new Turn(this.clock, deps.scheduler, this.timers, this.ledger);
    this.works = new SteppedWork(this.turn, () => this.clock.readMillis());
    this.leftovers = new Leftovers(this.store, steps => this.work('letting go of messages', steps, () => {}));
    this.publisher = new Publisher(this.store, this.clock);
    this.messages = new BrokerMessages(
      this.publisher,
      () => this.formats.pivot,
      () => this.turn.arm(),
    );
    this.turn.brokerMessages = this.messages;
    this.messages.onFault = (where, error) => this.turn.onFault(where, error);
    this.deadLetters = new DeadLetters(
      this.store,
      this.clock,
      this.timers,
      this.publisher,
      name => this.vhosts.get(name),
      tag => this.formats.get(tag),
      () => this.formats.pivot,
    );
    this.turn.deadLetters = this.deadLetters;
    this.turn.onFault = (where, error) => {
      this.counters.internalErrors++;
      this.logger.error('default', `internal error in ${where}`, error);
    };
    this.deadLetters.onWork = () => this.turn.arm();
    this.deadLetters.onDamaged = (queue, entry) => this.lost.damagedInQueue(queue, entry);
    this.deadLetters.onFailure = (queue, error) => this.lost.notDeadLettered(queue, error);
    this.flow = new FlowControl(this.clock, this.timers);
    this.alarms = new Alarms(this.connections, steps => this.work('telling of an alarm', steps, () => {}));
    this.alarms.onChange = (source, isActive) => {
      if (this.events.isObserved) this.events.emit(isActive ? 'alarm.set' : 'alarm.cleared', { source, node: this.settings.nodeName });
    };
    this.holdsRefs(this.deadLetters);
    this.holdsRefs(this.leftovers);
    this.virtualHosts = new VirtualHosts({
      access: this.access,
      policies: this.policies,
      parameters: this.parameters,
      connections: this.connections,
      events: this.events,
      messages: this.messages,
      clock: this.clock,
      journal: this.#journal,
      settings: this.settings,
      exchangeTypes: this.exchangeTypes,
      listener: this.#countingListener(),
      services: this.#vhostServices(),
    });
    this.topology = new Topology({
      access: this.access,
      exchangeTypes: this.exchangeTypes,
      queueTypes: this.queueTypes,
      queueContext: this.queueContext,
      settings: this.settings,
      nextQueueId: () => ++this.#lastQueueId,
      queueCount: () => this.virtualHosts.sum(vhost => vhost.queues.size),
      isHeapFull: () => this.isHeapFull(),
      bindingCount: () => this.virtualHosts.sum(vhost => vhost.bindingCount),
      applyPolicies: (vhost, target) => applyPolicies(this.policies, vhost, target),
      exchangeAdded: (vhost, exchange) => this.sharding.added(vhost, exchange),
    });
    this.sharding = new Sharding(this.topology, this.settings.nodeName, this.logger, (what, steps, done) => this.work(what, steps, done));
  }

  /** As an operator has named it, else as it was configured. [RabbitMQ: global parameter cluster_name] */
  get clusterName(): string {
    const name = this.parameters.global('cluster_name');
    return typeof name === 'string' ? name : this.settings.clusterName;
  }

  /** What queues get of the broker; also for queues that are not declared by name (direct reply-to). */
  get queueContext(): QueueContext {
    return {
      clock: this.clock,
      random: this.random,
      timers: this.timers,
      turn: this.turn,
      store: this.store,
      deadLetters: this.deadLetters,
      flow: this.flow,
      log: this.#queueLog,
      backlog: this.log,
      letGo: list => this.leftovers.letGo(list),
      outstanding: queue => this.#outstanding(queue),
      streams: this.#streams,
      indexPager: this.indexPager,
      format: tag => this.formats.get(tag),
      pivot: () => this.formats.pivot,
      claimId: (queue, kind) => this.vhosts.get(queue.vhostName)?.claimId(kind, queue.name) ?? 0,
      groupParked: (queue, key, isParked) => this.vhosts.get(queue.vhostName)?.recordPark(queue, key, isParked),
      messageDamaged: (queue, entry) => this.lost.damagedInQueue(queue, entry),
      removeQueue: (queue, why) => this.#removeQueue(queue, why),
    };
  }

  /** The virtual hosts by name. */
  get vhosts(): ReadonlyMap<string, Vhost> {
    return this.virtualHosts.byName;
  }

  format(tag: number): MessageFormat {
    return this.formats.get(tag);
  }

  /** The format of what the broker writes itself. */
  get pivot(): PivotFormat {
    return this.formats.pivot;
  }

  /** Called with each queue that is added, before anything is in it. */
  onQueueAdded: (queue: Queue) => void = () => {};

  /** Adds a virtual host, or changes the one there is. */
  addVhost(declaration: VhostDeclaration): Vhost {
    return this.virtualHosts.add(declaration);
  }

  /**
   * Deletes a virtual host: it is gone at once, and `done` is called when all it held is gone, too. Returns false when there is none.
   * @throws BrokerError when it is protected
   */
  deleteVhost(name: string, done: () => void = () => {}): boolean {
    return this.virtualHosts.delete(name, done);
  }

  /** Does something large in steps and calls `done`, all of it as whoever acts now; a step that fails is a fault of ours, and ends it. */
  work(what: string, steps: Steps, done: () => void): void {
    this.works.start(this.events.stepsOfActor(steps), done, error => {
      this.turn.onFault(what, error);
      done();
    });
  }

  /**
   * Publishes a line of the broker's log to amq.rabbitmq.log, if there is one and something is bound to it; the level is the routing key.
   * [RabbitMQ docs: logging to the exchange]
   */
  publishLog(level: string, line: string, contentType: string): void {
    const vhost = this.vhosts.get(this.settings.logExchangeVhost ?? '');
    if (vhost === undefined || (vhost.exchanges.get(logExchangeName)?.bindings.size ?? 0) === 0) return;
    this.messages.publishLater(vhost, {
      exchange: logExchangeName,
      key: level,
      headers: new Map([['node', longstr(this.settings.nodeName)]]),
      body: Buffer.from(line),
      isPersistent: false,
      timestampSeconds: Math.floor(this.clock.wallMillis / 1000),
      contentType,
    });
  }

  /** Gives every queue, exchange and vhost what policies and parameters say, for when these were replayed from the journal. */
  applyParameters(): void {
    this.virtualHosts.applyParameters();
    for (const vhost of this.vhosts.values()) {
      for (const exchange of vhost.exchanges.values()) applyPolicies(this.policies, vhost, exchange);
      for (const queue of [...vhost.queues.values()]) applyPolicies(this.policies, vhost, queue);
    }
  }

  /** Recovery: applies a change of policies or parameters; false for one of another kind. */
  applyOther(change: MetadataChange): boolean {
    if (isPolicyChange(change)) {
      this.policies.apply(change);
      allAtOnce(this.#policyChange(change));
    } else if (isParameterChange(change)) {
      this.parameters.apply(change);
      this.virtualHosts.applyParameters();
    } else {
      return false;
    }
    return true;
  }

  /** Recovery: queue numbers up to this one were given before. */
  restoreQueueIds(last: number): void {
    this.#lastQueueId = Math.max(this.#lastQueueId, last);
  }

  get lastQueueId(): number {
    return this.#lastQueueId;
  }

  /**
   * All durable metadata of this moment, as changes that make it anew, in an order in which they can be applied. They are made when they are
   * asked for, since there may be very many.
   */
  metadataSnapshot(): Iterable<MetadataChange> {
    const vhosts = [...this.vhosts.values()];
    return concatenated<MetadataChange>([
      vhosts.map(vhost => vhost.change()),
      this.access.snapshot(),
      this.parameters.snapshot(),
      this.policies.snapshot(),
      ...vhosts.map(vhost => new TopologyCapture(vhost)),
    ]);
  }

  /** Resolves when everything recorded so far is durable: for the HTTP API and other callers outside of turns. */
  committed(): Promise<void> {
    this.turn.begin();
    return new Promise(resolve => this.log.commit(() => resolve(), null));
  }

  /** Resolves when every queue and exchange has what the policies of now say, which takes a while with very many of them. */
  policiesApplied(): Promise<void> {
    return this.#policyWorks === 0 ? Promise.resolve() : new Promise(resolve => this.#policyWaiters.push(resolve));
  }

  /** What a message that was published waits for on its way to disk: the log, or that there is room for it in memory. */
  backlogOf({ isLogged, large }: Publication): Backlog {
    if (!isLogged) return this.#paged?.pages ?? volatileLog;
    const bodies = large === null ? undefined : this.#paged?.bodies;
    return bodies?.isBehind === true ? bodies : this.log;
  }

  /** Registers somebody who keeps message references outside of queues: a channel's unacknowledged deliveries. */
  holdsRefs(holder: RefHolder): void {
    this.#refHolders.add(holder);
  }

  dropsRefs(holder: RefHolder): void {
    this.#refHolders.delete(holder);
  }

  /** Gives memory back that is held but not used, and pages on disk; to be called now and then. Returns how many slabs were emptied. */
  compactMemory(slackBytes: number = limits.storeSlackBytes): number {
    this.#paged?.compactPages(slackBytes);
    return compactSlabs(this.store, this.#allRefHolders(), slackBytes);
  }

  /** Everybody who holds references to messages. */
  refHolders(): Iterable<RefHolder> {
    return this.#allRefHolders();
  }

  *#allRefHolders(): Iterable<RefHolder> {
    yield* this.#refHolders;
    for (const vhosts of [this.vhosts.values(), this.virtualHosts.leaving]) {
      for (const vhost of vhosts) {
        yield* vhost.queues.values();
        yield* vhost.hiddenQueues.values();
        yield* vhost.aside;
      }
    }
  }

  /**
   * Visits what was taken out of queues and is not settled, with the queue, and what else is held outside of queues, with whose it is; not
   * dead letters on their way. Whoever has deliveries tells of them when asked to rename their references.
   */
  forEachHeld(visit: (owner: RefOwner | null, entry: Entry) => void): void {
    for (const holder of this.#refHolders) {
      if (holder === this.deadLetters) continue;
      holder.relocate((ref, owner, meta, sequence, bytes, expiryMillis) => {
        visit(owner, { ref, meta, sequence, bytes, expiryMillis });
        return ref;
      });
    }
  }

  #outstanding(queue: Queue): Entry[] {
    const entries: Entry[] = [];
    this.forEachHeld((owner, entry) => {
      if (owner === queue) entries.push(entry);
    });
    queue.retries?.forEach(({ entry }) => void entries.push(entry));
    return entries.sort((a, b) => a.sequence - b.sequence);
  }

  #removeQueue(queue: Queue, why: 'auto-delete' | 'expired'): void {
    const vhost = this.vhosts.get(queue.vhostName);
    this.logger.debug('queue', `deleting queue '${queue.name}' in vhost '${queue.vhostName}': ${why}`);
    vhost?.removeQueue(queue);
  }

  #countingListener(): TopologyListener {
    const events = topologyEvents(this.events);
    return {
      ...events,
      queueCreated: (vhost, queue, user) => {
        this.counters.queuesCreated++;
        this.onQueueAdded(queue);
        events.queueCreated(vhost, queue, user);
      },
      queueDeleted: (vhost, queue, user) => {
        this.flow.forgetQueue(queue);
        this.counters.queuesDeleted++;
        events.queueDeleted(vhost, queue, user);
      },
    };
  }

  #vhostServices(): VhostServices {
    return {
      clock: this.clock,
      random: this.random,
      timers: this.timers,
      store: this.store,
      pivot: () => this.formats.pivot,
      format: tag => this.formats.get(tag),
      holdsRefs: holder => this.holdsRefs(holder),
      dropsRefs: holder => this.dropsRefs(holder),
      log: this.#queueLog,
      nextLogId: () => ++this.#lastQueueId,
      work: (what, steps, done) => this.work(what, steps, done),
      beforeCommit: act => this.turn.beforeCommit(act),
      heldDamaged: (vhost, exchange, ref) => this.lost.damagedInExchange(vhost, exchange, ref),
      deliver: (vhost, target, keys, p) => this.publisher.deliver(vhost, target, keys, p),
      firehose: vhost =>
        new Tracer(vhost, {
          store: this.store,
          messages: this.messages,
          nodeName: this.settings.nodeName,
          format: tag => this.formats.get(tag),
        }),
    };
  }

  *#policyChange(change: PolicyChange): Steps {
    const vhost = this.vhosts.get(change.kind === 'policy.put' ? change.policy.vhost : change.vhost);
    if (vhost === undefined) return;
    yield* applyPolicyChange(this.policies, vhost, change);
    yield* this.sharding.review(vhost);
  }

  #policyWorkDone(): void {
    this.#policyWorks--;
    if (this.#policyWorks === 0) for (const resolve of this.#policyWaiters.splice(0)) resolve();
  }
}

function* concatenated<Item>(parts: readonly Iterable<Item>[]): Iterable<Item> {
  for (const part of parts) yield* part;
}
