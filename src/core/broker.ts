import { longstr } from '../base/field-table.ts';
import { TimerQueue } from '../base/timer-queue.ts';
import { AccessControl } from './access/access-control.ts';
import type { Actor } from './actor.ts';
import { Alarms } from './alarms.ts';
import { BrokerError, notAllowed, preconditionFailed } from './broker-error.ts';
import { BrokerMessages } from './broker-messages.ts';
import { ConfirmLedger } from './confirm-ledger.ts';
import { DeadLetters } from './dead-letters.ts';
import { type ConnectionInfo, ConnectionRegistry } from './connection-registry.ts';
import { BrokerEvents } from './events/broker-events.ts';
import { EventExchange, eventExchangeName } from './events/event-exchange.ts';
import { accessChanged, parameterChanged, policyChanged, vhostChanged } from './events/metadata-events.ts';
import { topologyEvents } from './events/topology-events.ts';
import { FlowControl } from './flow-control.ts';
import type { Exchange } from './exchanges/exchange.ts';
import type { ExchangeType } from './exchanges/exchange-type.ts';
import { limits } from './limits.ts';
import type { MessageRef, RefHolder } from './messages/message-ref.ts';
import { compactSlabs } from './messages/compaction.ts';
import { MessageStore } from './messages/message-store.ts';
import { isParameterChange } from './parameters/parameter-change.ts';
import { isSchedulingOn } from './parameters/scheduled-delivery.ts';
import { Parameters } from './parameters/parameters.ts';
import { applyPolicies, applyPolicyChange } from './policies/apply-policies.ts';
import { Policies } from './policies/policies.ts';
import { isPolicyChange, type PolicyChange } from './policies/policy-change.ts';
import type { Clock } from './ports/clock.ts';
import { type CommitLog, volatileLog } from './ports/commit-log.ts';
import type { Logger } from './ports/logger.ts';
import type { QueueLog } from './ports/queue-log.ts';
import type { MessageFormat, PivotFormat } from './ports/message-format.ts';
import { type MetadataChange, type MetadataJournal, nullJournal } from './ports/metadata-journal.ts';
import type { Scheduler } from './ports/scheduler.ts';
import type { StreamLogs } from './ports/stream-log.ts';
import { Publisher } from './publisher.ts';
import type { QueueContext } from './queues/queue-context.ts';
import type { Entry } from './queues/entry.ts';
import type { QueueType } from './queues/queue-type.ts';
import type { Queue } from './queues/queue.ts';
import { type BrokerSettings, defaultSettings } from './settings.ts';
import { Sharding } from './sharding/sharding.ts';
import { Topology } from './topology.ts';
import { Turn } from './turn.ts';
import type { MessageTracer } from './tracing/message-tracer.ts';
import { Tracer } from './tracing/tracer.ts';
import { type TopologyListener, Vhost, type VhostDeclaration, type VhostServices } from './vhost.ts';
import { BrokerCounters } from './broker-counters.ts';

export const logExchangeName = 'amq.rabbitmq.log';

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
  /** What makes the broker durable; without it everything is in memory. */
  readonly durability?: CommitLog & MetadataJournal & QueueLog;
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
  readonly logger: Logger;
  readonly settings: BrokerSettings;
  readonly timers = new TimerQueue();
  readonly store = new MessageStore();
  readonly access: AccessControl;
  readonly policies: Policies;
  readonly parameters: Parameters;
  readonly ledger: ConfirmLedger;
  readonly turn: Turn;
  readonly publisher: Publisher;
  readonly deadLetters: DeadLetters;
  readonly flow: FlowControl;
  readonly topology: Topology;
  readonly sharding: Sharding;
  readonly alarms: Alarms;
  readonly connections = new ConnectionRegistry();
  /** What happens, for who wants to know. */
  readonly events = new BrokerEvents();
  /** What the broker publishes itself. */
  readonly messages: BrokerMessages;
  readonly counters = new BrokerCounters();
  readonly vhosts = new Map<string, Vhost>();
  readonly exchangeTypes: ReadonlyMap<string, ExchangeType>;
  readonly queueTypes: ReadonlyMap<string, QueueType>;
  readonly #formats: readonly (MessageFormat | undefined)[];
  /** Says what is durable. */
  readonly log: CommitLog;
  readonly #queueLog: QueueLog | null;
  readonly #streams: StreamLogs | null;
  readonly #journal: MetadataJournal;
  readonly #refHolders = new Set<RefHolder>();
  readonly #topologyListener: TopologyListener;
  #stopEventExchange: () => void = () => {};
  #makeObserver: (vhost: Vhost) => MessageTracer | null = () => null;
  #lastQueueId = 0;
  /** Told of every message that was read back and is not what was stored, before it goes. */
  onMessageDamaged: (ref: MessageRef) => void = () => {};
  readonly startedMillis: number;

  constructor(deps: BrokerDeps) {
    this.clock = deps.clock;
    this.logger = deps.logger;
    this.settings = { ...defaultSettings, ...deps.settings };
    this.exchangeTypes = new Map(deps.exchangeTypes.map(type => [type.name, type]));
    this.queueTypes = new Map(deps.queueTypes.map(type => [type.name, type]));
    const formats: MessageFormat[] = [];
    for (const format of deps.formats) formats[format.tag] = format;
    this.#formats = formats;
    this.#journal = deps.durability ?? nullJournal;
    this.clock.refresh();
    this.startedMillis = this.clock.wallMillis;
    this.log = deps.log ?? deps.durability ?? volatileLog;
    this.#queueLog = deps.durability ?? null;
    this.#streams = deps.streams ?? null;
    this.access = new AccessControl(this.#journal);
    this.policies = new Policies(this.#journal, this.logger);
    this.policies.onChange(change => {
      this.#policyChanged(change);
      policyChanged(this.events, change);
    });
    this.parameters = new Parameters(this.#journal, this.policies);
    this.parameters.onChange(change => {
      this.#applyVhostLimits();
      parameterChanged(this.events, change);
    });
    this.access.onChange((change, before) => accessChanged(this.events, change, before));
    this.#topologyListener = this.#countingListener();
    this.ledger = new ConfirmLedger(this.log);
    this.turn = new Turn(this.clock, deps.scheduler, this.timers, this.ledger);
    this.publisher = new Publisher(this.store, this.clock);
    this.messages = new BrokerMessages(
      this.publisher,
      () => this.pivot,
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
      tag => this.format(tag),
      () => this.pivot,
    );
    this.turn.deadLetters = this.deadLetters;
    this.turn.onFault = (where, error) => {
      this.counters.internalErrors++;
      this.logger.error('default', `internal error in ${where}`, error);
    };
    this.deadLetters.onWork = () => this.turn.arm();
    this.deadLetters.onDamaged = (queue, entry) => this.#messageDamaged(queue, entry);
    this.deadLetters.onFailure = (queue, error) => this.#deadLetterFailed(queue, error);
    this.flow = new FlowControl(this.clock, this.timers);
    this.alarms = new Alarms(this.connections);
    this.alarms.onChange = (source, isActive) => {
      if (this.events.isObserved) this.events.emit(isActive ? 'alarm.set' : 'alarm.cleared', { source, node: this.settings.nodeName });
    };
    this.holdsRefs(this.deadLetters);
    this.topology = new Topology({
      access: this.access,
      exchangeTypes: this.exchangeTypes,
      queueTypes: this.queueTypes,
      queueContext: this.queueContext,
      settings: this.settings,
      nextQueueId: () => ++this.#lastQueueId,
      queueCount: () => this.#sum(vhost => vhost.queues.size),
      bindingCount: () => this.#sum(vhost => vhost.bindingCount),
      applyPolicies: (vhost, target) => applyPolicies(this.policies, vhost, target),
      exchangeAdded: (vhost, exchange) => this.sharding.reviewOne(vhost, exchange),
    });
    this.sharding = new Sharding(this.topology, this.settings.nodeName, this.logger);
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
      timers: this.timers,
      turn: this.turn,
      store: this.store,
      deadLetters: this.deadLetters,
      flow: this.flow,
      log: this.#queueLog,
      streams: this.#streams,
      format: tag => this.format(tag),
      pivot: () => this.pivot,
      claimId: (queue, kind) => this.vhosts.get(queue.vhostName)?.claimId(kind, queue.name) ?? 0,
      groupParked: (queue, key, isParked) => this.vhosts.get(queue.vhostName)?.recordPark(queue, key, isParked),
      messageDamaged: (queue, entry) => this.#messageDamaged(queue, entry),
      removeQueue: (queue, why) => this.#removeQueue(queue, why),
    };
  }

  format(tag: number): MessageFormat {
    const format = this.#formats[tag];
    if (format === undefined) throw new BrokerError('INTERNAL_ERROR', `no message format ${tag}`);
    return format;
  }

  /** The format of what the broker writes itself. */
  get pivot(): PivotFormat {
    const pivot = this.#formats.find(format => format !== undefined && 'encode' in format);
    if (pivot === undefined) throw new BrokerError('INTERNAL_ERROR', 'no pivot format');
    return pivot as PivotFormat;
  }

  /** Called with each queue that is added, before anything is in it. */
  onQueueAdded: (queue: Queue) => void = () => {};

  /** Called with each virtual host that is added: it may get what the configuration has for it. To be set after recovery. */
  onVhostAdded: (vhost: Vhost) => void = () => {};

  /** Adds a virtual host with its predeclared exchanges; one that exists is changed to what is declared. */
  addVhost(declaration: VhostDeclaration): Vhost {
    const existing = this.vhosts.get(declaration.name);
    if (existing !== undefined) {
      existing.description = declaration.description;
      existing.tags = declaration.tags;
      existing.defaultQueueType = declaration.defaultQueueType;
      existing.isTracing = declaration.isTracing ?? existing.isTracing;
      existing.isProtectedFromDeletion = declaration.isProtectedFromDeletion ?? existing.isProtectedFromDeletion;
      this.#recordVhost(existing);
      vhostChanged(this.events, 'vhost.updated', existing);
      return existing;
    }
    const vhost = new Vhost(declaration, this.exchangeTypes, this.#journal, this.#topologyListener, this.#vhostServices());
    this.vhosts.set(vhost.name, vhost);
    vhost.observe(this.#makeObserver(vhost));
    vhost.limits = this.parameters.vhostLimits(vhost.name);
    vhost.isScheduling = isSchedulingOn(this.parameters, vhost.name);
    this.#recordVhost(vhost);
    if (vhost.name === this.settings.eventExchangeVhost) this.#addEventExchange(vhost);
    if (vhost.name === this.settings.logExchangeVhost) vhost.addSystemExchange(logExchangeName, this.#topicType());
    vhostChanged(this.events, 'vhost.created', vhost);
    this.onVhostAdded(vhost);
    return vhost;
  }

  /** From now on each virtual host, also one to come, has an observer that is told of every message; null ends it. */
  observeMessages(make: ((vhost: Vhost) => MessageTracer) | null): void {
    this.#makeObserver = make ?? (() => null);
    for (const vhost of this.vhosts.values()) vhost.observe(this.#makeObserver(vhost));
  }

  /** Deletes a virtual host with all it holds; its connections are closed. @throws BrokerError when it is protected */
  deleteVhost(name: string): boolean {
    const vhost = this.vhosts.get(name);
    if (vhost === undefined) return false;
    if (vhost.isProtectedFromDeletion) throw preconditionFailed(`cannot delete protected vhost '${name}'`);
    for (const connection of this.connections.inVhost(name)) connection.close('CONNECTION_FORCED', `vhost '${name}' is deleted`);
    for (const queue of [...vhost.queues.values()]) vhost.removeQueue(queue);
    vhost.close();
    this.vhosts.delete(name);
    this.access.vhostDeleted(name);
    this.policies.vhostDeleted(name);
    this.parameters.vhostDeleted(name);
    this.#journal.record({ kind: 'vhost.delete', name } as { kind: string });
    if (name === this.settings.eventExchangeVhost) this.#stopEventExchange();
    vhostChanged(this.events, 'vhost.deleted', vhost);
    return true;
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

  /**
   * The virtual host a connection may enter.
   * @throws BrokerError NOT_ALLOWED: it does not exist, the user has no permission there, a limit is reached.
   */
  enterVhost(name: string, actor: Actor): Vhost {
    const vhost = this.vhosts.get(name);
    if (vhost === undefined) throw notAllowed(`vhost ${name} not found`);
    if (!actor.isBroker) this.access.checkVhost(actor.user, name);
    const { connectionsMax } = vhost.limits;
    if (connectionsMax >= 0 && vhost.connectionCount >= connectionsMax) {
      throw notAllowed(`access to vhost '${name}' refused for user '${actor.user}': connection limit (${connectionsMax}) is reached`);
    }
    const userMax = this.access.user(actor.user)?.limits.maxConnections ?? null;
    if (userMax !== null && userMax >= 0 && this.connections.countOfUser(actor.user) >= userMax) {
      throw notAllowed(`connection refused for user '${actor.user}': user connection limit (${userMax}) is reached`);
    }
    return vhost;
  }

  /** Gives every queue, exchange and vhost what policies and parameters say, for when these were replayed from the journal. */
  applyParameters(): void {
    this.#applyVhostLimits();
    for (const vhost of this.vhosts.values()) {
      for (const exchange of vhost.exchanges.values()) applyPolicies(this.policies, vhost, exchange);
      for (const queue of [...vhost.queues.values()]) applyPolicies(this.policies, vhost, queue);
    }
  }

  /** Recovery: forgets a virtual host whose deletion was recorded. */
  dropVhost(vhost: Vhost): void {
    for (const queue of [...vhost.queues.values()]) vhost.removeQueue(queue);
    vhost.close();
    this.vhosts.delete(vhost.name);
  }

  /** Recovery: applies a change of policies or parameters; false for one of another kind. */
  applyOther(change: MetadataChange): boolean {
    if (isPolicyChange(change)) {
      this.policies.apply(change);
      this.#policyChanged(change);
    } else if (isParameterChange(change)) {
      this.parameters.apply(change);
      this.#applyVhostLimits();
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

  /** All durable metadata, as changes that make it anew, in an order in which they can be applied. */
  metadataSnapshot(): MetadataChange[] {
    const changes: MetadataChange[] = [];
    for (const vhost of this.vhosts.values()) changes.push(vhost.change());
    changes.push(...this.access.snapshot(), ...this.parameters.snapshot(), ...this.policies.snapshot());
    for (const vhost of this.vhosts.values()) changes.push(...vhost.topologyChanges());
    return changes;
  }

  /** Resolves when everything recorded so far is durable: for the HTTP API and other callers outside of turns. */
  committed(): Promise<void> {
    this.turn.begin();
    return new Promise(resolve => this.log.commit(() => resolve(), null));
  }

  /** Registers somebody who keeps message references outside of queues: a channel's unacknowledged deliveries. */
  holdsRefs(holder: RefHolder): void {
    this.#refHolders.add(holder);
  }

  dropsRefs(holder: RefHolder): void {
    this.#refHolders.delete(holder);
  }

  /** Gives memory back that is held but not used; to be called now and then. Returns how many slabs were emptied. */
  compactMemory(slackBytes: number = limits.storeSlackBytes): number {
    return compactSlabs(this.store, this.#allRefHolders(), slackBytes);
  }

  /** Everybody who holds references to messages. */
  refHolders(): Iterable<RefHolder> {
    return this.#allRefHolders();
  }

  *#allRefHolders(): Iterable<RefHolder> {
    yield* this.#refHolders;
    for (const vhost of this.vhosts.values()) {
      yield* vhost.queues.values();
      yield* vhost.hiddenQueues.values();
    }
  }

  #sum(count: (vhost: Vhost) => number): number {
    let sum = 0;
    for (const vhost of this.vhosts.values()) sum += count(vhost);
    return sum;
  }

  #messageDamaged(queue: Queue, entry: Entry): void {
    this.counters.damagedMessages++;
    this.onMessageDamaged(entry.ref);
    this.logger.error(
      'store',
      `a message of ${entry.bytes} bytes in queue '${queue.name}' in vhost '${queue.vhostName}' is damaged on disk and was dropped`,
    );
  }

  #heldDamaged(vhost: Vhost, exchange: Exchange, ref: MessageRef): void {
    this.counters.damagedMessages++;
    this.onMessageDamaged(ref);
    this.logger.error('store', `a message held by exchange '${exchange.name}' in vhost '${vhost.name}' is damaged on disk and was dropped`);
  }

  #deadLetterFailed(queue: Queue, error: unknown): void {
    const text = `a message of queue '${queue.name}' in vhost '${queue.vhostName}' cannot be dead-lettered and was dropped`;
    if (error instanceof RangeError) {
      this.logger.warning('queue', `${text}: ${error.message}`);
      return;
    }
    this.counters.internalErrors++;
    this.logger.error('queue', text, error);
  }

  #removeQueue(queue: Queue, why: 'auto-delete' | 'expired'): void {
    const vhost = this.vhosts.get(queue.vhostName);
    this.logger.debug('queue', `deleting queue '${queue.name}' in vhost '${queue.vhostName}': ${why}`);
    vhost?.removeQueue(queue);
  }

  #addEventExchange(vhost: Vhost): void {
    vhost.offerExchange(eventExchangeName, this.#topicType());
    this.#stopEventExchange = this.events.observe(new EventExchange(vhost, this.messages, this.clock));
  }

  #topicType(): ExchangeType {
    const type = this.exchangeTypes.get('topic');
    if (type === undefined) throw new BrokerError('INTERNAL_ERROR', 'no exchange type topic');
    return type;
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
      timers: this.timers,
      store: this.store,
      pivot: () => this.pivot,
      format: tag => this.format(tag),
      holdsRefs: holder => this.holdsRefs(holder),
      dropsRefs: holder => this.dropsRefs(holder),
      log: this.#queueLog,
      nextLogId: () => ++this.#lastQueueId,
      beforeCommit: act => this.turn.beforeCommit(act),
      heldDamaged: (vhost, exchange, ref) => this.#heldDamaged(vhost, exchange, ref),
      deliver: (vhost, target, keys, p) => this.publisher.deliver(vhost, target, keys, p),
      firehose: vhost =>
        new Tracer(vhost, {
          store: this.store,
          messages: this.messages,
          nodeName: this.settings.nodeName,
          format: tag => this.format(tag),
        }),
    };
  }

  #policyChanged(change: PolicyChange): void {
    const vhost = this.vhosts.get(change.kind === 'policy.put' ? change.policy.vhost : change.vhost);
    if (vhost === undefined) return;
    applyPolicyChange(this.policies, vhost, change);
    this.sharding.review(vhost);
  }

  #applyVhostLimits(): void {
    for (const vhost of this.vhosts.values()) {
      vhost.limits = this.parameters.vhostLimits(vhost.name);
      vhost.isScheduling = isSchedulingOn(this.parameters, vhost.name);
    }
  }

  #recordVhost(vhost: Vhost): void {
    this.#journal.record(vhost.change());
  }
}

export type { ConnectionInfo };
