import { type Field, type FieldTable, fieldTypeName, sameField } from '../base/field-table.ts';
import { preconditionFailed } from './broker-error.ts';

/** @throws BrokerError PRECONDITION_FAILED with RabbitMQ's text when a property of a redeclaration differs. */
export function assertSameProperty(term: string, property: string, received: string | boolean, current: string | boolean): void {
  if (received === current) return;
  throw preconditionFailed(
    `inequivalent arg '${property}' for ${term}: received '${String(received)}' but current is '${String(current)}'`,
  );
}

/** @throws BrokerError PRECONDITION_FAILED with RabbitMQ's text when one of the named arguments of a redeclaration differs. */
export function assertSameArguments(term: string, names: readonly string[], received: FieldTable, current: FieldTable): void {
  for (const name of names) {
    const a = received.get(name);
    const b = current.get(name);
    if (a === undefined && b === undefined) continue;
    if (a !== undefined && b !== undefined && sameField(a, b)) continue;
    throw preconditionFailed(`inequivalent arg '${name}' for ${term}: received ${describe(a, b)} but current is ${describe(b, a)}`);
  }
}

/** RabbitMQ names the type where only one side has a value or the types differ. [RabbitMQ: rabbit_misc, assert_args_equivalence1] */
function describe(field: Field | undefined, other: Field | undefined): string {
  if (field === undefined) return 'none';
  const value = `'${String(field.value)}'`;
  return other !== undefined && other.type === field.type ? value : `the value ${value} of type '${fieldTypeName(field)}'`;
}
