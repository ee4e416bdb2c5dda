import { type Field, type FieldTable, fieldTypeName, matchingField } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import { erlangValue } from '../erlang-field.ts';
import { bindingId } from './binding.ts';
import type { ExchangeType, MessageRoutes, Target } from './exchange-type.ts';
import type { RouteCollector } from './route-collector.ts';
import type { RoutedMessage } from './routed-message.ts';

class HeadersBinding {
  readonly target: Target;
  readonly fields: readonly (readonly [string, Field])[];
  readonly isAny: boolean;

  constructor(target: Target, args: FieldTable) {
    const match = args.get('x-match')?.value ?? 'all';
    const withX = match === 'all-with-x' || match === 'any-with-x';
    this.target = target;
    this.isAny = match === 'any' || match === 'any-with-x';
    // x-match itself never takes part; other names that begin with x- only where the binding says so.
    this.fields = [...args].filter(([name]) => name !== 'x-match' && (withX || !name.startsWith('x-')));
  }

  matches(headers: FieldTable | null): boolean {
    for (const [name, field] of this.fields) {
      const value = headers?.get(name);
      // A void in the binding asks for the header to be there, whatever its value.
      const fits = value !== undefined && (field.type === 'V' || matchingField(field, value));
      if (fits === this.isAny) return fits;
    }
    return !this.isAny;
  }
}

class HeadersRoutes implements MessageRoutes {
  readonly dependsOn = 'message';
  readonly #bindings = new Map<string, HeadersBinding>();

  check(_key: string, args: FieldTable): void {
    const match = args.get('x-match');
    if (match === undefined) return;
    if (match.type !== 'S') {
      throw preconditionFailed(`Invalid x-match field type ${fieldTypeName(match)} (value ${erlangValue(match)}); expected longstr`);
    }
    if (match.value !== 'all' && match.value !== 'any' && match.value !== 'all-with-x' && match.value !== 'any-with-x') {
      throw preconditionFailed(`Invalid x-match field value ${erlangValue(match)}; expected all, any, all-with-x, or any-with-x`);
    }
  }

  bind(target: Target, key: string, args: FieldTable): void {
    this.#bindings.set(bindingId(target, key, args), new HeadersBinding(target, args));
  }

  unbind(target: Target, key: string, args: FieldTable): void {
    this.#bindings.delete(bindingId(target, key, args));
  }

  route(message: RoutedMessage, out: RouteCollector): void {
    const { headers } = message;
    for (const binding of this.#bindings.values()) if (binding.matches(headers)) out.add(binding.target);
  }
}

/** Matches on message headers. [RabbitMQ docs: headers exchange; x-match all, any, all-with-x, any-with-x] */
export const headers: ExchangeType = {
  name: 'headers',
  description: 'AMQP headers exchange, as per the AMQP specification',
  check() {},
  create: () => new HeadersRoutes(),
};
