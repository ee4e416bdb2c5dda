import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLinear } from './growth.ts';

let sink = 0;

function spin(steps: number): void {
  for (let i = 0; i < steps; i++) sink = (sink * 31 + i) | 0;
}

test('work that grows with its size passes, work that grows with its square does not', () => {
  assertLinear('linear', 1, size => spin(size * 100_000_000));
  assert.throws(() => assertLinear('quadratic', 8000, size => spin(size * size)), /quadratic: 4 times as much takes \d+\.\d times as long/);
});
