import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KEYS } from '../src/server/config/schema.ts';
import { load } from '../test/support/config-texts.ts';
import { generateConfigReference } from './generate-config-reference.ts';

const reference = generateConfigReference();

test('the configuration reference is what the schema gives', () => {
  assert.equal(readFileSync(new URL('../docs/guides/configuration.md', import.meta.url), 'utf8'), reference);
});

test('the reference names every key', () => {
  for (const key of KEYS) for (const name of [key.pattern, ...key.aliases]) assert.ok(reference.includes(`\`${name}\``), name);
});

test('every row of a table has as many cells as its head', () => {
  let cells = 0;
  for (const line of reference.split('\n')) {
    const count = line.startsWith('|') ? line.split(/(?<!\\)\|/).length : 0;
    if (count > 0 && cells > 0) assert.equal(count, cells, line);
    cells = count;
  }
});

test('the example of the format is read as it says', () => {
  const example = /## The format\n\n((?: {4}.*\n)+)/.exec(reference)?.[1]?.replaceAll(/^ {4}/gm, '') ?? assert.fail();
  const { config } = load({ conf: example, files: { './tls.conf': 'heartbeat = 7' }, env: { REGION: 'eu' } });
  assert.equal(config.listeners[0]?.port, 5672);
  assert.equal(config.defaults.password.reveal(), 'efd3!53a9@_2#a08');
  assert.equal(config.clusterName, 'shop-eu');
  assert.equal(config.limits.heartbeatSeconds, 7);
  assert.deepEqual(config.clusterTags, [{ name: 'note', value: 'a value of several\nlines' }]);
});
