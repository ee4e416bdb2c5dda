// The short form of the power-loss campaign: npm run powerloss.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordTrace, traceOptions } from './powerloss/record.ts';
import { Replay } from './powerloss/replay.ts';

test('a real run, replayed with unsynced writes lost, torn and reordered, loses nothing it confirmed', { timeout: 120_000 }, async () => {
  const seed = Number(process.env.SEED ?? 1);
  const { trace, confirmed } = await recordTrace(seed, 4000);
  const { states, doubles, violations } = new Replay(trace.events, seed, traceOptions).run(1000);
  assert.deepEqual(violations, [], `npm run powerloss -- --states 1000 --seed ${seed} does the same with another run`);
  assert.ok(confirmed > 200 && states > 900 && doubles > 50, `${confirmed} confirmed, ${states} states, ${doubles} of them double`);
});
