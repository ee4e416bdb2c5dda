import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BrokerError } from '../broker-error.ts';
import type { PolicyParts } from '../definitions/policy-check.ts';
import type { MetadataChange } from '../ports/metadata-journal.ts';
import { Policies } from './policies.ts';
import type { PolicyChange } from './policy-change.ts';
import { isPolicyChange } from './policy-change.ts';

const parts = (pattern: string, definition: PolicyParts['definition'], more: Partial<PolicyParts> = {}): PolicyParts => ({
  pattern,
  definition,
  ...more,
});

describe('which policy applies', () => {
  test('the one of the highest priority whose pattern matches anywhere in the name', () => {
    const policies = new Policies();
    policies.put('policy', '/', 'low', parts('orders', { 'max-length': 1 }, { priority: -1 }));
    policies.put('policy', '/', 'high', parts('^orders\\.eu', { 'max-length': 2 }, { priority: 5 }));
    const of = (name: string): string | null => policies.effective('/', 'classic_queues', name).policy;
    assert.equal(of('orders.eu.1'), 'high');
    assert.equal(of('my.orders'), 'low');
    assert.equal(of('other'), null);
    assert.equal(policies.effective('other vhost', 'classic_queues', 'orders').policy, null);
  });

  test('among equal priorities the first by name, in whatever order they were made', () => {
    for (const names of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const policies = new Policies();
      for (const name of names) policies.put('policy', '/', name, parts('', { expires: 9 }));
      assert.equal(policies.effective('/', 'streams', 'q').policy, null);
      assert.equal(policies.effective('/', 'classic_queues', 'q').policy, 'a');
    }
  });

  test('only one that is meant for such a thing', () => {
    const policies = new Policies();
    const targets = ['all', 'exchanges', 'queues', 'classic_queues', 'quorum_queues', 'streams'] as const;
    for (const applyTo of targets) policies.put('policy', '/', applyTo, parts(`^${applyTo}$`, { 'max-length-bytes': 9 }, { applyTo }));
    const applied = (kind: 'exchanges' | 'classic_queues' | 'quorum_queues' | 'streams'): string[] =>
      targets.filter(name => policies.effective('/', kind, name).policy === name);
    assert.deepEqual(applied('exchanges'), ['all', 'exchanges']);
    assert.deepEqual(applied('classic_queues'), ['all', 'queues', 'classic_queues']);
    assert.deepEqual(applied('quorum_queues'), ['all', 'queues', 'quorum_queues']);
    assert.deepEqual(applied('streams'), ['all', 'queues', 'streams']);
  });

  test('none with a setting that the queue type does not know', () => {
    const policies = new Policies();
    policies.put('policy', '/', 'aged', parts('', { 'max-age': '1D', 'max-length-bytes': 5 }, { priority: 9 }));
    policies.put('policy', '/', 'short', parts('', { 'max-length': 5 }));
    policies.put('policy', '/', 'mirrored', parts('^m', { 'ha-mode': 'all' }, { priority: 1 }));
    assert.equal(policies.effective('/', 'streams', 'q').policy, 'aged');
    assert.equal(policies.effective('/', 'classic_queues', 'q').policy, 'short');
    assert.equal(policies.effective('/', 'classic_queues', 'm').policy, 'mirrored');
    assert.equal(policies.effective('/', 'quorum_queues', 'm').policy, 'short');
  });
});

test('an operator policy is merged over the policy: limits by the lesser value', () => {
  const policies = new Policies();
  policies.put('policy', '/', 'p', parts('', { 'max-length': 10, 'message-ttl': 5, 'queue-version': 2, 'dead-letter-exchange': 'x' }));
  policies.put('operator_policy', '/', 'o', parts('', { 'max-length': 20, 'message-ttl': 4, 'queue-version': 1, expires: 7 }));
  assert.deepEqual(policies.effective('/', 'classic_queues', 'q'), {
    policy: 'p',
    operatorPolicy: 'o',
    definition: { 'max-length': 10, 'message-ttl': 4, 'queue-version': 1, 'dead-letter-exchange': 'x', expires: 7 },
  });
  assert.deepEqual(policies.effective('/', 'exchanges', 'e').operatorPolicy, 'o');
  policies.put('policy', '/', 'p', parts('', { 'delivery-limit': -1, overflow: 'drop-head' }));
  policies.put('operator_policy', '/', 'o', parts('', { 'delivery-limit': 3, overflow: 'reject-publish', 'target-group-size': 3 }));
  assert.deepEqual(policies.effective('/', 'quorum_queues', 'q').definition, {
    'delivery-limit': 3,
    overflow: 'reject-publish',
    'target-group-size': 3,
  });
});

test("what is no policy is refused with RabbitMQ's text", () => {
  const policies = new Policies();
  assert.throws(
    () => policies.put('policy', '/', 'p', parts('.*', { bogus: 10 })),
    (error: unknown) =>
      error instanceof BrokerError &&
      error.code === 'PRECONDITION_FAILED' &&
      error.text === 'Validation failed\n\n[{<<"bogus">>,10}] are not recognised policy settings\n',
  );
  assert.throws(() => policies.put('policy', '/', 'p', parts('(', { expires: 10 })), /pattern should be regular expression but is invalid/);
  assert.throws(() => policies.put('operator_policy', '/', 'p', parts('', { 'dead-letter-exchange': '' })), /not recognised/);
  assert.deepEqual(policies.list('policy'), []);
});

test('policies can be asked for, listed and deleted', () => {
  const policies = new Policies();
  assert.equal(policies.put('policy', '/', 'a', parts('a', { expires: 1 })), true);
  assert.equal(policies.put('policy', '/', 'a', parts('b', { expires: 2 }, { priority: 3, applyTo: 'queues' })), false);
  policies.put('operator_policy', '/', 'a', parts('c', { expires: 3 }));
  policies.put('policy', 'v', 'b', parts('d', { expires: 4 }));
  assert.deepEqual(policies.get('policy', '/', 'a'), {
    vhost: '/',
    name: 'a',
    pattern: 'b',
    applyTo: 'queues',
    definition: { expires: 2 },
    priority: 3,
  });
  assert.deepEqual(
    policies.list('policy').map(({ vhost, name }) => [vhost, name]),
    [
      ['/', 'a'],
      ['v', 'b'],
    ],
  );
  assert.deepEqual(
    policies.list('policy', 'v').map(({ name }) => name),
    ['b'],
  );
  assert.deepEqual(
    policies.list('operator_policy').map(({ pattern }) => pattern),
    ['c'],
  );
  assert.equal(policies.delete('policy', '/', 'a'), true);
  assert.equal(policies.delete('policy', '/', 'a'), false);
  assert.equal(policies.get('operator_policy', '/', 'a')?.pattern, 'c');
  policies.vhostDeleted('/');
  assert.deepEqual(policies.list('operator_policy'), []);
});

test('replaying the journal or a snapshot gives the same state', () => {
  const journal: MetadataChange[] = [];
  const policies = new Policies({ record: change => void journal.push(structuredClone(change)) });
  policies.put('policy', '/', 'a', parts('a', { expires: 1 }));
  policies.put('operator_policy', '/', 'b', parts('b', { expires: 2 }, { priority: 7 }));
  policies.put('policy', 'v', 'c', parts('c', { expires: 3 }));
  policies.delete('policy', '/', 'a');
  policies.vhostDeleted('v');
  const replay = (changes: readonly MetadataChange[]): PolicyChange[] => {
    const replica = new Policies();
    for (const change of changes) if (isPolicyChange(change)) replica.apply(change);
    return replica.snapshot();
  };
  assert.equal(policies.snapshot().length, 1);
  assert.deepEqual(replay(journal), policies.snapshot());
  assert.deepEqual(replay([...journal, ...journal]), policies.snapshot());
  assert.deepEqual(replay(policies.snapshot()), policies.snapshot());
});

test('a change concerns what has the policy and what its pattern matches', () => {
  const policies = new Policies();
  const changes: PolicyChange[] = [];
  policies.onChange(change => changes.push(change));
  policies.put('policy', '/', 'p', parts('^a', { expires: 1 }));
  const before = policies.effective('/', 'classic_queues', 'a1');
  const none = policies.effective('/', 'classic_queues', 'b1');
  policies.put('policy', '/', 'p', parts('^b', { expires: 1 }));
  policies.delete('policy', '/', 'p');
  const [first, second, third] = changes as [PolicyChange, PolicyChange, PolicyChange];
  policies.apply(first);
  assert.equal(policies.concerns(first, none, 'classic_queues', 'a1'), true);
  assert.equal(policies.concerns(first, none, 'streams', 'a1'), false);
  policies.apply(second);
  assert.equal(policies.concerns(second, before, 'classic_queues', 'a1'), true);
  assert.equal(policies.concerns(second, none, 'classic_queues', 'b1'), true);
  assert.equal(policies.concerns(second, none, 'classic_queues', 'c1'), false);
  policies.apply(third);
  assert.equal(policies.concerns(third, before, 'classic_queues', 'a1'), true);
  assert.equal(policies.concerns(third, none, 'classic_queues', 'b1'), false);
});
