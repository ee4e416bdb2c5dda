import { type Field, type FieldTable, fieldToJson } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import { erlangTerm } from '../definitions/erlang-term.ts';
import type { TextProperty } from '../ports/message-format.ts';
import type { ExchangeRoutes, ExchangeType, KeyRoutes, MessageRoutes, Target } from './exchange-type.ts';
import { hashText, mixBits } from './key-hash.ts';
import type { RouteCollector } from './route-collector.ts';
import type { RoutedMessage } from './routed-message.ts';

const hashProperties: readonly TextProperty[] = ['message_id', 'correlation_id', 'timestamp'];

/** A target with its share. */
class Member {
  readonly target: Target;
  readonly hash: number;
  /** Weights of its bindings in the order in which they came. Only the first counts. [RabbitMQ: one binding per queue is considered] */
  readonly weights: { readonly key: string; readonly weight: number }[] = [];

  constructor(target: Target) {
    this.target = target;
    this.hash = hashText(`${target.kind}\0${target.name}`);
  }

  get weight(): number {
    return this.weights[0]?.weight ?? 0;
  }

  /** How much the member wants the key. Over all keys, members win in proportion to their weights. */
  claim(keyHash: number): number {
    // Uniform in (0, 1), different for every pair of key and member.
    const uniform = (mixBits(mixBits(keyHash + this.hash) ^ keyHash) + 0.5) / 0x1_0000_0000;
    return -this.weight / Math.log(uniform);
  }
}

/**
 * Members share the keys: of each key every member makes its claim, and the highest wins (rendezvous hashing). Shares are as even as the
 * hash, a member that comes or goes moves only its own keys, and neither the order of bindings nor a restart matters.
 */
class Members {
  #members: Member[] = [];

  add(target: Target, key: string): void {
    let member = this.#members.find(each => each.target === target);
    if (member === undefined) this.#members.push((member = new Member(target)));
    member.weights.push({ key, weight: Number(key) });
  }

  remove(target: Target, key: string): void {
    const member = this.#members.find(each => each.target === target);
    const index = member?.weights.findIndex(each => each.key === key) ?? -1;
    if (member === undefined || index < 0) return;
    member.weights.splice(index, 1);
    if (member.weights.length === 0) this.#members = this.#members.filter(each => each !== member);
  }

  choose(text: string, out: RouteCollector): void {
    const keyHash = hashText(text);
    let best: Member | null = null;
    let bestClaim = -1;
    for (let i = 0; i < this.#members.length; i++) {
      const member = this.#members[i] as Member;
      const claim = member.claim(keyHash);
      if (claim > bestClaim && !member.target.isDeleted) {
        best = member;
        bestClaim = claim;
      }
    }
    if (best !== null) out.add(best.target);
  }
}

abstract class ConsistentHashRoutes {
  protected readonly members = new Members();

  check(key: string): void {
    if (!/^[+-]?\d+$/.test(key)) throw preconditionFailed(`The binding key must be an integer: ${erlangTerm(key)}`);
    if (Number(key) <= 0) throw preconditionFailed('The binding key must be greater than 0');
  }

  bind(target: Target, key: string): void {
    this.members.add(target, key);
  }

  unbind(target: Target, key: string): void {
    this.members.remove(target, key);
  }
}

class ByKey extends ConsistentHashRoutes implements KeyRoutes {
  readonly dependsOn = 'key';

  route(key: string, out: RouteCollector): void {
    this.members.choose(key, out);
  }
}

class ByHeader extends ConsistentHashRoutes implements MessageRoutes {
  readonly dependsOn = 'message';
  readonly #header: string;

  constructor(header: string) {
    super();
    this.#header = header;
  }

  route(message: RoutedMessage, out: RouteCollector): void {
    const field = message.headers?.get(this.#header);
    this.members.choose(field === undefined ? '' : textOf(field), out);
  }
}

class ByProperty extends ConsistentHashRoutes implements MessageRoutes {
  readonly dependsOn = 'message';
  readonly #property: TextProperty;

  constructor(property: TextProperty) {
    super();
    this.#property = property;
  }

  route(message: RoutedMessage, out: RouteCollector): void {
    this.members.choose(message.property(this.#property) ?? '', out);
  }
}

function textOf(field: Field): string {
  return typeof field.value === 'string' ? field.value : JSON.stringify(fieldToJson(field));
}

/**
 * Spreads messages over the bound queues by a hash of the routing key, a header or a property, so that equal ones meet in one queue; the
 * binding key is the queue's weight. [RabbitMQ: rabbitmq_consistent_hash_exchange]
 */
export const consistentHash: ExchangeType = {
  name: 'x-consistent-hash',
  description: 'Consistent Hashing Exchange',

  check(args: FieldTable): void {
    const header = args.get('hash-header');
    const property = args.get('hash-property');
    if (header !== undefined && property !== undefined) throw preconditionFailed('hash-header and hash-property are mutually exclusive');
    if (header !== undefined && typeof header.value !== 'string')
      throw preconditionFailed(`hash-header must be a string: ${erlangTerm(fieldToJson(header))}`);
    if (property === undefined) return;
    if (typeof property.value !== 'string') throw preconditionFailed(`Unsupported property: ${erlangTerm(fieldToJson(property))}`);
    if (!isTextProperty(property.value)) throw preconditionFailed(`Unsupported property: ${property.value}`);
  },

  create(args: FieldTable): ExchangeRoutes {
    const header = args.get('hash-header')?.value;
    if (typeof header === 'string') return new ByHeader(header);
    const property = args.get('hash-property')?.value;
    return isTextProperty(property) ? new ByProperty(property) : new ByKey();
  },
};

function isTextProperty(value: unknown): value is TextProperty {
  return (hashProperties as readonly unknown[]).includes(value);
}
