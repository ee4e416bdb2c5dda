import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Schedule } from './schedule.ts';

test('steps follow one another and begin again', () => {
  const schedule = new Schedule([
    { value: 100, seconds: 2 },
    { value: 0, seconds: 1 },
  ]);
  assert.deepEqual(
    [0, 1.9, 2, 2.9, 3, 5.5].map(at => schedule.at(at)),
    [100, 100, 0, 0, 100, 0],
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4, 6].map(at => schedule.total(at)),
    [0, 100, 200, 200, 300, 400],
  );
});

test('a constant is one step', () => {
  assert.deepEqual([Schedule.constant(50).at(7.3), Schedule.constant(50).total(10)], [50, 500]);
  assert.equal(Schedule.parse('variable-rate', [], 0, 1), null);
});
