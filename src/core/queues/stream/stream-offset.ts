import type { Field, FieldTable } from '../../../base/field-table.ts';
import { fieldTypeName, isInteger } from '../../../base/field-table.ts';
import { preconditionFailed } from '../../broker-error.ts';
import { erlangValue } from '../../erlang-field.ts';
import type { StreamFilter, StreamStart } from '../../ports/stream-log.ts';
import { queueTerm } from '../../resource-name.ts';
import { ageMillis } from './stream-age.ts';

/**
 * Where a consumer begins: x-stream-offset is a word, an offset, a time, or how long ago (`1h`). Without it: with what comes next.
 * [RabbitMQ docs: streams, consuming]
 * @throws BrokerError PRECONDITION_FAILED for anything else
 */
export function streamStart(args: FieldTable, queueName: string, vhostName: string, wallMillis: number): StreamStart {
  const field = args.get('x-stream-offset');
  if (field === undefined) return { kind: 'next' };
  const start = startOf(field, wallMillis);
  if (start !== null) return start;
  throw preconditionFailed(
    `invalid arg 'x-stream-offset' for ${queueTerm(queueName, vhostName)}: {invalid_stream_offset_arg,{${fieldTypeName(field)},${erlangValue(field)}}}`,
  );
}

function startOf(field: Field, wallMillis: number): StreamStart | null {
  const { type, value } = field;
  if (value === 'first' || value === 'last' || value === 'next') return { kind: value };
  if (type === 'T') return { kind: 'time', wallMillis: Number(value) * 1000 };
  if (isInteger(field)) return { kind: 'offset', offset: Math.max(0, Number(value)) };
  if (type !== 'S' || typeof value !== 'string') return null;
  const millis = ageMillis(value);
  return millis === null ? null : { kind: 'time', wallMillis: wallMillis - millis };
}

/** Each chunk is asked for each of them. */
const filterValuesMax = 1000;

/**
 * What a consumer wants to see: x-stream-filter is a value or a list of them; null without it. [RabbitMQ docs: stream filtering]
 * @throws BrokerError PRECONDITION_FAILED for more values than anyone may ask for
 */
export function streamFilter(args: FieldTable, queueName: string, vhostName: string): StreamFilter | null {
  const field = args.get('x-stream-filter');
  if (field === undefined) return null;
  const values: string[] = [];
  for (const { type, value } of field.type === 'A' ? (field.value as Field[]) : [field]) {
    if (type === 'S' && typeof value === 'string') values.push(value);
  }
  if (field.type !== 'A' && values.length === 0) return null;
  if (values.length > filterValuesMax) {
    const term = queueTerm(queueName, vhostName);
    throw preconditionFailed(`invalid arg 'x-stream-filter' for ${term}: "more than ${filterValuesMax} values"`);
  }
  return { values, matchesUnfiltered: args.get('x-stream-match-unfiltered')?.value === true };
}
