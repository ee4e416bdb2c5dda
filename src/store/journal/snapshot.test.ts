import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allAtOnce } from '../../core/stepped-work.ts';
import type { Files } from '../../core/ports/files.ts';
import { encodeSnapshot, readSnapshot, snapshotNames } from './snapshot.ts';

/** What is read when both files hold this. */
function read(bytes: Buffer): ReturnType<typeof readSnapshot> {
  const files: Pick<Files, 'list' | 'readWhole'> = { list: () => [...snapshotNames], readWhole: () => bytes };
  return readSnapshot(files as Files);
}

for (const [what, texts] of [
  ['nothing', []],
  ['one change', ['a']],
  ['many changes, which fill several pieces', Array.from({ length: 20_000 }, (_, i) => `queue ${i} ${'x'.repeat(i % 97)}`)],
  ['texts of every width', ['', 'é', '€uro', '😀'.repeat(30_000), '"\\\n\u0000', '\ud800']],
  ['changes that are larger than a piece', ['x'.repeat(300_000), '€'.repeat(262_144), 'y'.repeat(1_000_000), 'z']],
] as const)
  test(`a snapshot of ${what} is read as it was written`, () => {
    const changes = texts.map(text => ({ kind: 'test', text }));
    const pieces = allAtOnce(encodeSnapshot({ sequence: 7, lastQueueId: 9, runs: [], changes }));
    const bytes = Buffer.concat(pieces);
    const { snapshot, problems, isSafe } = read(bytes);
    assert.deepEqual(problems, []);
    assert.ok(isSafe);
    assert.deepEqual(snapshot?.changes, JSON.parse(JSON.stringify(changes)));
    assert.deepEqual([snapshot?.sequence, snapshot?.lastQueueId], [7, 9]);
    if (texts.length < 2) assert.equal(pieces.length, 1);
    const damaged = Buffer.from(bytes);
    damaged[bytes.length >> 1] = (damaged[bytes.length >> 1] as number) ^ 1;
    assert.equal(read(damaged).snapshot, null);
    assert.equal(read(bytes.subarray(0, -1)).snapshot, null);
  });

test('at every length around the end of a piece it is whole', () => {
  for (let length = 262_144 / 3 - 300; length < 262_144 / 3 + 20; length += 7) {
    const changes = [{ kind: 'test', text: 'x'.repeat(Math.floor(length)) }, { kind: 'test' }, { kind: 'test' }];
    const bytes = Buffer.concat(allAtOnce(encodeSnapshot({ sequence: 1, lastQueueId: 1, runs: [], changes })));
    assert.deepEqual(read(bytes).snapshot?.changes, changes);
  }
});
