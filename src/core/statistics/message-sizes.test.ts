import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageSizeBounds, MessageSizes } from './message-sizes.ts';

test('a message counts in the class whose bound it does not exceed', () => {
  for (const [index, bound] of messageSizeBounds.entries()) {
    const sizes = new MessageSizes();
    sizes.add(bound);
    sizes.add(bound + 1);
    assert.deepEqual(
      Array.from(sizes.counts),
      Array.from(sizes.counts, (_, at) => (at === index || at === index + 1 ? 1 : 0)),
    );
    assert.equal(sizes.bytes, 2 * bound + 1);
  }
});

test('an empty message counts in the first class', () => {
  const sizes = new MessageSizes();
  sizes.add(0);
  assert.equal(sizes.counts[0], 1);
});
