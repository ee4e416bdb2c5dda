import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Field, FieldTable, Json } from './field-table.ts';
import {
  array,
  bool,
  fieldToJson,
  fieldTypeName,
  int,
  isInteger,
  long,
  longstr,
  matchingField,
  sameField,
  sameTable,
  table,
  tableFromJson,
  tableToJson,
  timestamp,
  voidField,
} from './field-table.ts';

const binary = (...bytes: number[]): Field => ({ type: 'x', value: Uint8Array.from(bytes) });

test('types have the names of the error texts', () => {
  const names = Array.from('tbBsuIilfdDSATFVx', type => fieldTypeName({ type, value: 0 } as Field));
  assert.equal(
    names.join(' '),
    'bool byte unsignedbyte short unsignedshort signedint unsignedint long float double decimal longstr array timestamp table void binary',
  );
});

test('the integers are the seven integer types, timestamps are none', () => {
  assert.equal(
    Array.from('tbBsuIilfdDSATFVx')
      .filter(type => isInteger({ type, value: 0 } as Field))
      .join(''),
    'bBsuIil',
  );
});

const same: [Field, Field][] = [
  [{ type: 'b', value: 5 }, long(5)],
  [int(5), { type: 'u', value: 5 }],
  [long(2n ** 60n), long(2n ** 60n)],
  [
    { type: 'f', value: 0.5 },
    { type: 'd', value: 0.5 },
  ],
  [
    { type: 'd', value: Number.NaN },
    { type: 'd', value: Number.NaN },
  ],
  [longstr('a'), longstr('a')],
  [binary(1, 2), binary(1, 2)],
  [
    { type: 'D', value: { scale: 1, value: 2 } },
    { type: 'D', value: { value: 2, scale: 1 } },
  ],
  [voidField, { type: 'V', value: null }],
  [array([int(1), longstr('a')]), array([long(1), longstr('a')])],
  [
    table(
      new Map([
        ['a', int(1)],
        ['b', bool(true)],
      ]),
    ),
    table(
      new Map([
        ['b', bool(true)],
        ['a', long(1)],
      ]),
    ),
  ],
];

const different: [Field, Field][] = [
  [int(5), int(6)],
  [int(5), longstr('5')],
  [int(5), timestamp(5)],
  [int(1), bool(true)],
  [int(1), { type: 'd', value: 1 }],
  [longstr('a'), binary(0x61)],
  [longstr('a'), longstr('b')],
  [{ type: 'S', value: Uint8Array.of(0xff) }, longstr('a')],
  [binary(1, 2), binary(1)],
  [binary(1), binary(2)],
  [
    { type: 'D', value: { scale: 1, value: 2 } },
    { type: 'D', value: { scale: 2, value: 2 } },
  ],
  [voidField, bool(false)],
  [array([int(1)]), array([int(1), int(1)])],
  [array([int(1)]), array([int(2)])],
  [table(new Map([['a', int(1)]])), table(new Map([['b', int(1)]]))],
  [table(new Map([['a', int(1)]])), table(new Map())],
];

test('fields of one class of type and one value are the same', () => {
  for (const [a, b] of same) {
    assert.ok(sameField(a, b), `${fieldTypeName(a)} and ${fieldTypeName(b)}`);
    assert.ok(sameField(b, a), `${fieldTypeName(b)} and ${fieldTypeName(a)}`);
  }
});

test('fields of another value or another class of type are not the same', () => {
  for (const [a, b] of different) {
    assert.ok(!sameField(a, b), `${fieldTypeName(a)} and ${fieldTypeName(b)}`);
    assert.ok(!sameField(b, a), `${fieldTypeName(b)} and ${fieldTypeName(a)}`);
  }
});

test('a header matches by its value, whatever the type of a number or text', () => {
  const one: Field[] = [int(1), long(1), long(1n), timestamp(1), { type: 'd', value: 1 }, { type: 'B', value: 1 }];
  for (const a of one) for (const b of one) assert.ok(matchingField(a, b), `${a.type} ${b.type}`);
  assert.ok(matchingField(longstr('é'), binary(0xc3, 0xa9)));
  assert.ok(matchingField(binary(0xc3, 0xa9), longstr('é')));
  assert.ok(!matchingField(longstr('1'), int(1)));
  assert.ok(!matchingField(bool(true), int(1)));
  assert.ok(!matchingField({ type: 'd', value: NaN }, { type: 'd', value: NaN }));
  assert.ok(!matchingField({ type: 'd', value: 2 ** 53 }, long(2n ** 53n + 1n)));
  assert.ok(!matchingField(array([longstr('a')]), array([binary(0x61)])));
});

test('tables are the same in whatever order, with no field more or less', () => {
  const fields: FieldTable = new Map([['a', int(1)]]);
  assert.ok(sameTable(fields, new Map([['a', long(1)]])));
  assert.ok(!sameTable(fields, new Map([...fields, ['b', voidField]])));
  assert.ok(!sameTable(new Map([...fields, ['b', voidField]]), fields));
});

test('int takes the narrower of int32 and int64', () => {
  assert.deepEqual(int(2 ** 31 - 1), { type: 'I', value: 2 ** 31 - 1 });
  assert.deepEqual(int(-(2 ** 31)), { type: 'I', value: -(2 ** 31) });
  assert.deepEqual(int(2 ** 31), { type: 'l', value: 2 ** 31 });
});

test('JSON becomes the field types that RabbitMQ gives it', () => {
  const fields = tableFromJson({ i: 5, d: 0.5, s: 'é', t: true, n: null, a: [1, [false]], o: { x: -1 }, big: 2 ** 60, huge: 1e30 });
  assert.deepEqual(
    fields,
    new Map<string, Field>([
      ['i', long(5)],
      ['d', { type: 'd', value: 0.5 }],
      ['s', longstr('é')],
      ['t', bool(true)],
      ['n', voidField],
      ['a', array([long(1), array([bool(false)])])],
      ['o', table(new Map([['x', long(-1)]]))],
      ['big', long(2n ** 60n)],
      ['huge', { type: 'd', value: 1e30 }],
    ]),
  );
});

const json: [Field, Json][] = [
  [long(5), 5],
  [long(2n ** 53n), 2 ** 53],
  [timestamp(9), 9],
  [longstr('é'), 'é'],
  [bool(false), false],
  [voidField, null],
  [binary(0x68, 0x69), 'hi'],
  [binary(0xff, 0x00), 'Not UTF-8, base64 is: /wA='],
  [{ type: 'S', value: Uint8Array.of(0xff) }, 'Not UTF-8, base64 is: /w=='],
  [{ type: 'D', value: { scale: 2, value: 314 } }, 3.14],
  [{ type: 'd', value: Number.POSITIVE_INFINITY }, null],
  [array([int(1), table(new Map([['k', bool(true)]]))]), [1, { k: true }]],
];

test('fields become JSON', () => {
  for (const [field, expected] of json) assert.deepEqual(fieldToJson(field), expected);
});

test('long base64 is broken into lines of 76 characters', () => {
  const text = fieldToJson({ type: 'x', value: new Uint8Array(57 * 2).fill(0xff) });
  assert.equal(text, `Not UTF-8, base64 is: ${'/'.repeat(76)}\n${'/'.repeat(76)}`);
});

test('names of prototype members are only names', () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}') as Record<string, unknown>;
  const fields = tableFromJson(hostile);
  assert.deepEqual([...fields.keys()], ['__proto__', 'constructor']);
  const back = tableToJson(fields);
  assert.deepEqual(Object.keys(back), ['__proto__', 'constructor']);
  assert.equal(Object.getPrototypeOf(back), Object.prototype);
  assert.equal(JSON.stringify(back), '{"__proto__":{"polluted":1},"constructor":2}');
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test('an object without a prototype is an object', () => {
  assert.deepEqual(tableFromJson(Object.assign(Object.create(null) as object, { a: 1 })), new Map([['a', long(1)]]));
});

test('JSON that nests too deep is refused', () => {
  const deep = (depth: number): Record<string, unknown> =>
    JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`) as Record<string, unknown>;
  assert.equal(tableFromJson(deep(32)).size, 1);
  assert.throws(() => tableFromJson(deep(33)), RangeError);
  assert.throws(() => tableFromJson({ a: JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`) }), RangeError);
});
