import assert from 'node:assert/strict';
import { test } from 'node:test';
import { long, longstr } from '../../src/base/field-table.ts';
import { exchangeTypes } from '../../src/server/registry.ts';
import * as exchangeType from './exchange-type.contract.ts';

const contracts: readonly exchangeType.ExchangeTypeContract[] = [
  {
    type: 'direct',
    binding: i => ({ key: 'k', arguments: new Map([['i', longstr(String(i))]]) }),
    message: () => ({ key: 'k' }),
    fansOut: true,
  },
  { type: 'fanout', binding: i => ({ key: String(i) }), message: i => ({ key: String(i * 7) }), fansOut: true },
  {
    type: 'topic',
    binding: i => ({ key: ['#', '*.b.#', 'a.*', 'a.#.#'][i % 4] as string, arguments: new Map([['i', longstr(String(i))]]) }),
    message: () => ({ key: 'a.b' }),
    fansOut: true,
  },
  {
    type: 'headers',
    binding: i => ({ key: String(i), arguments: new Map([['a', longstr('1')]]) }),
    message: () => ({ properties: { headers: new Map([['a', longstr('1')]]) } }),
    fansOut: true,
  },
  { type: 'x-consistent-hash', binding: i => ({ key: String(i + 1) }), message: i => ({ key: String(i) }), fansOut: false },
  {
    type: 'x-consistent-hash',
    arguments: new Map([['hash-header', longstr('h')]]),
    binding: i => ({ key: String(i + 1) }),
    message: i => ({ properties: { headers: new Map([['h', longstr(String(i))]]) } }),
    fansOut: false,
  },
  {
    type: 'x-consistent-hash',
    arguments: new Map([['hash-property', longstr('message_id')]]),
    binding: i => ({ key: String(i + 1) }),
    message: i => ({ properties: { messageId: String(i) } }),
    fansOut: false,
  },
  { type: 'x-modulus-hash', binding: i => ({ key: String(i) }), message: i => ({ key: String(i) }), fansOut: false },
  { type: 'x-random', binding: i => ({ key: String(i) }), message: i => ({ key: String(i) }), fansOut: false },
  {
    type: 'x-local-random',
    binding: i => ({ key: '', arguments: new Map([['i', longstr(String(i))]]) }),
    message: i => ({ key: String(i) }),
    fansOut: false,
    skip: [
      {
        reason: 'it binds queues only',
        tests: ['an exchange can be bound, and passes on', 'a circle of exchanges ends'],
      },
    ],
  },
  {
    type: 'x-recent-history',
    binding: i => ({ key: String(i) }),
    message: i => ({ key: String(i) }),
    fansOut: true,
    skip: [
      {
        reason: 'a queue that is bound later gets what came before, and counts twice what was routed at once',
        tests: ['the alternate exchange gets what is not routed, and nothing else'],
      },
    ],
  },
  ...['direct', 'topic', 'headers'].map(inner => ({
    type: 'x-delayed-message',
    arguments: new Map([['x-delayed-type', longstr(inner)]]),
    binding: (i: number) => ({
      key: 'k',
      arguments: new Map([
        ['a', longstr('1')],
        ['x-i', longstr(String(i))],
      ]),
    }),
    message: () => ({ key: 'k', properties: { headers: new Map([['a', longstr('1')]]) } }),
    fansOut: true,
  })),
  {
    type: 'x-message-deduplication',
    arguments: new Map([['x-cache-size', long(100)]]),
    binding: i => ({ key: String(i) }),
    message: i => ({ key: String(i) }),
    fansOut: true,
  },
];

for (const contract of contracts) exchangeType.run(contract);

test('every exchange type of the registry keeps the contract', () => {
  const tested = new Set(contracts.map(({ type }) => type));
  assert.deepEqual(
    exchangeTypes.map(({ name }) => name).filter(name => !tested.has(name)),
    [],
  );
});
