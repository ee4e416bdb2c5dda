// The short form of the kill campaign (npm run crash).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Campaign } from './campaign/campaign.ts';
import { straceRefusal } from './campaign/victim.ts';

test('a broker that is killed again and again keeps every promise it made', { timeout: 240_000 }, async t => {
  const refusal = straceRefusal();
  if (refusal !== null) t.diagnostic(`without kills at system calls: ${refusal}`);
  const seed = Number(process.env.SEED ?? 1);
  const campaign = new Campaign({ cycles: 8, seed, hasStrace: refusal === null, loadMillis: 250, endsAtViolation: true });
  const result = await campaign.run();
  assert.deepEqual(
    result.violations,
    [],
    `npm run crash -- --cycles 8 --seed ${seed} --load-millis 250 repeats this, as far as moments can be`,
  );
  for (const [kind, count] of Object.entries(result.confirmedByKind))
    assert.ok(count > 50, `only ${count} messages of ${kind} were confirmed`);
});
