import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableFromJson } from '../../../base/field-table.ts';
import { argumentsHash } from './arguments-hash.ts';

test("a binding's arguments have the hash that RabbitMQ gives them", () => {
  // Recorded from RabbitMQ 3.10.
  assert.equal(argumentsHash(tableFromJson({ z: 1 })), 'e_RnAw');
  assert.equal(argumentsHash(tableFromJson({ 'x-match': 'all', b: 1, a: 's', f: 1.5, t: true })), '1ihUSQ');
  const nested = { neg: -7, big: 12_345_678_901, big2: -12_345_678_901, x: [1, 'z', true], o: { a: 1 } };
  assert.equal(argumentsHash(tableFromJson(nested)), '7M2TSA');
});
