import { array, type Field, type FieldTable, isInteger, long, longstr, table, timestamp } from '../base/field-table.ts';
import type { DeathReason } from './dead-letter.ts';

/** More deaths of a kind are not counted. */
const countMax = Number.MAX_SAFE_INTEGER - 1;

/**
 * Adds a death to x-death: newest first, one entry per queue and reason with a count; and the x-first-death-* and x-last-death-* headers.
 * Returns the deaths. [RabbitMQ docs: dead letter exchanges, effects on messages]
 */
export function addDeath(
  headers: FieldTable,
  queueName: string,
  reason: DeathReason,
  exchangeName: string,
  keys: readonly string[],
  expiration: string | null,
  seconds: number,
): FieldTable[] {
  const isFirst = !headers.has('x-death');
  const deaths = knownDeaths(headers.get('x-death'));
  const index = deaths.findIndex(death => valueOf(death, 'queue') === queueName && valueOf(death, 'reason') === reason);
  let death: FieldTable;
  if (index >= 0) {
    death = new Map(deaths[index]);
    deaths.splice(index, 1);
    death.set('count', long(countOf(death) + 1));
  } else {
    death = new Map<string, Field>([
      ['count', long(1)],
      ['reason', longstr(reason)],
      ['queue', longstr(queueName)],
      ['time', timestamp(seconds)],
      ['exchange', longstr(exchangeName)],
      ['routing-keys', array(keys.map(longstr))],
    ]);
    if (expiration !== null) death.set('original-expiration', longstr(expiration));
  }
  deaths.unshift(death);
  headers.set('x-death', array(deaths.map(table)));
  if (isFirst) {
    headers.set('x-first-death-exchange', longstr(exchangeName));
    headers.set('x-first-death-queue', longstr(queueName));
    headers.set('x-first-death-reason', longstr(reason));
  }
  headers.set('x-last-death-exchange', longstr(exchangeName));
  headers.set('x-last-death-queue', longstr(queueName));
  headers.set('x-last-death-reason', longstr(reason));
  return deaths;
}

/**
 * The deaths that a message tells of, one per queue and reason. Very old brokers wrote one for each time, without a count, and clients may
 * have written anything. [RabbitMQ: rabbit_dead_letter, group_by_queue_and_reason]
 */
function knownDeaths(field: Field | undefined): FieldTable[] {
  if (field === undefined || !Array.isArray(field.value)) return [];
  const deaths = field.value.filter(item => item.value instanceof Map).map(item => item.value as FieldTable);
  if (deaths.length < 2) return deaths;
  const kinds = new Map<string, FieldTable>();
  for (const death of deaths) {
    const kind = JSON.stringify([valueOf(death, 'queue'), valueOf(death, 'reason')]);
    const known = kinds.get(kind);
    if (known === undefined) kinds.set(kind, new Map(death).set('count', long(Math.max(1, countOf(death)))));
    else known.set('count', long(Math.min(countMax, countOf(known) + Math.max(1, countOf(death)))));
  }
  return [...kinds.values()];
}

function valueOf(death: FieldTable, name: string): string | null {
  const value = death.get(name)?.value;
  return typeof value === 'string' ? value : null;
}

/** How often the message died there before; a client may have written anything in its place. */
function countOf(death: FieldTable): number {
  const field = death.get('count');
  const count = field !== undefined && isInteger(field) ? Number(field.value) : 0;
  return count >= 0 && count <= countMax ? count : 0;
}

/**
 * The queues that the message must not enter again: it has been there, and nothing but time and limits brought it round since.
 * [RabbitMQ: rabbit_dead_letter, is_cycle]
 */
export function automaticCycle(deaths: readonly FieldTable[]): ReadonlySet<string> {
  const queues = new Set<string>();
  for (const death of deaths) {
    if (death.get('reason')?.value === 'rejected') break;
    const queue = death.get('queue')?.value;
    if (typeof queue === 'string') queues.add(queue);
  }
  return queues;
}
