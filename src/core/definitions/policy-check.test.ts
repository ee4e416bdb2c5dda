import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../base/field-table.ts';
import { erlangTerm } from './erlang-term.ts';
import { policyProblems, validationFailed } from './policy-check.ts';
import type { PolicyRank } from './policy-settings.ts';
import { obsoleteSettings } from './policy-settings.ts';

const of = (definition: Json, rank: PolicyRank = 'policy'): string[] => policyProblems('p', { pattern: '^q', definition }, rank);

describe('policyProblems', () => {
  test("settings and their values are checked with RabbitMQ's texts", () => {
    const cases: [Json, string | null][] = [
      [{ 'max-length': 10 }, null],
      [
        {
          'max-length': 0,
          'max-length-bytes': 5,
          overflow: 'reject-publish',
          'dead-letter-exchange': '',
          'alternate-exchange': 'ae',
          expires: 1,
        },
        null,
      ],
      [{ 'delivery-limit': -1 }, null],
      [{ bogus: 10 }, '[{<<"bogus">>,10}] are not recognised policy settings'],
      [{ foo: 'bar', 'max-length': 1 }, '[{<<"foo">>,<<"bar">>}] are not recognised policy settings'],
      [{ foo: 'bar', 'max-length': -1 }, '-1 is not a valid maximum length'],
      [{ 'message-ttl': '10' }, '<<"10">> is not a valid message TTL'],
      [{ 'message-ttl': 1.5 }, '1.5 is not a valid message TTL'],
      [{ expires: 0 }, '0 is not a valid queue expiry'],
      [{ overflow: 'burst' }, '<<"burst">> is not a valid overflow value'],
      [{ 'dead-letter-exchange': 5 }, '5 is not a valid dead letter exchange name'],
      [{ 'queue-mode': 'busy' }, '<<"busy">> is not a valid queue-mode value'],
      [{ 'queue-version': 3 }, '3 is not a valid queue-version value'],
      [{ 'max-age': '1 day' }, '<<"1 day">> is not a valid max age'],
      [{ 'ha-mode': 'all', 'ha-params': 2 }, null],
      [{ toString: 1 }, '[{<<"toString">>,1}] are not recognised policy settings'],
      [{}, 'no policy provided'],
      [[], 'no policy provided'],
      [[1], 'definition must be a dictionary: [1]'],
      ['x', 'definition must be a dictionary: <<"x">>'],
    ];
    for (const [definition, problem] of cases) assert.deepEqual(of(definition), problem === null ? [] : [problem]);
  });

  test('operators may set less than others', () => {
    assert.deepEqual(of({ 'max-length': 1, expires: 5, 'queue-version': 2 }, 'operator_policy'), []);
    assert.deepEqual(of({ 'dead-letter-exchange': 'x' }, 'operator_policy'), [
      '[{<<"dead-letter-exchange">>,<<"x">>}] are not recognised policy settings',
    ]);
  });

  test('pattern, priority and target are checked', () => {
    const definition = { expires: 1 };
    assert.deepEqual(policyProblems('p', { definition }, 'policy'), ['Key "pattern" not found in p']);
    assert.deepEqual(policyProblems('p', { pattern: '.*' }, 'policy'), ['Key "definition" not found in p']);
    assert.deepEqual(policyProblems('p', { pattern: 5, definition }, 'policy'), ['pattern should be a binary but was 5']);
    assert.deepEqual(policyProblems('p', { pattern: '*', definition }, 'policy'), [
      'pattern should be regular expression but is invalid: nothing to repeat',
    ]);
    assert.deepEqual(policyProblems('p', { pattern: '.*', definition, priority: '1' }, 'policy'), [
      'priority should be a number, actually was <<"1">>',
    ]);
    for (const applyTo of ['all', 'exchanges', 'queues', 'classic_queues', 'quorum_queues', 'streams'])
      assert.deepEqual(policyProblems('p', { pattern: '.*', definition, applyTo }, 'policy'), []);
    assert.equal(policyProblems('p', { pattern: '.*', definition, applyTo: 'cats' }, 'policy').length, 1);
  });

  test('problems are told in the form of RabbitMQ', () => {
    assert.equal(validationFailed(of({ bogus: 10 })), 'Validation failed\n\n[{<<"bogus">>,10}] are not recognised policy settings\n');
  });

  test('settings of mirrored queues are known to do nothing', () => {
    assert.deepEqual(obsoleteSettings({ 'ha-mode': 'all', 'max-length': 1, 'ha-sync-mode': 'automatic' }), ['ha-mode', 'ha-sync-mode']);
  });
});

test("values are printed as Erlang's", () => {
  const cases: [Json, string][] = [
    ['a"b\\c\n', '<<"a\\"b\\\\c\\n">>'],
    ['', '<<>>'],
    ['é', '<<"é"/utf8>>'],
    [10, '10'],
    [-1.5, '-1.5'],
    [null, 'null'],
    [true, 'true'],
    [[], '[]'],
    [[1, 'a'], '[1,<<"a">>]'],
    [[97, 98], '"ab"'],
    [{ a: 1, b: [] }, '#{<<"a">> => 1,<<"b">> => []}'],
    [1e20, '100000000000000000000'],
  ];
  for (const [value, text] of cases) assert.equal(erlangTerm(value), text);
});
