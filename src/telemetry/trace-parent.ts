import type { FieldTable } from '../base/field-table.ts';
import type { SpanContext } from './span.ts';

/** The span a message was published in, as its headers say. */
export interface RemoteParent extends SpanContext {
  readonly isSampled: boolean;
}

/** Longer ones are not passed on. [W3C trace context: tracestate, limits] */
const traceStateLengthMax = 512;

/** What `traceparent` and `tracestate` of a message's headers say; null when there is no parent, or what there is cannot be read. */
export function parentOf(headers: FieldTable): RemoteParent | null {
  const parent = parseTraceParent(textOf(headers, 'traceparent'));
  if (parent === null) return null;
  const traceState = textOf(headers, 'tracestate');
  return { ...parent, traceState: traceState.length <= traceStateLengthMax ? traceState : '' };
}

/** [W3C trace context: traceparent] Of versions to come the known part counts. */
export function parseTraceParent(text: string): RemoteParent | null {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text);
  if (match === null) return null;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, traceState: '', isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

function textOf(headers: FieldTable, name: string): string {
  const value = headers.get(name)?.value;
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('latin1') : '';
}
