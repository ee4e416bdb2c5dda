import type { AccessControl } from './access/access-control.ts';
import type { Actor } from './actor.ts';
import { notAllowed, preconditionFailed } from './broker-error.ts';
import type { BrokerMessages } from './broker-messages.ts';
import type { ConnectionRegistry } from './connection-registry.ts';
import type { BrokerEvents } from './events/broker-events.ts';
import { EventExchange, eventExchangeName } from './events/event-exchange.ts';
import { vhostChanged } from './events/metadata-events.ts';
import type { ExchangeType } from './exchanges/exchange-type.ts';
import type { Parameters } from './parameters/parameters.ts';
import { isSchedulingOn } from './parameters/scheduled-delivery.ts';
import type { Policies } from './policies/policies.ts';
import type { Clock } from './ports/clock.ts';
import type { MetadataJournal } from './ports/metadata-journal.ts';
import type { BrokerSettings } from './settings.ts';
import { allAtOnce, type Steps } from './stepped-work.ts';
import type { MessageTracer } from './tracing/message-tracer.ts';
import { type TopologyListener, Vhost, type VhostDeclaration, type VhostServices } from './vhost.ts';

/** Of a connection, with its frame and write. */
const closeCost = 50;

function* emptying(vhost: Vhost): Steps {
  yield* vhost.removal(vhost.queues.values());
  vhost.close();
}

export const logExchangeName = 'amq.rabbitmq.log';

/** What virtual hosts need of the broker around them. */
export interface VirtualHostsDeps {
  readonly access: AccessControl;
  readonly policies: Policies;
  readonly parameters: Parameters;
  readonly connections: ConnectionRegistry;
  readonly events: BrokerEvents;
  readonly messages: BrokerMessages;
  readonly clock: Clock;
  readonly journal: MetadataJournal;
  readonly settings: BrokerSettings;
  readonly exchangeTypes: ReadonlyMap<string, ExchangeType>;
  readonly listener: TopologyListener;
  readonly services: VhostServices;
}

/** The virtual hosts of a broker, by name: made, changed, entered and deleted here. */
export class VirtualHosts {
  readonly byName = new Map<string, Vhost>();
  /** Deleted, and not empty yet. */
  readonly leaving = new Set<Vhost>();
  readonly #deps: VirtualHostsDeps;
  #stopEventExchange: () => void = () => {};
  #makeObserver: (vhost: Vhost) => MessageTracer | null = () => null;
  /** Called with each one that is added: it may get what the configuration has for it. To be set after recovery. */
  onAdded: (vhost: Vhost) => void = () => {};

  constructor(deps: VirtualHostsDeps) {
    this.#deps = deps;
  }

  /** Adds a virtual host with its predeclared exchanges; one that exists is changed to what is declared. */
  add(declaration: VhostDeclaration): Vhost {
    const { exchangeTypes, journal, listener, services, settings, events } = this.#deps;
    const existing = this.byName.get(declaration.name);
    if (existing !== undefined) {
      existing.description = declaration.description;
      existing.tags = declaration.tags;
      existing.defaultQueueType = declaration.defaultQueueType;
      existing.isTracing = declaration.isTracing ?? existing.isTracing;
      existing.isProtectedFromDeletion = declaration.isProtectedFromDeletion ?? existing.isProtectedFromDeletion;
      journal.record(existing.change());
      vhostChanged(events, 'vhost.updated', existing);
      return existing;
    }
    const vhost = new Vhost(declaration, exchangeTypes, journal, listener, services);
    this.byName.set(vhost.name, vhost);
    vhost.observe(this.#makeObserver(vhost));
    this.#applyParameters(vhost);
    journal.record(vhost.change());
    if (vhost.name === settings.eventExchangeVhost) this.#addEventExchange(vhost);
    if (vhost.name === settings.logExchangeVhost) vhost.addSystemExchange(logExchangeName, this.#topicType());
    vhostChanged(events, 'vhost.created', vhost);
    this.onAdded(vhost);
    return vhost;
  }

  /**
   * Deletes a virtual host: nobody finds it any more, and another one may have its name. Then its connections are closed and its queues
   * deleted in steps, after which `done` is called. The log has the whole of it already, so that a crash in between changes nothing.
   * @throws BrokerError when it is protected
   */
  delete(name: string, done: () => void): boolean {
    const { access, policies, parameters, journal, services } = this.#deps;
    const vhost = this.byName.get(name);
    if (vhost === undefined) return false;
    if (vhost.isProtectedFromDeletion) throw preconditionFailed(`cannot delete protected vhost '${name}'`);
    this.byName.delete(name);
    this.leaving.add(vhost);
    journal.record({ kind: 'vhost.delete', name } as { kind: string });
    vhost.leave();
    access.vhostDeleted(name);
    policies.vhostDeleted(name);
    parameters.vhostDeleted(name);
    services.work(`deleting vhost '${name}'`, this.#deletion(vhost), done);
    return true;
  }

  /** Forgets a virtual host and what is in it; in recovery, when its deletion was recorded. */
  drop(vhost: Vhost): void {
    this.byName.delete(vhost.name);
    allAtOnce(emptying(vhost));
  }

  *#deletion(vhost: Vhost): Steps {
    const { connections, settings, events } = this.#deps;
    const stopEvents = vhost.name === settings.eventExchangeVhost ? this.#stopEventExchange : null;
    for (const connection of connections.inVhost(vhost.name)) {
      connection.close('CONNECTION_FORCED', `vhost '${vhost.name}' is deleted`);
      yield closeCost;
    }
    yield* emptying(vhost);
    this.leaving.delete(vhost);
    stopEvents?.();
    vhostChanged(events, 'vhost.deleted', vhost);
  }

  /**
   * The virtual host a connection may enter.
   * @throws BrokerError NOT_ALLOWED: it does not exist, the user has no permission there, a limit is reached.
   */
  enter(name: string, actor: Actor): Vhost {
    const { access, connections } = this.#deps;
    const vhost = this.byName.get(name);
    if (vhost === undefined) throw notAllowed(`vhost ${name} not found`);
    if (!actor.isBroker) access.checkVhost(actor.user, name);
    const { connectionsMax } = vhost.limits;
    if (connectionsMax >= 0 && vhost.connectionCount >= connectionsMax) {
      throw notAllowed(`access to vhost '${name}' refused for user '${actor.user}': connection limit (${connectionsMax}) is reached`);
    }
    const userMax = access.user(actor.user)?.limits.maxConnections ?? null;
    if (userMax !== null && userMax >= 0 && connections.countOfUser(actor.user) >= userMax) {
      throw notAllowed(`connection refused for user '${actor.user}': user connection limit (${userMax}) is reached`);
    }
    return vhost;
  }

  /** From now on each virtual host, also one to come, has an observer that is told of every message; null ends it. */
  observe(make: ((vhost: Vhost) => MessageTracer) | null): void {
    this.#makeObserver = make ?? (() => null);
    for (const vhost of this.byName.values()) vhost.observe(this.#makeObserver(vhost));
  }

  /** Gives every virtual host the limits that its parameters say now. */
  applyParameters(): void {
    for (const vhost of this.byName.values()) this.#applyParameters(vhost);
  }

  /** How many there are of something in all of them. */
  sum(count: (vhost: Vhost) => number): number {
    let sum = 0;
    for (const vhost of this.byName.values()) sum += count(vhost);
    return sum;
  }

  #applyParameters(vhost: Vhost): void {
    const { parameters } = this.#deps;
    vhost.limits = parameters.vhostLimits(vhost.name);
    vhost.isScheduling = isSchedulingOn(parameters, vhost.name);
  }

  #addEventExchange(vhost: Vhost): void {
    const { events, messages, clock } = this.#deps;
    vhost.offerExchange(eventExchangeName, this.#topicType());
    this.#stopEventExchange = events.observe(new EventExchange(vhost, messages, clock));
  }

  #topicType(): ExchangeType {
    const type = this.#deps.exchangeTypes.get('topic');
    if (type === undefined) throw new Error('there is no exchange type topic');
    return type;
  }
}
