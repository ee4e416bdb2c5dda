import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference } from './compare.ts';
import { decodeTable, encodeTable, printTable, TextReader } from './field-value.ts';
import { decodeMethod, encodeMethod } from './frames.ts';
import { methodsByName } from './method-table.ts';
import { GeneratedNames, normaliseDeaths } from './normalise.ts';
import { parseCases, parseCommands, printCase } from './script.ts';

test('a table of every field type is the same after text, bytes and text', () => {
  const text =
    '{t: true, b: b:-5, B: B:200, s: s:-300, u: u:60000, I: -70000, i: i:4000000000, l: l:5, big: -5000000000, f: f:1.5, d: d:2.25, ' +
    'D: D:2/314, S: text, quoted: "a \\"b\\" ü", bytes: "\\xff\\x00", A: [1, two, [3]], T: T:1700000000, F: {n: {m: 1}}, V: null, x: x:"a b"}';
  const table = new TextReader(text).table();
  assert.equal(printTable(table), text);
  assert.equal(printTable(decodeTable(encodeTable(table).subarray(4))), text);
});

test('bits of a method share an octet in order', () => {
  const shape = methodsByName.get('queue.declare');
  assert.ok(shape !== undefined);
  const [command] = parseCommands('c1.1 queue.declare queue=q durable nowait arguments={a: 1}');
  const payload = encodeMethod(shape, command?.named ?? new Map());
  assert.equal(payload.toString('hex'), `0032000a0000${'0171'}${'12'}00000007${'016149'}00000001`);
  assert.equal(decodeMethod(payload).fields.get('nowait'), 'true');
  assert.equal(decodeMethod(payload).fields.get('passive'), 'false');
});

test('a step holds several commands; semicolons in quotes do not part them', () => {
  const commands = parseCommands('c1.1 publish key=q body="a ; b" mandatory ; c2 connection.close reply-code=200 ; wait 50');
  assert.deepEqual(
    commands.map(command => [command.connection, command.channel, command.verb]),
    [
      ['c1', 1, 'publish'],
      ['c2', null, 'connection.close'],
      ['', null, 'wait'],
    ],
  );
});

test('an unknown argument is refused, not ignored', () => {
  const shape = methodsByName.get('tx.select');
  assert.ok(shape !== undefined);
  assert.throws(() => encodeMethod(shape, new Map([['nowait', Buffer.from('true')]])), /tx.select has no field nowait/);
});

test('a recording reads back as it was printed', () => {
  const text = '## case: one\nc1.1 basic.get queue=q1\n  c1.1 < basic.get-empty\n\n## case: two\n## differs: because\nwait 5\n\n';
  assert.equal(parseCases('file', text).map(printCase).join(''), text);
});

test('generated names are numbered and can be used in later steps', () => {
  const names = new GeneratedNames();
  const actual = 'amq.gen-2t7AOUAdqJP5lL2cQ5melg';
  assert.equal(names.normalise(`queue=${actual} again ${actual}`), 'queue=amq.gen-1 again amq.gen-1');
  assert.equal(names.restore('c1.1 basic.get queue=amq.gen-1'), `c1.1 basic.get queue=${actual}`);
});

test('dead letters are compared without regard to the order of keys and of older deaths', () => {
  const one = '{z: 1, x-death: [{queue: q3, reason: a}, {reason: b, queue: q2}, {queue: q1, reason: c}], x-last-death-queue: q3}';
  const other = '{x-death: [{reason: a, queue: q3}, {reason: c, queue: q1}, {queue: q2, reason: b}], z: 1}';
  const print = (text: string): string => printTable(normaliseDeaths(new TextReader(text).table()));
  assert.equal(print(one), print(other));
});

test('a difference shows what is missing and what came instead', () => {
  const [expected] = parseCases('file', '## case: x\nwait 1\n  c1 < a\n  c1 < b\nwait 2\n');
  const [played] = parseCases('file', '## case: x\nwait 1\n  c1 < a\n  c1 < c\nwait 2\n');
  assert.ok(expected !== undefined && played !== undefined);
  assert.equal(difference(expected, expected), null);
  assert.equal(difference(expected, played, true), 'file: x\n    wait 1\n        c1 < a\n      - c1 < b\n      + c1 < c\n');
});
