import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../base/field-table.ts';
import { tableFromJson, tableToJson } from '../../base/field-table.ts';
import { effectiveArguments } from './effective-policy.ts';
import type { PolicyKind } from './policy-keys.ts';
import { policyKeys } from './policy-keys.ts';

const merge = (kind: PolicyKind, args: Record<string, Json>, definition: Record<string, Json>): Record<string, Json> =>
  tableToJson(effectiveArguments(kind, tableFromJson(args), definition));

describe('effectiveArguments', () => {
  test('a policy says what the arguments do not', () => {
    assert.deepEqual(
      merge('classic_queues', { 'x-max-priority': 5 }, { 'message-ttl': 60, 'dead-letter-exchange': '', 'dead-letter-routing-key': 'k' }),
      { 'x-max-priority': 5, 'x-message-ttl': 60, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'k' },
    );
    assert.deepEqual(merge('exchanges', {}, { 'alternate-exchange': 'ae' }), { 'alternate-exchange': 'ae' });
  });

  test('of two limits the lower holds', () => {
    const keys = ['message-ttl', 'expires', 'max-length', 'max-length-bytes', 'delivery-limit', 'consumer-timeout'];
    for (const key of keys) {
      const argument = policyKeys.get(key)?.argument as string;
      assert.equal(merge('classic_queues', { [argument]: 5 }, { [key]: 6 })[argument], 5, key);
      assert.equal(merge('classic_queues', { [argument]: 6 }, { [key]: 5 })[argument], 5, key);
    }
    assert.deepEqual(merge('quorum_queues', { 'x-delivery-limit': -1 }, { 'delivery-limit': 6 }), { 'x-delivery-limit': 6 });
    assert.deepEqual(merge('quorum_queues', { 'x-delivery-limit': 6 }, { 'delivery-limit': -1 }), { 'x-delivery-limit': 6 });
    assert.deepEqual(merge('quorum_queues', {}, { 'delivery-limit': -1 }), { 'x-delivery-limit': -1 });
  });

  test('otherwise the argument goes before the policy', () => {
    assert.deepEqual(
      merge(
        'classic_queues',
        { 'x-dead-letter-exchange': 'own', 'x-overflow': 'drop-head' },
        { 'dead-letter-exchange': 'p', overflow: 'reject-publish' },
      ),
      { 'x-dead-letter-exchange': 'own', 'x-overflow': 'drop-head' },
    );
    assert.deepEqual(merge('exchanges', { 'alternate-exchange': 'own' }, { 'alternate-exchange': 'p' }), { 'alternate-exchange': 'own' });
  });

  test('for streams, and for the overflow of quorum queues, the policy goes first', () => {
    assert.deepEqual(merge('streams', { 'x-max-age': '1h', 'x-max-length-bytes': 5 }, { 'max-age': '1D', 'max-length-bytes': 6 }), {
      'x-max-age': '1D',
      'x-max-length-bytes': 6,
    });
    assert.deepEqual(merge('quorum_queues', { 'x-overflow': 'drop-head' }, { overflow: 'reject-publish' }), {
      'x-overflow': 'reject-publish',
    });
  });

  test('settings without an argument and settings nobody knows change nothing', () => {
    assert.deepEqual(merge('classic_queues', {}, { 'ha-mode': 'all', 'queue-mode': 'lazy', constructor: 1 }), {});
  });
});
