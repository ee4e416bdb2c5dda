import { fieldTypeName } from '../../base/field-table.ts';
import { type Actor, actorName } from '../actor.ts';
import { accessRefused, BrokerError, preconditionFailed } from '../broker-error.ts';
import { deduplicationArguments, wantsDeduplication } from '../deduplication/deduplication-arguments.ts';
import { assertSameArgument, assertSameProperty } from '../equivalence.ts';
import type { ExchangeType } from '../exchanges/exchange-type.ts';
import { Exchange, type ExchangeDeclaration } from '../exchanges/exchange.ts';
import { stringArgument } from '../queues/queue-arguments.ts';
import { exchangeTerm } from '../resource-name.ts';
import type { Vhost } from '../vhost.ts';
import { assertNotDefault, type ResourceAccess } from './resource-access.ts';
import { assertRoom } from './room.ts';
import type { TopologyDeps } from './topology-deps.ts';

/** Declares exchanges. */
export class ExchangeDeclarations {
  readonly #deps: TopologyDeps;
  readonly #resources: ResourceAccess;

  constructor(deps: TopologyDeps, resources: ResourceAccess) {
    this.#deps = deps;
    this.#resources = resources;
  }

  /** Declares an exchange; an equivalent one that exists is returned. `typeName` decides; unknown ones are COMMAND_INVALID. */
  declare(vhost: Vhost, typeName: string, declaration: ExchangeDeclaration, actor: Actor): Exchange {
    const type = this.#exchangeType(typeName);
    const { name } = declaration;
    assertNotDefault(name);
    this.#resources.check(actor, vhost, 'configure', 'exchange', name);
    const existing = vhost.exchange(name);
    if (existing !== undefined) {
      const term = exchangeTerm(name, vhost.name);
      assertSameProperty(term, 'type', typeName, existing.type.name);
      assertSameProperty(term, 'durable', declaration.isDurable, existing.isDurable);
      assertSameProperty(term, 'auto_delete', declaration.isAutoDelete, existing.isAutoDelete);
      assertSameProperty(term, 'internal', declaration.isInternal, existing.isInternal);
      assertSameArgument(term, 'alternate-exchange', declaration.arguments, existing.arguments);
      return existing;
    }
    if (name.startsWith('amq.') && !actor.isBroker) throw accessRefused(`exchange name '${name}' contains reserved prefix 'amq.*'`);
    const alternate = alternateExchange(vhost.name, declaration);
    if (alternate !== null) {
      this.#resources.check(actor, vhost, 'read', 'exchange', name);
      this.#resources.check(actor, vhost, 'write', 'exchange', alternate);
    }
    assertRoom(this.#deps, vhost, `cannot declare exchange '${name}'`);
    type.check(declaration.arguments, this.#deps.exchangeTypes);
    if (wantsDeduplication(declaration.arguments)) deduplicationArguments(declaration.arguments);
    const exchange = new Exchange(type, declaration, vhost.home);
    exchange.alternate = stringArgument(declaration.arguments, 'alternate-exchange');
    this.#deps.applyPolicies(vhost, exchange);
    vhost.addExchange(exchange, actorName(actor));
    this.#deps.exchangeAdded(vhost, exchange);
    return exchange;
  }

  /**
   * Whether type and arguments of a new exchange make sense, in a vhost that need not be there yet. Returns its type.
   * @throws BrokerError PRECONDITION_FAILED, COMMAND_INVALID
   */
  check(vhostName: string, typeName: string, declaration: ExchangeDeclaration): ExchangeType {
    const type = this.#exchangeType(typeName);
    alternateExchange(vhostName, declaration);
    type.check(declaration.arguments, this.#deps.exchangeTypes);
    if (wantsDeduplication(declaration.arguments)) deduplicationArguments(declaration.arguments);
    return type;
  }

  #exchangeType(name: string): ExchangeType {
    const type = this.#deps.exchangeTypes.get(name);
    if (type === undefined) throw new BrokerError('COMMAND_INVALID', `unknown exchange type '${name}'`);
    return type;
  }
}

/** Name of the alternate exchange that the arguments give; null if none. @throws BrokerError PRECONDITION_FAILED */
function alternateExchange(vhostName: string, { name, arguments: args }: ExchangeDeclaration): string | null {
  const alternate = args.get('alternate-exchange');
  if (alternate === undefined) return null;
  if (alternate.type !== 'S') {
    throw preconditionFailed(`invalid type '${fieldTypeName(alternate)}' for arg 'alternate-exchange' in ${exchangeTerm(name, vhostName)}`);
  }
  return String(alternate.value);
}
