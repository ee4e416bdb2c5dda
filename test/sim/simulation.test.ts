// The short form of the simulation; test/sim/run.ts runs as many seeds as one likes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from './simulation.ts';

const seedCount = 2000;
const stepCount = 3000;

test(`a broker with clients that do what they like keeps the rules, for ${seedCount} seeds`, () => {
  let published = 0;
  let delivered = 0;
  let commits = 0;
  for (let seed = 1; seed <= seedCount; seed++) {
    try {
      const report = new Simulation(seed).run(stepCount);
      published += report.counts.published;
      delivered += report.counts.delivered;
      commits += report.commits;
    } catch (error) {
      throw new Error(`npm run sim -- --seed ${seed} --seeds 1 --steps ${stepCount} repeats this: ${String(error)}`, {
        cause: error,
      });
    }
  }
  // A simulation in which nothing happens proves nothing.
  assert.ok(
    published > 50 * seedCount && delivered > 15 * seedCount && commits > seedCount,
    `only ${published} publishes, ${delivered} deliveries`,
  );
});

test('a seed repeats a run, event for event', () => {
  for (let seed = 1; seed <= 5; seed++) {
    assert.deepEqual(new Simulation(seed).run(1000), new Simulation(seed).run(1000));
  }
});
