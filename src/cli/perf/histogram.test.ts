import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from './histogram.ts';

test('quantiles are within 4 % of the exact ones, from microseconds to minutes', () => {
  const histogram = new Histogram();
  const values = Array.from({ length: 20_000 }, (_, index) => Math.floor(1.001 ** index % 60_000_000) + index);
  for (const value of values) histogram.add(value);
  values.sort((a, b) => a - b);
  for (const part of [0, 0.01, 0.5, 0.75, 0.95, 0.99, 0.999, 1]) {
    const exact = values[Math.max(0, Math.ceil(part * values.length) - 1)] as number;
    const given = histogram.quantile(part);
    assert.ok(given >= exact && given <= exact * 1.04 + 1, `${part}: ${given} for ${exact}`);
  }
  assert.equal(histogram.min, values[0]);
  assert.equal(histogram.max, values.at(-1));
});

test('what is out of all bounds is counted, and nothing is a quantile of nothing', () => {
  const histogram = new Histogram();
  assert.equal(histogram.quantile(0.5), 0);
  for (const value of [-5, 0, 1e18]) histogram.add(value);
  assert.equal(histogram.count, 3);
  assert.equal(histogram.quantile(0.5), 0);
  histogram.clear();
  assert.equal(histogram.count, 0);
  assert.equal(histogram.mean, 0);
});
