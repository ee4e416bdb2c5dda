import assert from 'node:assert/strict';
import { test } from 'node:test';
import { booleanOf, integerOf, objectOf, parseJsonBody, requireKeys } from './json-body.ts';
import { HttpError } from './reply.ts';

function reason(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof HttpError);
    assert.equal(error.status, 400);
    return error.reason;
  }
  assert.fail('nothing was thrown');
}

test('a body is a JSON object or nothing', () => {
  assert.deepEqual(parseJsonBody(''), {});
  assert.deepEqual(parseJsonBody(' {"a":1} '), { a: 1 });
  assert.equal(
    reason(() => parseJsonBody('{bad')),
    'not_json',
  );
  assert.equal(
    reason(() => parseJsonBody('[]')),
    'not_json',
  );
  assert.match(String(reason(() => parseJsonBody('"{}"'))), /doubly-JSON-encoded/);
});

test('hostile shapes are refused', () => {
  assert.match(String(reason(() => parseJsonBody(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`))), /nested deeper/);
  assert.match(String(reason(() => parseJsonBody('{"__proto__":{"x":1}}'))), /__proto__/);
});

test('missing keys are listed as Erlang lists them', () => {
  assert.equal(
    reason(() => requireKeys({ a: 1 }, ['a', 'b'])),
    '[{key_missing,b}]',
  );
  assert.equal(
    reason(() => requireKeys({}, ['routing_key', 'properties', 'payload', 'payload_encoding'])),
    '[{key_missing,routing_key},\n {key_missing,properties},\n {key_missing,payload},\n {key_missing,payload_encoding}]',
  );
});

test('booleans and integers may be written as texts', () => {
  assert.equal(booleanOf({ a: 'true' }, 'a', false), true);
  assert.equal(booleanOf({}, 'a', true), true);
  assert.deepEqual(
    reason(() => booleanOf({ a: 'maybe' }, 'a', false)),
    ['not_boolean', 'maybe'],
  );
  assert.equal(integerOf('-5'), -5);
  assert.equal(integerOf(1.9), 1);
  assert.deepEqual(
    reason(() => integerOf('x')),
    ['not_integer', 'x'],
  );
  assert.deepEqual(objectOf({ a: [] }, 'a'), {});
  assert.match(String(reason(() => objectOf({ a: [1] }, 'a'))), /should be an object/);
});
