import { type Field, type FieldTable, isInteger } from '../../base/field-table.ts';
import type { Decimal } from '../../base/field-table.ts';

export const delayHeader = 'x-delay';
/** [rabbitmq_delayed_message_exchange: the longest time an Erlang timer takes] */
export const delayMillisMax = 4294967295;

/** How long a message is to be held, in milliseconds; 0: not at all; null: what the header says is no delay. */
export function delayOf(headers: FieldTable | null): number | null {
  const field = headers?.get(delayHeader);
  if (field === undefined) return 0;
  const millis = numberOf(field);
  if (millis === null || !Number.isFinite(millis) || millis < 0 || millis > delayMillisMax) return null;
  return Math.floor(millis);
}

/** Integers, floats, decimals, and text that is an integer: so the known plugin has it. */
function numberOf(field: Field): number | null {
  if (isInteger(field) || field.type === 'f' || field.type === 'd') return Number(field.value);
  if (field.type === 'D') return (field.value as Decimal).value / 10 ** (field.value as Decimal).scale;
  if (field.type === 'S' && typeof field.value === 'string' && /^[+-]?\d{1,20}$/.test(field.value)) return Number(field.value);
  return null;
}
