import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlag, isMapOf, isNumber, isOneOf, isText, mandatory, optional, proplistProblems } from './proplist.ts';

const constraints = [mandatory('name', isText), optional('size', isNumber), optional('mode', isOneOf('a', 'b')), optional('on', isFlag)];

test('an object that fits its constraints has no problem', () => {
  assert.deepEqual(proplistProblems('p', constraints, { name: 'n' }), []);
  assert.deepEqual(proplistProblems('p', constraints, { on: true, mode: 'b', size: 1.5, name: '' }), []);
});

test('unknown keys are told first, in their order, then the rest from the last constraint to the first', () => {
  assert.deepEqual(proplistProblems('p', constraints, { z: 1, mode: 'c', a: 'x', size: null, on: 0 }), [
    'Unrecognised terms [{<<"a">>,<<"x">>},{<<"z">>,1}] in p',
    'on should be boolean, actually was 0',
    'mode should be one of [<<"a">>,<<"b">>], actually was <<"c">>',
    'size should be a number, actually was null',
    'Key "name" not found in p',
  ]);
  assert.deepEqual(proplistProblems('p', constraints, { name: 'n', mode: 1 }), ['mode should be binary, actually was 1']);
});

test('an empty list is an empty object, as in Erlang; anything else is no object', () => {
  assert.deepEqual(proplistProblems('p', [], []), []);
  assert.deepEqual(proplistProblems('p', [], [1, 2]), ['Unrecognised terms [1,2] in p']);
  for (const [value, shown] of [
    ['x', '<<"x">>'],
    [null, 'null'],
    [7, '7'],
  ] as const) {
    assert.deepEqual(proplistProblems('p', constraints, value), [`p not a list ${shown}`]);
  }
});

test('keys of the prototype are keys like others', () => {
  assert.deepEqual(proplistProblems('p', [mandatory('toString', isText)], {}), ['Key "toString" not found in p']);
  const hostile = JSON.parse('{"__proto__":{"name":"n"}}') as { [key: string]: { name: string } };
  assert.deepEqual(proplistProblems('p', [optional('name', isText)], hostile), [
    'Unrecognised terms [{<<"__proto__">>,#{<<"name">> => <<"n">>}}] in p',
  ]);
});

test('a map of any keys checks every value', () => {
  assert.deepEqual(isMapOf(isText)('m', { a: 'x', b: 1 }), ['b should be binary, actually was 1']);
  assert.deepEqual(isMapOf(isText)('m', 1), ['m not a list 1']);
});
