import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLinear } from './growth.ts';

let sink = 0;

function spin(steps: number): void {
  for (let i = 0; i < steps; i++) sink = (sink * 31 + i) | 0;
}

test('work that grows with its size passes, work that grows with a power of it does not', () => {
  assertLinear('linear', 100, size => spin(size * 1_000_000));
  assert.throws(() => assertLinear('cubic', 400, size => spin(size ** 3)), /cubic: 4 times as much takes \d+\.\d times as long/);
});
