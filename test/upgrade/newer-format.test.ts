// Going back to an older version: what a newer one wrote is refused and left alone, it is not damage.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Broker } from '../../src/server/broker.ts';
import { exitCodeOf, exitDamaged, explain } from '../../src/server/start-error.ts';
import { allAtOnce } from '../../src/core/stepped-work.ts';
import { encodeSnapshot, snapshotNames } from '../../src/store/journal/snapshot.ts';
import { temporaryDirectory } from '../support/warren-process.ts';

/** The same snapshot, of the next format. */
function ofNextFormat(snapshot: Buffer): Buffer {
  const json = snapshot.toString().split('\n')[1]?.replace('"format":1', '"format":2') ?? '';
  return Buffer.from(`${createHash('sha256').update(json).digest('hex')}\n${json}\n`);
}

const [main = '', copy = ''] = snapshotNames;

for (const [what, newer] of [
  ['both copies of the definitions', [main, copy]],
  ['the first copy of the definitions', [main]],
  ['the second copy of the definitions', [copy]],
] as const) {
  test(`a directory in which ${what} are of a newer version is refused, and nothing in it is changed`, async t => {
    const dataDir = join(temporaryDirectory(t), 'data');
    await (await Broker.start({ dataDir })).stop();
    const path = (name: string): string => join(dataDir, 'journal', name);
    for (const name of newer) writeFileSync(path(name), ofNextFormat(readFileSync(path(name))));
    const before = snapshotNames.map(name => readFileSync(path(name), 'utf8'));
    await assert.rejects(Broker.start({ dataDir }), error => {
      assert.equal(
        explain(error),
        'the definitions were written by a newer version (format 2; this one knows 1): start that version again, or give this one another data directory',
      );
      assert.equal(exitCodeOf(error), exitDamaged);
      return true;
    });
    assert.deepEqual(
      snapshotNames.map(name => readFileSync(path(name), 'utf8')),
      before,
    );
  });
}

test('definitions that are damaged in every copy are told as damage, with what can be done', async t => {
  const dataDir = join(temporaryDirectory(t), 'data');
  mkdirSync(join(dataDir, 'journal'), { recursive: true });
  const broken = Buffer.concat(allAtOnce(encodeSnapshot({ sequence: 1, lastQueueId: 0, runs: [], changes: [] }))).fill('x', 0, 4);
  for (const name of snapshotNames) writeFileSync(join(dataDir, 'journal', name), broken);
  await assert.rejects(Broker.start({ dataDir }), error => {
    assert.match(
      explain(error),
      /^the data directory is damaged: the definitions are damaged: .*its digest does not fit\. Nothing in it was changed: look at it with "warren check", or put a backup in its place$/,
    );
    return true;
  });
});
