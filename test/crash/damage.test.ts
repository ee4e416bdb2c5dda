// The short form of the damage campaign: npm run damage.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../support/random.ts';
import { realBase, smallBase } from './damage/base.ts';
import { type Injury, injure, injuryName } from './damage/injure.ts';

/** Odd and large, so that all bits of a byte come up. */
const step = 211;

test('a flipped bit anywhere costs at most the damaged record, and is reported', { timeout: 120_000 }, async () => {
  const base = await smallBase();
  const violations: string[] = [];
  let states = 0;
  let withLoss = 0;
  for (const [file, count] of base.used) {
    for (let at = states % step; at < count * 8; at += step) {
      const injury: Injury = { kind: 'flip', file, position: at >> 3, bit: at & 7 };
      const result = injure(base, injury);
      states++;
      if (result.lost > 0) withLoss++;
      for (const violation of result.violations) violations.push(`${injuryName(injury)}: ${violation}`);
    }
  }
  assert.deepEqual(violations, []);
  assert.ok(states > 300 && withLoss > 50, `${states} states, ${withLoss} with loss`);
});

test('a file that is cut anywhere is read up to the cut, and the loss is reported', { timeout: 120_000 }, async () => {
  const base = await smallBase();
  const violations: string[] = [];
  for (const [file, count] of base.used) {
    for (let size = 0; size < count; size += 97) {
      const injury: Injury = { kind: 'truncate', file, size };
      for (const violation of injure(base, injury).violations) violations.push(`${injuryName(injury)}: ${violation}`);
    }
  }
  assert.deepEqual(violations, []);
});

test('of a busy broker with a stream, sessions, retries and held messages any file is damaged, and no more than the damaged piece is lost', {
  timeout: 120_000,
}, async () => {
  const base = await realBase(1);
  const random = new Random(1);
  const violations: string[] = [];
  const streamFiles = [...base.used.keys()].filter(name => name.startsWith('streams/'));
  assert.ok(streamFiles.length > 0 && (base.expected.get('stream')?.length ?? 0) > 20);
  let withLoss = 0;
  for (let i = 0; i < 60; i++) {
    const file = random.pick(i % 2 === 0 ? streamFiles : [...base.used.keys()]);
    const position = random.below(base.used.get(file) as number);
    const injury: Injury =
      i % 10 === 0 ? { kind: 'truncate', file, size: position } : { kind: 'flip', file, position, bit: random.below(8) };
    const result = injure(base, injury);
    if (result.lost > 0) withLoss++;
    for (const violation of result.violations) violations.push(`${injuryName(injury)}: ${violation}`);
  }
  assert.deepEqual(violations, []);
  assert.ok(withLoss > 10, `${withLoss} with loss`);
});
