import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cell } from './cell.ts';
import { csv } from './csv.ts';
import { erlang } from './erlang.ts';
import { json, jsonStream } from './json.ts';
import { prettyTable } from './pretty-table.ts';
import { tabs } from './tabs.ts';

const listing = {
  columns: ['name', 'messages', 'arguments', 'tags'],
  rows: [
    ['a "b"', 5, { 'x-max-length': 10, 'x-dead-letter-exchange': 'dlx' }, ['x', 'y']],
    ['', 0, {}, []],
  ],
};

test("a table has tabs between columns, arguments and lists as RabbitMQ's tools write them", () => {
  assert.equal(
    tabs(listing, true),
    'name\tmessages\targuments\ttags\na "b"\t5\t[{"x-dead-letter-exchange","dlx"},{"x-max-length",10}]\t[x, y]\n\t0\t[]\t[]',
  );
  assert.equal(tabs({ columns: ['name'], rows: [] }, true), '');
  assert.equal(tabs({ columns: ['name'], rows: [['q']] }, false), 'q');
});

test('a name cannot break the table, move the cursor or turn the text around', () => {
  assert.equal(cell('a\tb\nc\u001b[2Jd\u202ee\u2028'), 'a\\tb\\nc\\u001b[2Jd\\u202ee\\u2028');
  assert.equal(cell({ 'k\n': 'v\u0007' }), '[{"k\\n","v\\u0007"}]');
});

test('CSV quotes every value', () => {
  assert.equal(csv({ columns: ['name', 'n'], rows: [['a "b",\nc', 1]] }, true), '"name","n"\n"a ""b"",\nc","1"');
});

test('JSON is a list of objects, or a line for each', () => {
  assert.deepEqual(JSON.parse(json(listing)), [
    { name: 'a "b"', messages: 5, arguments: { 'x-max-length': 10, 'x-dead-letter-exchange': 'dlx' }, tags: ['x', 'y'] },
    { name: '', messages: 0, arguments: {}, tags: [] },
  ]);
  assert.equal(json({ columns: ['a'], rows: [] }), '[\n]');
  assert.equal(jsonStream({ columns: ['a'], rows: [[1], [undefined]] }), '{"a":1}\n{"a":""}');
});

test('Erlang terms are terms', () => {
  assert.equal(
    erlang({ columns: ['name', 'apply-to', 'n'], rows: [['q"\\', 'all', 1.5]] }),
    '[[{name,<<"q\\"\\\\">>},{\'apply-to\',<<"all">>},{n,1.5}]]',
  );
});

test('a drawn table counts characters as people do', () => {
  const lines = prettyTable({ columns: ['n'], rows: [['größe'], ['👩‍👩‍👧']] }, true).split('\n');
  assert.equal(lines[0], '┌───────┐');
  assert.equal(lines[3], '│ größe │');
});
