import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLinear } from '../../../test/support/growth.ts';
import type { Json } from '../../base/field-table.ts';
import { parseRetryDelays, retriesMax, type RetryDelays, retryDelayMillisMax } from './retry-delays.ts';

function delays(value: Json): RetryDelays {
  const parsed = parseRetryDelays(value);
  return typeof parsed === 'string' ? assert.fail(parsed) : parsed;
}

function listed(value: Json, chance = 0.5): number[] {
  const parsed = delays(value);
  const list: number[] = [];
  for (let delay = parsed.delayAfter(0, chance); delay !== null; delay = parsed.delayAfter(list.length, chance)) list.push(delay);
  return list;
}

test('retry delays are a list of milliseconds or of times with a unit', () => {
  assert.deepEqual(listed('100,300,900'), [100, 300, 900]);
  assert.deepEqual(listed('1s,10s,1m'), [1000, 10_000, 60_000]);
  assert.deepEqual(listed(' 5 ms , 2h,1 d,0'), [5, 7_200_000, 86_400_000, 0]);
  assert.deepEqual(listed(250), [250]);
  assert.deepEqual(listed([250, '1s', `${retryDelayMillisMax}`]), [250, 1000, retryDelayMillisMax]);
  assert.equal(listed(Array.from({ length: retriesMax }, () => 1)).length, retriesMax);
});

test('exponential retry delays grow up to their ceiling', () => {
  assert.deepEqual(listed('exponential(first=1s,count=4)'), [1000, 2000, 4000, 8000]);
  assert.deepEqual(listed('exponential(first=100, factor=1.5, max=200, count=4)'), [100, 150, 200, 200]);
  assert.equal(listed(`exponential(first=1d,factor=100,max=40d,count=${retriesMax})`).at(-1), 40 * 86_400_000, 'without overflow');
});

test('jitter adds or takes away a part of each delay', () => {
  assert.deepEqual(listed('exponential(first=1s,count=2,jitter=20%)', 0), [800, 1600]);
  assert.deepEqual(listed('exponential(first=1s,count=2,jitter=0.2)', 1), [1200, 2400]);
  assert.deepEqual(listed('exponential(first=49d,count=1,max=49d,jitter=1)', 1), [retryDelayMillisMax]);
});

test('what is no list of times says why', () => {
  const wrong: Json[] = [
    '',
    ' ',
    ',',
    '1,,2',
    '-1',
    '1.5',
    '1y',
    'soon',
    `${retryDelayMillisMax + 1}`,
    '50d',
    retryDelayMillisMax + 1,
    -1,
    1.5,
    Number.NaN,
    true,
    null,
    {},
    [],
    [[1]],
    [null],
    Array.from({ length: retriesMax + 1 }, () => 1),
    'exponential()',
    'exponential(first=1s)',
    'exponential(count=3)',
    'exponential(first=1s,count=0)',
    `exponential(first=1s,count=${retriesMax + 1})`,
    'exponential(first=1s,count=1.5)',
    'exponential(first=1s,count=3,factor=0.5)',
    'exponential(first=1s,count=3,jitter=101%)',
    'exponential(first=1s,count=3,jitter=1.1)',
    'exponential(first=1s,count=3,count=3)',
    'exponential(first=1s,count=3,__proto__=3)',
    'exponential(first=1s,count=3=4)',
  ];
  for (const value of wrong) assert.equal(typeof parseRetryDelays(value), 'string', JSON.stringify(value));
});

test('a long text is read in time that grows with its length only', () => {
  assertLinear('blanks before', 100_000, size => void parseRetryDelays(`${' '.repeat(size)}1`));
  assertLinear('blanks within', 100_000, size => void parseRetryDelays(`exponential${' '.repeat(size)}(`));
  assertLinear('numbers', 100_000, size => void parseRetryDelays(`${'1 '.repeat(size)}`));
});
