import { type Field, type FieldTable, isInteger, sameTable } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';

export const deduplicationHeader = 'x-deduplication-header';
export const cacheTtlName = 'x-cache-ttl';
/** Values that one exchange or queue may remember: some three hundred bytes each. */
export const cacheSizeMax = 10_000_000;

/** Arguments that say how duplicates are known. */
const names = ['x-message-deduplication', deduplicationHeader, 'x-cache-size', cacheTtlName, 'x-cache-persistence'];

export function sameDeduplication(a: FieldTable, b: FieldTable): boolean {
  const pick = (args: FieldTable): FieldTable => new Map([...args].filter(([name]) => names.includes(name)));
  return sameTable(pick(a), pick(b));
}

/** How an exchange or queue recognises duplicates, from its arguments. */
export interface DeduplicationArguments {
  /** Header with the value. */
  readonly header: string;
  /** How many values are remembered; null: none was said. */
  readonly sizeMax: number | null;
  /** For how long; null: none was said. */
  readonly ttlMillis: number | null;
  /** Whether values are remembered over a restart; null: nothing was said. */
  readonly isOnDisk: boolean | null;
}

/** Whether an exchange or queue of any type is to drop duplicates. @throws BrokerError PRECONDITION_FAILED */
export function wantsDeduplication(args: FieldTable): boolean {
  const field = args.get('x-message-deduplication');
  if (field === undefined) return false;
  if (field.type !== 't') throw preconditionFailed("Invalid argument, 'x-message-deduplication' must be a boolean");
  return field.value === true;
}

/** @throws BrokerError PRECONDITION_FAILED [rabbitmq-message-deduplication] */
export function deduplicationArguments(args: FieldTable): DeduplicationArguments {
  const persistence = args.get('x-cache-persistence')?.value;
  if (persistence !== undefined && persistence !== 'disk' && persistence !== 'memory')
    throw preconditionFailed("Invalid argument, 'x-cache-persistence' must be either 'disk' or 'memory'");
  const header = args.get(deduplicationHeader)?.value ?? deduplicationHeader;
  if (typeof header !== 'string') throw preconditionFailed(`Invalid argument, '${deduplicationHeader}' must be a string`);
  const sizeMax = positive(args, 'x-cache-size');
  if (sizeMax !== null && sizeMax > cacheSizeMax)
    throw preconditionFailed(`Invalid argument, 'x-cache-size' must be at most ${cacheSizeMax}`);
  const isOnDisk = persistence === undefined ? null : persistence === 'disk';
  return { header, sizeMax, ttlMillis: positive(args, cacheTtlName), isOnDisk };
}

/** @throws BrokerError PRECONDITION_FAILED */
function positive(args: FieldTable, name: string): number | null {
  const field = args.get(name);
  if (field === undefined) return null;
  const value = positiveOf(field);
  if (value === null) throw preconditionFailed(`Invalid argument, '${name}' must be an integer greater than 0`);
  return value;
}

/** An integer above 0, also as text; null for anything else. */
export function positiveOf(field: Field | undefined): number | null {
  if (field === undefined) return null;
  const isText = typeof field.value === 'string' && /^\d{1,15}$/.test(field.value);
  const value = isInteger(field) || isText ? Number(field.value) : 0;
  return value > 0 ? value : null;
}
