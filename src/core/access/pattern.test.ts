import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertLinear } from '../../../test/support/growth.ts';
import { BrokerError } from '../broker-error.ts';
import { literalTest } from './literal-pattern.ts';
import { compilePattern, PatternError, patternCharsMax, quotePattern } from './pattern.ts';
import { closingParenthesis, scanRegexp } from './regexp-scan.ts';

const texts = [
  '',
  'a',
  'q',
  'amq.gen-1',
  'amq.default',
  'amqXgen',
  'orders',
  'orders.eu',
  'orders.eu.1',
  'my.orders',
  'x\ny',
  'orders\n',
  '\n',
  'a.b',
  'ORDERS',
  'é',
  '日本',
  'a+b',
  '__proto__',
];

describe('compilePattern', () => {
  const sources = [
    '',
    '.*',
    '^.*',
    '.*$',
    '^.*$',
    '^$',
    '$',
    '^',
    '\\A',
    '\\z',
    'orders',
    '^orders$',
    '^orders',
    '^orders.*',
    '^orders.*$',
    '^orders\\.',
    '^orders\\.eu$',
    'orders$',
    '.*orders',
    '.*orders$',
    'orders.*$',
    'orders.*',
    '^amq\\.',
    '^amq.',
    '^(amq\\.gen.*|orders)$',
    'a|b',
    '^a$|^q$',
    '^orders|\\.b$',
    '[a-z]+\\d',
    '^[^.]+$',
    'a\\+b',
    '^é$',
    '日',
    '(?i)orders',
    '(?i)^orders$|^Q$',
    '^.$',
    'x.y',
    '(?s)x.y',
    '\\Qa.b\\E',
    '^(?:a|q)$',
    '^\\w+$',
    '|',
    'a||b',
    '^(?!amq\\.).*',
    '^(?!amq\\.)',
    '^(?!amq\\.|orders).*$',
    '^(?!orders$).+$',
    '^(?=o)(?!orders$)',
    '^(?!.*eu).*',
    '(?i)^(?!AMQ).*',
    '^(?!a)b|^q$',
    '^(?![ao]).+',
    '^(?!$)',
    '^(?!\\))',
    '^(?![)]).*',
  ];
  for (const source of sources) {
    test(`${JSON.stringify(source)} agrees with a backtracking engine`, () => {
      const flags = /^\(\?([is])\)/.exec(source);
      const oracle = new RegExp(
        source
          .replace(/^\(\?[is]\)/, '')
          .replace(/\\A/, '^')
          .replace(/\\z/, '$')
          .replace(/\\Q(.*)\\E/, (_, text: string) => quotePattern(text)),
        `u${flags?.[1] ?? ''}`,
      );
      const pattern = compilePattern(source);
      for (const text of texts) assert.equal(pattern.test(text), oracle.test(text), JSON.stringify(text));
    });
  }

  test('usual forms need no engine', () => {
    for (const source of ['.*', '^$', '', '^orders$', '^orders\\..*', 'orders', '^(?!amq\\.).*', '^a$|^b$'])
      assert.ok(compilePattern(source).isCheap, source);
    assert.equal(compilePattern('^[ab]$').isCheap, false);
  });

  test('a hostile expression takes linear time', () => {
    const pattern = compilePattern('^(a+)+$');
    assertLinear('letters', 8000, size => assert.equal(pattern.test(`${'a'.repeat(size)}!`), false));
  });

  test('a caseless pattern ignores case in every form', () => {
    assert.ok(compilePattern('orders', { isCaseless: true }).test('my.ORDERS'));
    assert.ok(compilePattern('^q$|ORDERS', { isCaseless: true }).test('Q'));
    assert.equal(compilePattern('^orders$').test('ORDERS'), false);
  });

  test('flags in the middle hold for the alternatives after them', () => {
    const pattern = compilePattern('^q$|(?i)^orders$|^my');
    assert.equal(pattern.test('Q'), false);
    assert.ok(pattern.test('ORDERS'));
    assert.ok(pattern.test('MY.X'));
  });

  const refused: [string, RegExp][] = [
    ['*', /nothing to repeat/],
    ['^(?!a)*', /nothing to repeat/],
    ['(a', /missing \)/],
    ['a)', /unmatched parentheses/],
    ['[a', /missing terminating \]/],
    ['a\\', /at end of pattern/],
    ['(a)\\1', /back-references are not supported/],
    ['(?<!a)b', /look-around/],
    ['a(?!b)', /look-around/],
    ['(?!b)', /look-around/],
    ['^(?!(?=a)b)c', /look-around/],
    ['^(?!a', /look-around/],
    ['(?>a)', /atomic groups/],
    ['a++', /possessive/],
    ['((a{100}){100}){100}', /too large|invalid repeat count/],
    ['((a{1,80}){1,80})', /too large|invalid repeat count/],
    ['a'.repeat(patternCharsMax + 1), /longer than 4096 characters/],
  ];
  for (const [source, reason] of refused) {
    test(`${source.slice(0, 30)} is refused with its reason`, () => {
      assert.throws(
        () => compilePattern(source),
        (error: unknown) =>
          error instanceof PatternError && error instanceof BrokerError && reason.test(error.reason) && error.text.length < 400,
      );
    });
  }

  test('an expression of the greatest length compiles', () => {
    assert.ok(compilePattern('a'.repeat(patternCharsMax)).test('a'.repeat(patternCharsMax)));
  });

  test('a quoted text matches itself only', () => {
    for (const text of ['a.b', '^(a|b)$', '\\E[x]{2}', '.*']) {
      assert.ok(compilePattern(`^${quotePattern(text)}$`).test(text));
      assert.equal(compilePattern(`^${quotePattern(text)}$`).test(`${text}x`), false);
    }
    assert.equal(compilePattern(`^${quotePattern('.*')}$`).test('anything'), false);
  });
});

describe('scanRegexp', () => {
  test('only the bars at top level divide', () => {
    assert.deepEqual(scanRegexp('a|(b|c)|[|d]|\\|e|\\Qf|g\\E|[]|]').branches, ['a', '(b|c)', '[|d]', '\\|e', '\\Qf|g\\E', '[]|]']);
    assert.deepEqual(scanRegexp('').branches, ['']);
    assert.deepEqual(scanRegexp('|').branches, ['', '']);
  });

  test('counted repetitions multiply what they repeat', () => {
    assert.equal(scanRegexp('a{50}').expandedSize, 50);
    assert.ok(scanRegexp('(ab){10,20}').expandedSize >= 40);
    assert.ok(scanRegexp('((a{10}){10}){10}').expandedSize >= 1000);
    assert.ok(scanRegexp('a{x}').expandedSize < 10);
  });

  test('the closing parenthesis is found past classes and escapes', () => {
    assert.equal(closingParenthesis('(?!a[)]\\)(b))c', 0), 12);
    assert.equal(closingParenthesis('(a', 0), -1);
  });
});

test('a literal form is told from an expression', () => {
  for (const source of ['a*', 'a.b', '^a|b', '[a]', 'a{2}', '\\d', 'a?', '^^a', 'a$b', '^.*a'])
    assert.equal(literalTest(source), null, source);
  assert.ok(literalTest('^a\\.b$')?.('a.b'));
});

test('random expressions agree with a backtracking engine', () => {
  let seed = 20260801;
  const random = (count: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * count);
  };
  const pick = (choices: readonly string[]): string => choices[random(choices.length)] ?? '';
  const atom = (depth: number): string =>
    depth > 0 && random(4) === 0 ? `(${alternatives(depth - 1)})` : pick(['a', 'b', '\\.', '.', '.*', '[ab]', '[^a]', '\\w']);
  const branch = (depth: number): string =>
    Array.from({ length: random(4) }, () => atom(depth) + pick(['', '', '', '*', '?', '{1,2}']))
      .join('')
      .replace(/\*[*?{]/g, '*');
  const alternatives = (depth: number): string => Array.from({ length: 1 + random(2) }, () => branch(depth)).join('|');
  const ahead = (): string =>
    Array.from({ length: random(3) }, () => `${pick(['(?!', '(?='])}${alternatives(1)}${pick(['', '$'])})`).join('');
  const whole = (): string =>
    Array.from({ length: 1 + random(2) }, () => (random(2) === 0 ? branch(2) : `^${ahead()}${branch(2)}`) + pick(['', '$'])).join('|');
  let compared = 0;
  for (let round = 0; round < 3000; round += 1) {
    const source = whole();
    let oracle: RegExp;
    try {
      oracle = new RegExp(source);
      compilePattern(source);
    } catch {
      continue;
    }
    const pattern = compilePattern(source);
    for (const text of ['', 'a', 'b', '.', 'ab', 'ba', 'a.b', 'bb.', 'aab\n', '\n', 'abba', '..a']) {
      assert.equal(pattern.test(text), oracle.test(text), `${source} on ${JSON.stringify(text)}`);
      compared += 1;
    }
  }
  assert.ok(compared > 20_000, `${compared}`);
});
