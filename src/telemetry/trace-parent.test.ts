import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longstr } from '../base/field-table.ts';
import { parentOf, parseTraceParent } from './trace-parent.ts';

const trace = '0af7651916cd43dd8448eb211c80319c';
const span = 'b7ad6b7169203331';

test('a traceparent is read, and its sampled flag', () => {
  assert.deepEqual(parseTraceParent(`00-${trace}-${span}-01`), { traceId: trace, spanId: span, traceState: '', isSampled: true });
  assert.equal(parseTraceParent(`00-${trace}-${span}-00`)?.isSampled, false);
  assert.equal(parseTraceParent(`00-${trace}-${span}-03`)?.isSampled, true);
});

test('of versions to come the known part is read', () => {
  assert.equal(parseTraceParent(`01-${trace}-${span}-01-more`)?.spanId, span);
  assert.equal(parseTraceParent(`01-${trace}-${span}-01`)?.spanId, span);
});

for (const text of [
  '',
  'x',
  `ff-${trace}-${span}-01`,
  `00-${trace}-${span}-01-more`,
  `00-${'0'.repeat(32)}-${span}-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `00-${trace}-${span}`,
  `00-${trace}-${span}-1`,
  ` 00-${trace}-${span}-01`,
]) {
  test(`'${text}' is no traceparent`, () => assert.equal(parseTraceParent(text), null));
}

test('a tracestate comes along up to 512 characters', () => {
  const headers = (state: string) =>
    new Map([
      ['traceparent', longstr(`00-${trace}-${span}-01`)],
      ['tracestate', longstr(state)],
    ]);
  assert.equal(parentOf(headers('a=1'))?.traceState, 'a=1');
  assert.equal(parentOf(headers('a'.repeat(512)))?.traceState.length, 512);
  assert.equal(parentOf(headers('a'.repeat(513)))?.traceState, '');
});

test('headers of another kind are no parent', () => {
  assert.equal(parentOf(new Map([['traceparent', { type: 'I', value: 5 }]])), null);
  assert.equal(parentOf(new Map()), null);
});
