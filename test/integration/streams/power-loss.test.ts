// Streams on a disk that loses what was not synced: after any loss of power, and after any end of the process, what was durable is there under
// its offset, and an offset that somebody may have read never stands for another message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataLosses, nameLosses } from '../../support/sim-platter.ts';
import { SimFiles } from '../../support/sim-files.ts';
import { Random } from '../../support/random.ts';
import { keepAll, StreamWorld } from '../../support/stream-world.ts';

/** Small segments that many commits fill, and large messages of which one commit fills several segments. */
const shapes = [
  { retention: { ...keepAll, segmentBytesMax: 3000 }, bodyBytes: 200, stepsMin: 40 },
  { retention: { ...keepAll, segmentBytesMax: 70_000 }, bodyBytes: 60_000, stepsMin: 15 },
] as const;
type Shape = (typeof shapes)[number];

function settle(files: SimFiles): void {
  while (files.step());
}

/** One life of a stream: appends and commits until it ends at some moment. Returns what was durable when it ended. */
function live(files: SimFiles, random: Random, known: Map<number, string>, life: number, shape: Shape): SimFiles {
  const world = new StreamWorld(files, shape.retention, {}, () => settle(files));
  const found = world.read();
  assert.deepEqual(world.report.damaged, [], 'a loss of power is no damage');
  assert.deepEqual(world.errors, []);
  for (const [index, message] of found.entries()) assert.equal(message.offset, index, 'there are no gaps');
  for (const [offset, body] of known) assert.equal(found[offset]?.body, body, `offset ${offset} in life ${life}`);
  // Whatever is shown now has been seen.
  for (const { offset, body } of found) known.set(offset, body);
  let isFlying = false;
  for (let step = 0; step < shape.stepsMin + random.below(shape.stepsMin); step++) {
    for (let count = random.below(4); count > 0; count--) {
      const body = `${life}:${world.log.nextOffset}:${'x'.repeat(random.below(random.chance(0.1) ? 5000 : shape.bodyBytes))}`;
      const offset = world.append(body);
      world.pending.set(offset, body);
    }
    if (!isFlying && world.store.hasWork) {
      isFlying = true;
      world.store.take();
      world.store.write(error => {
        assert.equal(error, null);
        world.store.committed();
        isFlying = false;
        for (const [offset, body] of world.pending) if (offset < world.log.endOffset) known.set(offset, body);
      });
    }
    for (let count = random.below(5); count > 0; count--) files.step();
  }
  if (random.chance(0.3)) return files.kill();
  const data = dataLosses[random.below(dataLosses.length)] ?? 'none';
  const names = nameLosses[random.below(nameLosses.length)] ?? 'none';
  return files.cutPower({ data, names });
}

test('what was durable is there after losses of power at any moment, one after the other, from many seeds', () => {
  let most = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed);
    const known = new Map<number, string>();
    let files = new SimFiles(random);
    try {
      for (let life = 0; life < 5; life++) files = live(files, random, known, life, shapes[seed % 2] as Shape);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    most = Math.max(most, known.size);
  }
  assert.ok(most > 100, String(most));
});
