import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, bool, int, long, longstr, table, timestamp, voidField } from '../base/field-table.ts';
import { erlangBinary, erlangValue } from './erlang-field.ts';

test('values are printed as Erlang terms', () => {
  assert.equal(erlangValue(int(-5)), '-5');
  assert.equal(erlangValue(long(4611686018427387904n)), '4611686018427387904');
  assert.equal(erlangValue({ type: 'd', value: 5 }), '5.0');
  assert.equal(erlangValue({ type: 'f', value: 0.5 }), '0.5');
  assert.equal(erlangValue(bool(true)), 'true');
  assert.equal(erlangValue(voidField), 'undefined');
  assert.equal(erlangValue(timestamp(7)), '7');
  assert.equal(erlangValue({ type: 'D', value: { scale: 2, value: 314 } }), '{2,314}');
  assert.equal(erlangValue(array([int(1), longstr('a')])), '[{signedint,1},{longstr,<<"a">>}]');
  assert.equal(erlangValue(table(new Map([['k', longstr('')]]))), '[{<<"k">>,longstr,<<>>}]');
});

test('a binary is printed as text when all of it is printable ASCII', () => {
  assert.equal(erlangBinary(Buffer.from('a "b"\\\n')), '<<"a \\"b\\"\\\\\\n">>');
  assert.equal(erlangBinary(Buffer.from([255])), '<<255>>');
  assert.equal(erlangBinary(Buffer.from([0, 97])), '<<0,97>>');
  assert.equal(erlangBinary(Buffer.alloc(0)), '<<>>');
});
