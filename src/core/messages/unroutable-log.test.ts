import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LargeBody } from './large-body.ts';
import { packEnvelope } from './envelope.ts';
import { Publication } from './publication.ts';
import { UnroutableLog, unroutableMax } from './unroutable-log.ts';

function publication(key: string, body: string, properties = Buffer.alloc(0)): Publication {
  const p = new Publication();
  p.envelope = packEnvelope('x', key, ['hidden']);
  p.envelopeBytes = p.envelope.length;
  p.properties = properties;
  p.propertiesBytes = properties.length;
  p.body = Buffer.from(body);
  p.bodyBytes = p.body.length;
  return p;
}

test('the last hundred are there, newest first, without the blind keys', () => {
  const log = new UnroutableLog();
  assert.deepEqual([...log.list()], []);
  for (let i = 1; i <= unroutableMax + 5; i++) log.add(publication(`k${i}`, `body ${i}`), i);
  const list = [...log.list()];
  assert.deepEqual([list.length, log.count], [unroutableMax, unroutableMax]);
  assert.deepEqual(
    [list[0], list.at(-1)].map(each => [each?.number, each?.wallMillis, String(each?.body)]),
    [
      [unroutableMax + 5, unroutableMax + 5, `body ${unroutableMax + 5}`],
      [6, 6, 'body 6'],
    ],
  );
  assert.equal(String(list.at(-1)?.envelope), '\x01x\x02k6');
  log.clear();
  assert.deepEqual([...log.list()], []);
  log.add(publication('again', ''), 1);
  assert.deepEqual(
    [...log.list()].map(({ number }) => number),
    [unroutableMax + 6],
  );
});

test('of what is long the beginning is kept, and properties wholly or not at all', () => {
  const log = new UnroutableLog();
  log.add(publication('k', 'b'.repeat(10_000)), 1);
  log.add(publication('k', 'b'.repeat(10), Buffer.alloc(5000, 1)), 2);
  log.add(publication('k', 'b'.repeat(10_000), Buffer.alloc(4096 - 4, 1)), 3);
  const parts = publication('k', '');
  parts.large = LargeBody.of([Buffer.alloc(3000, 'a'), Buffer.alloc(3000, 'b')]);
  parts.bodyBytes = 6000;
  log.add(parts, 4);
  const [inParts, full, long, large] = [...log.list()].map(({ properties, body, bodyBytes }) => [
    properties?.length ?? null,
    body.length,
    bodyBytes,
  ]);
  assert.deepEqual(large, [0, 4096 - 4, 10_000]);
  assert.deepEqual(long, [null, 10, 10]);
  assert.deepEqual(full, [4096 - 4, 0, 10_000]);
  assert.deepEqual(inParts, [0, 4096 - 4, 6000]);
});
