import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLinear } from '../../../test/support/growth.ts';
import { CONF_FILE_CHARS_MAX, parseConfFile } from './conf-file.ts';

function pairs(text: string): (readonly [string, string])[] {
  const conf = parseConfFile(text, 'f');
  assert.deepEqual(conf.problems, []);
  return conf.entries.map(entry => ('segments' in entry ? [entry.name, entry.value] : ['include', entry.path]));
}

function problems(text: string): readonly string[] {
  return parseConfFile(text, 'f').problems;
}

function warnings(text: string): readonly string[] {
  return parseConfFile(text, 'f').warnings;
}

// Tried with cuttlefish 3.0, the reader RabbitMQ has for such files; single quotes and ''' are as in its later releases.
const ACCEPTED: readonly [text: string, expected: (readonly [string, string])[]][] = [
  ['', []],
  ['\n\n \n\t\n', []],
  ['# comment\n  # indented comment\n## x', []],
  ['a = 1', [['a', '1']]],
  ['a=1', [['a', '1']]],
  ['a = 1\n', [['a', '1']]],
  ['  a.b-c_D.9 =  1 \t ', [['a.b-c_D.9', '1']]],
  ['\ta = 1', [['a', '1']]],
  [
    'a = 1\r\nb = 2\r\n',
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  [
    'a = 1\n\n\nb = 2',
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  ['a = 1 # trailing', [['a', '1']]],
  ['a = back#nospace', [['a', 'back']]],
  ['a = with spaces inside   ', [['a', 'with spaces inside']]],
  ['a = tab\there', [['a', 'tab\there']]],
  ['a = has = equals', [['a', 'has = equals']]],
  ['a = $(HOME)', [['a', '$(HOME)']]],
  ["a = it's", [['a', "it's"]]],
  ["a = 'quoted'", [['a', 'quoted']]],
  ["a = 'efd3!53a9@_2#a08'", [['a', 'efd3!53a9@_2#a08']]],
  ["a = ' padded '", [['a', ' padded ']]],
  ["a = ''", [['a', '']]],
  ["a='x'  # after", [['a', 'x']]],
  ["a='x'# after", [['a', 'x']]],
  ['a = é', [['a', 'é']]],
  ['\ufeffa = 1', [['a', '1']]],
  ['a\\.b.c = 1', [['a\\.b.c', '1']]],
  [
    "a = '''one\ntwo'''\nb = 2",
    [
      ['a', 'one\ntwo'],
      ['b', '2'],
    ],
  ],
  ["a = '''\n{ 'x': # 1\n}\n'''  # done", [['a', "{ 'x': # 1\n}"]]],
  ["a = ''''''", [['a', '']]],
  ['include conf.d/*.conf', [['include', 'conf.d/*.conf']]],
  ['  include /etc/x.conf # that one', [['include', '/etc/x.conf']]],
  ['include = 1', [['include', '1']]],
];

for (const [text, expected] of ACCEPTED) {
  test(`${JSON.stringify(text)} is read`, () => assert.deepEqual(pairs(text), expected));
}

test('an escaped dot is part of a segment', () => {
  const [entry] = parseConfFile('default_users.a\\.b.password = x', 'f').entries;
  assert.ok(entry !== undefined && 'segments' in entry);
  assert.deepEqual(entry.segments, ['default_users', 'a.b', 'password']);
});

test('a setting knows its file and its line, a value of several lines the first of them', () => {
  const conf = parseConfFile("# x\n\na = '''1\n2\n'''\nb = 1", 'dir/f.conf');
  assert.deepEqual(
    conf.entries.map(entry => entry.origin),
    [
      { source: 'dir/f.conf', line: 3 },
      { source: 'dir/f.conf', line: 6 },
    ],
  );
});

const REFUSED: readonly [text: string, problem: string][] = [
  ['abc', 'f:1: syntax error: expected "key = value", found "abc"'],
  ['a b = 1', 'f:1: syntax error: "a b" is not a key (letters, digits, _ and -, separated by dots)'],
  ['=x', 'f:1: syntax error: expected "key = value", found "=x"'],
  ['a..b = 1', 'f:1: syntax error: "a..b" is not a key (letters, digits, _ and -, separated by dots)'],
  ['a. = 1', 'f:1: syntax error: "a." is not a key (letters, digits, _ and -, separated by dots)'],
  ['a$b = 1', 'f:1: syntax error: "a$b" is not a key (letters, digits, _ and -, separated by dots)'],
  ['a:b = 1', 'f:1: syntax error: "a:b" is not a key (letters, digits, _ and -, separated by dots)'],
  ['\nheartbeat: 60', 'f:2: syntax error: expected "key = value", found "heartbeat: 60"'],
  ['a =', "f:1: a has no value; remove the line, or write '' where an empty value is meant"],
  ['a = # nothing', "f:1: a has no value; remove the line, or write '' where an empty value is meant"],
  ["a = 'un", 'f:1: a: the single quote is not closed on this line'],
  ["a = 'it''s'", 'f:1: a: only a comment may follow the closing single quote (a quoted value cannot contain a single quote)'],
  ["a = 'x' y", 'f:1: a: only a comment may follow the closing single quote (a quoted value cannot contain a single quote)'],
  ["b = 1\na = '''x\n\ny", "f:2: a: the ''' is not closed"],
  ["a = '''x''' y", "f:1: a: only a comment may follow the closing '''"],
  ['a = x\u0000y', 'f:1: column 6 has a control character (\\u0000)'],
  ['a = x\u001b[31my', 'f:1: column 6 has a control character (\\u001b)'],
  ['a = x\ry', 'f:1: column 6 has a control character (\\u000d)'],
  ["a = '''x\n\u0007'''", 'f:2: a: the value has a control character (\\u0007)'],
  ['include ../$(HOME)', 'f:1: syntax error: expected "key = value", found "include ../$(HOME)"'],
];

for (const [text, problem] of REFUSED) {
  test(`${JSON.stringify(text)} is refused`, () => assert.deepEqual(problems(text), [problem]));
}

test('a file in the classic Erlang format is refused once, with what to do', () => {
  const text = '[\n {rabbit, [{tcp_listeners, [5672]}]}\n].\n';
  assert.deepEqual(problems(text), [
    'f:1: this looks like the classic Erlang format (rabbitmq.config, advanced.config), which WarrenMQ does not read; write "key = value" lines',
  ]);
  assert.equal(problems('%% comment\n[].').length, 1);
});

test('every problem of a file is reported, with the settings around it read', () => {
  const conf = parseConfFile('a = 1\noops\nb = 2\nc =\nd = 4', 'f');
  assert.equal(conf.problems.length, 2);
  assert.deepEqual(
    conf.entries.map(entry => ('segments' in entry ? entry.name : '')),
    ['a', 'b', 'd'],
  );
});

test('a # inside a value is pointed out, because the value ends there', () => {
  assert.deepEqual(warnings('default_pass = abc#def'), [
    'f:1: default_pass: the value ends at the #; if the # belongs to it, put the value in single quotes',
  ]);
  assert.deepEqual(warnings('a = abc # def'), []);
  assert.deepEqual(warnings("a = 'abc#def'#x"), []);
});

test('double quotes are kept and pointed out', () => {
  assert.deepEqual(pairs('a = "x"'), [['a', '"x"']]);
  assert.deepEqual(warnings('a = "x"'), ['f:1: a: the double quotes are part of the value; single quotes are not']);
});

test('a message never repeats more than 80 characters of a line, nor a control character', () => {
  const [long = ''] = problems(`${'x'.repeat(5000)} 1`);
  assert.ok(long.length < 200, long);
  const [hostile = ''] = problems('ok\u2028rabbitmq.conf:1: all is well \u202e');
  assert.match(hostile, /ok\\u2028rabbitmq/);
  assert.doesNotMatch(hostile, /[\u2028\u202e]/);
});

test('a line longer than 65536 characters is refused, one of that length is read', () => {
  assert.deepEqual(problems(`a = ${'x'.repeat(65_533)}`), ['f:1: the line is longer than 65536 characters']);
  assert.equal(pairs(`a = ${'x'.repeat(65_532)}`)[0]?.[1].length, 65_532);
});

test('a file beyond 16 MiB is refused unread', () => {
  assert.deepEqual(problems('#'.repeat(CONF_FILE_CHARS_MAX + 1)), ['f: is larger than 16 MiB; a configuration file is not']);
});

test('a file is read in linear time, whatever it consists of', () => {
  // Lines grow in length where a line is what might be slow, and in number elsewhere; a file has at most 16 MiB, a line 65,536 characters.
  const texts: Readonly<Record<string, (size: number) => string>> = {
    comments: size => '# nothing\n'.repeat(size * 16),
    settings: size => 'heartbeat = 60\n'.repeat(size * 10),
    blanks: size => `${' '.repeat(size)}x\n`.repeat(32),
    'trailing blanks': size => `a = x${' '.repeat(size)}y\n`.repeat(32),
    quotes: size => `a = '${"'".repeat(size)}\n`.repeat(32),
    'one open value': size => `a = '''${'\n'.repeat(size * 32)}`,
    'one closed value': size => `a = '''${'\n'.repeat(size * 16)}x${'\n'.repeat(size * 16)}'''`,
    dots: size => `${'.'.repeat(size)} = 1\n`.repeat(32),
    backslashes: size => `${'\\.'.repeat(size / 2)} = 1\n`.repeat(32),
  };
  for (const [what, textOf] of Object.entries(texts)) assertLinear(what, 64_000, size => void parseConfFile(textOf(size), 'f'));
});

test('a file of nothing but mistakes is given up, with bounded output', () => {
  const { problems: found } = parseConfFile('x\n'.repeat(1_000_000), 'f');
  assert.equal(found.length, 101);
  assert.equal(found.at(-1), 'f: the rest of the file was not read: too many problems');
});
