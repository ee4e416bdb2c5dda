import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonText } from './json-text.ts';
import { DefinitionsError } from './problems.ts';

function problem(text: string): string {
  try {
    parseJsonText(text);
  } catch (error) {
    if (error instanceof DefinitionsError) return error.text;
    throw error;
  }
  return 'none';
}

test('the place of a mistake is told by line and column', () => {
  const cases: [string, string][] = [
    ['{\n "users": [}', 'at line 2, column 12'],
    ['{"a": 1,}', 'at line 1, column 9'],
    ['[1, 2,\n\n]', 'at line 3, column 1'],
    ['{"a" 1}', 'at line 1, column 6'],
    ['{a: 1}', 'at line 1, column 2'],
    ["{'a': 1}", 'at line 1, column 2'],
    ['{"a": 01}', 'at line 1, column 7'],
    ['{"a": tru}', 'at line 1, column 7'],
    ['{"a": 1} {', 'at line 1, column 10'],
    ['[1 2]', 'at line 1, column 4'],
    ['[1]]', 'at line 1, column 4'],
    ['{"a": [1}', 'at line 1, column 9'],
    ['{"a": "b\nc"}', 'at line 1, column 9'],
    ['{"a": "\\x"}', 'at line 1, column 8'],
    ['// comment\n{}', 'at line 1, column 1'],
    ['{"a": undefined}', 'at line 1, column 7'],
    [':', 'at line 1, column 1'],
  ];
  for (const [text, place] of cases) assert.equal(problem(text), `not valid JSON ${place}`, text);
  for (const text of ['{', '{"a', '{"a":', '[1,', '"abc', '[[[', `["${'x'.repeat(100_000)}`])
    assert.equal(problem(text), 'not valid JSON: the text ends too early', text.slice(0, 20));
});

test('a mistake in a large or deep text is found without overflow', () => {
  assert.match(problem(`${'['.repeat(500_000)}x`), /column 500001$/);
  assert.match(problem(`["${'é\\n'.repeat(300_000)}", x]`), /column 900006$/);
});

test('whatever one character is spoiled, a place at or before the next token is told or the text is still JSON', () => {
  const text = '{"a": [1, -2.5e3, "x\\n", true, null, {}], "b": {"c": []}}';
  for (let index = 0; index < text.length; index += 1) {
    for (const char of ['@', '"', '{', '}', '[', ']', ',', ':', '\\', ' ', '1']) {
      const spoiled = text.slice(0, index) + char + text.slice(index + 1);
      const told = problem(spoiled);
      assert.equal(told === 'none', isJson(spoiled), spoiled);
      assert.match(told, /^none$|line 1, column \d+$|too early$/);
    }
  }
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
