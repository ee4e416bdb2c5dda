import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Field, FieldTable } from '../../base/field-table.ts';
import { array, int, longstr, table } from '../../base/field-table.ts';
import type { DecodeErrorKind } from '../decode-error.ts';
import { DecodeError } from '../decode-error.ts';
import { decodeTable, encodeTable, tableLimits, tableLimitsBeforeAuthentication, tableSize } from './table.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** A table of these entry bytes, with its length in front. */
function tableOf(...entries: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(entries.map(entry => (typeof entry === 'string' ? hex(entry) : entry)));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

function assertRefused(buffer: Buffer, kind: DecodeErrorKind, limits = tableLimits): void {
  assert.throws(
    () => decodeTable(buffer, 0, buffer.length, limits),
    (error: unknown) => error instanceof DecodeError && error.kind === kind,
  );
}

const fields: [name: string, field: Field, bytes: string][] = [
  ['false', { type: 't', value: false }, '74 00'],
  ['true', { type: 't', value: true }, '74 01'],
  ['the least int8', { type: 'b', value: -128 }, '62 80'],
  ['the greatest uint8', { type: 'B', value: 255 }, '42 ff'],
  ['a signed int16', { type: 's', value: -2 }, '73 fffe'],
  ['a uint16', { type: 'u', value: 0xfffe }, '75 fffe'],
  ['an int32', { type: 'I', value: -(2 ** 31) }, '49 80000000'],
  ['a uint32', { type: 'i', value: 2 ** 32 - 1 }, '69 ffffffff'],
  ['a negative int64', { type: 'l', value: -1 }, '6c ffffffffffffffff'],
  ['the greatest safe int64', { type: 'l', value: Number.MAX_SAFE_INTEGER }, '6c 001fffffffffffff'],
  ['the least safe int64', { type: 'l', value: Number.MIN_SAFE_INTEGER }, '6c ffe0000000000001'],
  ['an int64 beyond the safe integers', { type: 'l', value: 2n ** 53n }, '6c 0020000000000000'],
  ['the least int64', { type: 'l', value: -(2n ** 63n) }, '6c 8000000000000000'],
  ['a float', { type: 'f', value: 0.5 }, '66 3f000000'],
  ['a double', { type: 'd', value: -0.1 }, '64 bfb999999999999a'],
  ['a double that is infinite', { type: 'd', value: Number.NEGATIVE_INFINITY }, '64 fff0000000000000'],
  ['a double that is not a number', { type: 'd', value: Number.NaN }, '64 7ff8000000000000'],
  ['a decimal', { type: 'D', value: { scale: 2, value: 0xffff_ffff } }, '44 02 ffffffff'],
  ['an empty longstr', longstr(''), '53 00000000'],
  ['a longstr', longstr('é'), '53 00000002 c3a9'],
  ['a longstr that is no UTF-8', { type: 'S', value: Uint8Array.of(0xff, 0x61) }, '53 00000002 ff61'],
  ['bytes', { type: 'x', value: Uint8Array.of(0, 1) }, '78 00000002 0001'],
  ['bytes that happen to be text', { type: 'x', value: Uint8Array.of(0x61) }, '78 00000001 61'],
  ['a timestamp', { type: 'T', value: 1_700_000_000 }, '54 000000006553f100'],
  ['a timestamp beyond the safe integers', { type: 'T', value: 2n ** 64n - 1n }, '54 ffffffffffffffff'],
  ['void', { type: 'V', value: null }, '56'],
  ['an empty array', array([]), '41 00000000'],
  ['an array', array([int(1), array([longstr('a')])]), '41 00000010 4900000001 41 00000006 53 00000001 61'],
  ['an empty table', table(new Map()), '46 00000000'],
  ['a table', table(new Map([['k', { type: 't', value: true } as Field]])), '46 00000004 016b 74 01'],
];

for (const [name, field, bytes] of fields) {
  test(`${name} is encoded and decoded`, () => {
    const expected = tableOf(`0161 ${bytes}`);
    const fieldTable: FieldTable = new Map([['a', field]]);
    assert.equal(encodeTable(fieldTable).toString('hex'), expected.toString('hex'));
    assert.equal(tableSize(fieldTable), expected.length);
    assert.deepEqual(decodeTable(expected, 0, expected.length), { table: fieldTable, next: expected.length });
  });

  test(`${name} cut short is refused`, () => {
    const whole = hex(`0161 ${bytes}`);
    for (let length = 1; length < whole.length; length++) assertRefused(tableOf(whole.subarray(0, length)), 'truncated');
  });
}

test('tag L is read as an int64 and written as l', () => {
  const { table: decoded } = decodeTable(tableOf('0161 4c ffffffffffffffff'), 0, 15);
  assert.deepEqual(decoded.get('a'), { type: 'l', value: -1 });
});

test('any other octet than zero is true', () => {
  const buffer = tableOf('0161 74 02');
  assert.equal(decodeTable(buffer, 0, buffer.length).table.get('a')?.value, true);
});

test('a table in the midst of a buffer tells where it ends', () => {
  const buffer = Buffer.concat([hex('ffff'), tableOf('0161 56'), hex('ff')]);
  const { table: decoded, next } = decodeTable(buffer, 2, buffer.length);
  assert.deepEqual([...decoded.keys()], ['a']);
  assert.equal(next, buffer.length - 1);
});

test('a table must end before the end that is given', () => {
  const buffer = tableOf('0161 56');
  assert.throws(() => decodeTable(buffer, 0, buffer.length - 1), DecodeError);
  assert.throws(() => decodeTable(buffer, 0, 3), DecodeError);
});

test('an inner table cannot reach beyond its outer one', () => {
  assertRefused(Buffer.concat([tableOf('0161 46 00000004'), hex('016b7401')]), 'truncated');
  // The inner table is shorter than its last entry, though the bytes are there.
  assertRefused(tableOf('0161 46 00000003 016b7401'), 'truncated');
});

test('unknown tags are refused', () => {
  for (const tag of ['00', '55', '7a', 'ff']) assertRefused(tableOf(`0161 ${tag} 0000000000000000`), 'unknown-type');
});

test('names are only names, whatever they are', () => {
  const names = ['__proto__', 'constructor', 'toString', '', 'é'];
  const fieldTable: FieldTable = new Map(names.map(name => [name, int(1)]));
  const bytes = encodeTable(fieldTable);
  const decoded = decodeTable(bytes, 0, bytes.length).table;
  assert.deepEqual([...decoded.keys()], names);
  assert.equal(({} as Record<string, unknown>).value, undefined);
});

test('a name that is no UTF-8 comes out as it came in', () => {
  const buffer = tableOf('02 ff61 56');
  assert.equal(encodeTable(decodeTable(buffer, 0, buffer.length).table).toString('hex'), buffer.toString('hex'));
});

test('of entries with the same name the first counts', () => {
  const buffer = tableOf('0161 74 00', '0161 74 01');
  assert.deepEqual(decodeTable(buffer, 0, buffer.length).table, new Map([['a', { type: 't', value: false }]]));
});

/** A table with so many tables or arrays in one another. */
function nested(depth: number, kind: 'F' | 'A'): Buffer {
  let bytes: Buffer = tableOf();
  for (let at = 1; at < depth; at++) {
    const tag = Buffer.from(kind);
    bytes = kind === 'F' || at === depth - 1 ? tableOf('0161', tag, bytes) : tableOf(tag, bytes);
  }
  return bytes;
}

for (const kind of ['F', 'A'] as const) {
  test(`nesting of ${kind} is refused beyond 32, however deep`, () => {
    const deepest = nested(32, kind);
    const { table: decoded } = decodeTable(deepest, 0, deepest.length);
    assert.equal(encodeTable(decoded).toString('hex'), deepest.toString('hex'));
    assertRefused(nested(33, kind), 'too-deep');
    assertRefused(nested(10_000, kind), 'too-deep');
  });
}

test('a million empty entries are refused soon', () => {
  const name = hex('00 56');
  assertRefused(tableOf(Buffer.alloc(2_000_000, name)), 'too-many');
  assertRefused(tableOf('0161 41 000f4240', Buffer.alloc(1_000_000, 'V')), 'too-many');
});

test('entries of inner tables and arrays count with those of the outer one', () => {
  const limits = { depthMax: 32, entryCountMax: 3 };
  const three = tableOf('0161 41 00000002 5656');
  assert.equal(decodeTable(three, 0, three.length, limits).table.size, 1);
  assertRefused(tableOf('0161 41 00000003 565656'), 'too-many', limits);
});

test('a peer that has not said who it is gets fewer entries', () => {
  const fits = tableOf(Buffer.alloc(1024 * 2, hex('0056')));
  assert.equal(decodeTable(fits, 0, fits.length, tableLimitsBeforeAuthentication).table.size, 1);
  assertRefused(tableOf(Buffer.alloc(1025 * 2, hex('0056'))), 'too-many', tableLimitsBeforeAuthentication);
});

test('what cannot be encoded is refused before a byte is sent', () => {
  const refused: Field[] = [
    { type: 'b', value: 128 },
    { type: 'B', value: -1 },
    { type: 'i', value: 2 ** 32 },
    { type: 'l', value: 2n ** 63n },
    { type: 'l', value: 1.5 },
    { type: 'T', value: -1 },
    { type: 'T', value: Number.NaN },
    { type: 'D', value: { scale: 256, value: 0 } },
  ];
  for (const field of refused) assert.throws(() => encodeTable(new Map([['a', field]])), RangeError, JSON.stringify(field.type));
  assert.throws(() => encodeTable(new Map([['n'.repeat(256), int(1)]])), RangeError);
  let deep: Field = array([]);
  for (let depth = 0; depth < 100; depth++) deep = array([deep]);
  assert.throws(() => encodeTable(new Map([['a', deep]])), RangeError);
});

test('decoded bytes do not hold on to the chunk they came in', () => {
  const buffer = tableOf('0161 78 00000001 ff');
  const { table: decoded } = decodeTable(buffer, 0, buffer.length);
  buffer.fill(0);
  assert.deepEqual(decoded.get('a')?.value, Uint8Array.of(0xff));
});
