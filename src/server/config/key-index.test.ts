import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familyKey, ignoredKey, keyName, keySegments, optionalKey } from './key.ts';
import { KeyIndex } from './key-index.ts';
import { editDistance, similarKey } from './similar-key.ts';
import { text } from './value-type.ts';

const none = optionalKey('listeners.tcp', text, '');
const tcp = familyKey('listeners.tcp.$name', text, '');
const password = familyKey('default_users.$name.password', text, '');
const level = familyKey('log.$category.level', text, '');
const consoleLevel = optionalKey('log.console.level', text, '');
const syslog = ignoredKey('log.syslog.**', '');
const connections = optionalKey('connection_max', text, '', { aliases: ['max_connections'] });
const ratio = optionalKey('vm_memory_high_watermark.relative', text, '');
const KEYS = [none, tcp, password, level, consoleLevel, syslog, connections, ratio];
const index = new KeyIndex(KEYS);

function find(name: string) {
  return index.find(keySegments(name) ?? []);
}

test('a name finds its key, and what the variables stand for', () => {
  assert.equal(find('listeners.tcp')?.key, none);
  assert.deepEqual(find('listeners.tcp.default'), { key: tcp, variables: ['default'], isAlias: false });
  assert.deepEqual(find('default_users.a\\.b.password'), { key: password, variables: ['a.b'], isAlias: false });
  assert.equal(find('listeners'), null);
  assert.equal(find('listeners.tcp.a.b'), null);
  assert.equal(find('default_users.x'), null);
});

test('a written segment goes before a variable one, and a variable one before **', () => {
  assert.equal(find('log.console.level')?.key, consoleLevel);
  assert.equal(find('log.channel.level')?.key, level);
  assert.deepEqual(find('log.syslog.ssl_options.verify'), { key: syslog, variables: ['ssl_options.verify'], isAlias: false });
  assert.equal(find('log.syslog.level')?.key, syslog);
  assert.equal(find('log.syslog'), null);
});

test('an alias finds the key it is an alias of', () => {
  assert.deepEqual(find('max_connections'), { key: connections, variables: [], isAlias: true });
  assert.deepEqual(find('connection_max'), { key: connections, variables: [], isAlias: false });
});

test('names of object members are ordinary names', () => {
  assert.equal(find('__proto__'), null);
  assert.equal(find('constructor.prototype'), null);
  assert.deepEqual(find('listeners.tcp.__proto__'), { key: tcp, variables: ['__proto__'], isAlias: false });
});

test('two keys that claim one pattern are a mistake in the schema', () => {
  assert.throws(() => new KeyIndex([none, optionalKey('listeners.tcp', text, '')]), /two keys claim listeners\.tcp/);
  assert.throws(() => new KeyIndex([tcp, familyKey('listeners.tcp.$other', text, '')]), /two keys claim/);
  assert.throws(() => new KeyIndex([syslog, ignoredKey('log.syslog.**', '')]), /two keys claim/);
});

test('segments and names are each other’s opposite', () => {
  for (const name of ['a', 'a.b', 'a\\.b.c', 'a.b\\.c\\.d']) assert.equal(keyName(keySegments(name) ?? []), name);
  for (const name of ['', '.', 'a.', '.a', 'a..b', 'a b', 'a\\b', 'ä', 'a\\']) assert.equal(keySegments(name), null, name);
});

test('a name of many segments costs no deep recursion', () => {
  assert.equal(index.find(Array.from({ length: 30_000 }, () => 'a')), null);
  assert.equal(index.find(['log', 'syslog', ...Array.from({ length: 30_000 }, () => 'a')])?.key, syslog);
});

function similar(name: string): string | null {
  return similarKey(keySegments(name) ?? [], KEYS);
}

test('a misspelled key is recognised, with its own variables', () => {
  assert.equal(similar('lisners.tcp.default'), 'listeners.tcp.default');
  assert.equal(similar('default_users.a\\.b.pasword'), 'default_users.a\\.b.password');
  assert.equal(similar('conection_max'), 'connection_max');
  assert.equal(similar('conenction_max'), 'connection_max');
  assert.equal(similar('max_conections'), 'max_connections');
});

test('a key that is only the beginning of another is completed', () => {
  assert.equal(similar('vm_memory_high_watermark'), 'vm_memory_high_watermark.relative');
});

test('what resembles nothing gets no suggestion', () => {
  assert.equal(similar('completely.different.thing'), null);
  assert.equal(similar('x'), null);
  assert.equal(similar('x'.repeat(10_000)), null);
});

test('the distance of two words counts insertions, deletions, replacements and swaps', () => {
  assert.equal(editDistance('kitten', 'sitting', 10), 3);
  assert.equal(editDistance('abc', 'acb', 10), 1);
  assert.equal(editDistance('', 'abc', 10), 3);
  assert.equal(editDistance('abc', 'abc', 10), 0);
  assert.equal(editDistance('abcdef', 'uvwxyz', 3), 3);
  assert.equal(editDistance('a', 'abcdef', 3), 3);
});
