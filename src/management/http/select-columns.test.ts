import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectColumns } from './select-columns.ts';

const queue = {
  name: 'q',
  arguments: { a: 1, b: 2 },
  stats: { publish: 3, details: { rate: 0.5, samples: [1] } },
  consumers: [{ tag: 't', ack: true }],
};

test('columns reduce an object to what is named, also below', () => {
  assert.deepEqual(selectColumns(null)(queue), queue);
  assert.deepEqual(selectColumns('')(queue), queue);
  assert.deepEqual(selectColumns('name')(queue), { name: 'q' });
  assert.deepEqual(selectColumns('name,stats.details.rate')(queue), { name: 'q', stats: { details: { rate: 0.5 } } });
  assert.deepEqual(selectColumns('stats,stats.publish')(queue), { stats: queue.stats }, 'the whole goes before a part');
  assert.deepEqual(selectColumns('consumers.tag')(queue), { consumers: [{ tag: 't' }] });
  assert.deepEqual(selectColumns('nope,arguments.nope')(queue), { arguments: {} });
});

test('names of an object prototype are no columns', () => {
  assert.deepEqual(selectColumns('__proto__,constructor,toString')(queue), {});
  assert.deepEqual(selectColumns('name.length')(queue), { name: 'q' });
});
