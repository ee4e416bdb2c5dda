import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Queue } from '../core/queues/queue.ts';
import { type HeldSpan, HeldSpans } from './held-spans.ts';

const queue = {} as Queue;
const other = {} as Queue;

function held(spanId: string, bytes = 1): HeldSpan {
  return { above: { traceId: 't', spanId, traceState: '' }, bytes, sinceMillis: 0, delivery: null };
}

test('a span is found by its queue and place, and only for a message of its size', () => {
  const spans = new HeldSpans(10);
  spans.add(queue, 1, held('a'));
  spans.add(other, 1, held('b'));
  assert.equal(spans.find(queue, 1, 1)?.above.spanId, 'a');
  assert.equal(spans.find(other, 1, 1)?.above.spanId, 'b');
  assert.equal(spans.find(queue, 2, 1), null);
  assert.equal(spans.find(queue, 1, 2), null);
  spans.remove(queue, 1);
  assert.equal(spans.find(queue, 1, 1), null);
});

test('of more than there is room for the oldest are forgotten', () => {
  const spans = new HeldSpans(3);
  for (let place = 1; place <= 4; place++) spans.add(queue, place, held(String(place)));
  assert.equal(spans.find(queue, 1, 1), null);
  assert.deepEqual(
    [2, 3, 4].map(place => spans.find(queue, place, 1)?.above.spanId),
    ['2', '3', '4'],
  );
  assert.equal(spans.count, 3);
});

test('forgetting an old span leaves the one that has its place now', () => {
  const spans = new HeldSpans(2);
  spans.add(queue, 1, held('old'));
  spans.add(queue, 1, held('new'));
  spans.add(queue, 2, held('more'));
  assert.equal(spans.find(queue, 1, 1)?.above.spanId, 'new');
});
