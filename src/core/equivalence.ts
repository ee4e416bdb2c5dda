import { type Field, type FieldTable, fieldTypeName, sameField } from '../base/field-table.ts';
import { preconditionFailed } from './broker-error.ts';
import { erlangValue } from './erlang-field.ts';

/** @throws BrokerError PRECONDITION_FAILED with RabbitMQ's text when a property of a redeclaration differs. */
export function assertSameProperty(term: string, property: string, received: string | boolean, current: string | boolean): void {
  if (received === current) return;
  throw preconditionFailed(
    `inequivalent arg '${property}' for ${term}: received '${String(received)}' but current is '${String(current)}'`,
  );
}

/** @throws BrokerError PRECONDITION_FAILED with RabbitMQ's text when an argument of a redeclaration differs. */
export function assertSameArgument(term: string, name: string, received: FieldTable, current: FieldTable): void {
  const a = received.get(name);
  const b = current.get(name);
  if (a === undefined ? b === undefined : b !== undefined && sameField(a, b)) return;
  throw preconditionFailed(`inequivalent arg '${name}' for ${term}: received ${describe(a, b)} but current is ${describe(b, a)}`);
}

/** RabbitMQ names the type where only one side has a value. [RabbitMQ: rabbit_misc, assert_args_equivalence] */
function describe(field: Field | undefined, other: Field | undefined): string {
  if (field === undefined) return 'none';
  const value = `'${typeof field.value === 'string' ? field.value : erlangValue(field)}'`;
  return other === undefined ? `the value ${value} of type '${fieldTypeName(field)}'` : value;
}
