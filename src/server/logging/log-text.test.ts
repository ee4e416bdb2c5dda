import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorLines, oneLine, textCharsMax } from './log-text.ts';

test('text stays as it is while it has no control characters', () => {
  assert.equal(oneLine("user 'grüße 🐇' \\n"), "user 'grüße 🐇' \\n");
});

test('line feeds, escapes, C1 controls, line separators and directional marks are written as escapes', () => {
  assert.equal(
    oneLine('a\nb\r\u001b[2Jc\u0085\u2028\u202e\u2066d\u007f'),
    'a\\u000ab\\u000d\\u001b[2Jc\\u0085\\u2028\\u202e\\u2066d\\u007f',
  );
});

test('a text of the longest length is kept, one character more is cut', () => {
  assert.equal(oneLine('x'.repeat(textCharsMax)), 'x'.repeat(textCharsMax));
  assert.equal(oneLine('x'.repeat(textCharsMax + 1)), `${'x'.repeat(textCharsMax)}...`);
});

test('an error has its stack and its causes', () => {
  const lines = errorLines(new Error('outer', { cause: new Error('inner\u001b') }));
  assert.equal(lines[0], 'Error: outer');
  assert.ok(lines.some(line => line.startsWith('    at ')));
  assert.ok(lines.includes('Caused by: Error: inner\\u001b'));
});

test('whatever is thrown can be logged', () => {
  const cyclic = new Error('round');
  cyclic.cause = cyclic;
  assert.equal(errorLines(cyclic)[0], 'Error: round');
  assert.deepEqual(errorLines('text\nmore'), ['text', 'more']);
  assert.deepEqual(errorLines(Object.create(null)), ['object']);
  assert.ok(errorLines(new Error('x\n'.repeat(1000))).length <= 50);
});
