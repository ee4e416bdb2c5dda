import { type Field, type FieldTable, isInteger } from '../../base/field-table.ts';
import type { Decimal } from '../../base/field-table.ts';

export const delayHeader = 'x-delay';
export const deliverAtHeader = 'x-deliver-at';
/** [rabbitmq_delayed_message_exchange: the longest time an Erlang timer takes] */
export const delayMillisMax = 4294967295;
/** Ten years: a time further away is a mistake. */
export const deliverInMillisMax = 315_360_000_000;
/** September 2001: a time before it is one in seconds, or none at all. */
export const deliverAtMillisMin = 1_000_000_000_000;

const badDelay = `invalid header '${delayHeader}': expected milliseconds from 0 to ${delayMillisMax}`;
const badTime = `invalid header '${deliverAtHeader}': expected a Unix time in milliseconds or an RFC 3339 text, up to ten years ahead`;

/** Whether a message says when it wants to be delivered. */
export function saysWhen(headers: FieldTable | null): boolean {
  return headers !== null && (headers.has(delayHeader) || headers.has(deliverAtHeader));
}

/** How long a message is to be held, in milliseconds, 0: not at all; or in words why what it says is no time. */
export function waitOf(headers: FieldTable | null, wallMillis: number): number | string {
  const at = headers?.get(deliverAtHeader);
  if (at === undefined) return delayOf(headers) ?? badDelay;
  if (headers?.has(delayHeader)) return `a message has either '${delayHeader}' or '${deliverAtHeader}'`;
  const millis = timeOf(at);
  if (millis === null || millis < deliverAtMillisMin || millis - wallMillis > deliverInMillisMax) return badTime;
  return Math.max(0, millis - wallMillis);
}

/** How long a message is to be held by its x-delay, in milliseconds; 0: not at all; null: what the header says is no delay. */
export function delayOf(headers: FieldTable | null): number | null {
  const field = headers?.get(delayHeader);
  if (field === undefined) return 0;
  const millis = numberOf(field);
  if (millis === null || !Number.isFinite(millis) || millis < 0 || millis > delayMillisMax) return null;
  return Math.floor(millis);
}

/** Unix time in milliseconds: a number of them, the same as text, an AMQP timestamp (seconds), or an RFC 3339 text with its time zone. */
function timeOf(field: Field): number | null {
  if (field.type === 'T') return Number(field.value) * 1000;
  const millis = numberOf(field);
  if (millis !== null) return Number.isFinite(millis) ? millis : null;
  if (typeof field.value !== 'string') return null;
  return parseDeliverAt(field.value);
}

/** Unix time in milliseconds of an RFC 3339 text; null when it is none. */
export function parseDeliverAt(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/.test(text)) return null;
  const millis = Date.parse(text);
  return Number.isNaN(millis) ? null : millis;
}

/** Integers, floats, decimals, and text that is an integer: so the known plugin has it. */
function numberOf(field: Field): number | null {
  if (isInteger(field) || field.type === 'f' || field.type === 'd') return Number(field.value);
  if (field.type === 'D') return (field.value as Decimal).value / 10 ** (field.value as Decimal).scale;
  if (field.type === 'S' && typeof field.value === 'string' && /^[+-]?\d{1,20}$/.test(field.value)) return Number(field.value);
  return null;
}
