import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessRefused, BrokerError, notFound, preconditionFailed } from './broker-error.ts';

test('a broker error keeps the code and the bare text apart and joins them in its message', () => {
  const error = notFound("no queue 'q' in vhost '/'");
  assert.ok(error instanceof BrokerError);
  assert.ok(error instanceof Error);
  assert.equal(error.code, 'NOT_FOUND');
  assert.equal(error.text, "no queue 'q' in vhost '/'");
  assert.equal(error.message, "NOT_FOUND - no queue 'q' in vhost '/'");
  assert.equal(error.name, 'BrokerError');
});

test('each factory uses its own code', () => {
  assert.equal(accessRefused('x').code, 'ACCESS_REFUSED');
  assert.equal(preconditionFailed('x').code, 'PRECONDITION_FAILED');
});
