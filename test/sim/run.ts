// Runs simulations: node test/sim/run.ts [--seed FIRST] [--seeds COUNT] [--steps COUNT]
// A failure prints the seed; `--seed N --seeds 1` repeats it, event for event.
import { parseArgs } from 'node:util';
import { Simulation } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1000' },
    steps: { type: 'string', default: '3000' },
  },
});
const first = Number(values.seed);
const count = Number(values.seeds);
const steps = Number(values.steps);
const began = performance.now();
const sums: Record<string, number> = { commits: 0 };
let failures = 0;
for (let seed = first; seed < first + count; seed++) {
  try {
    const report = new Simulation(seed).run(steps);
    for (const [name, value] of Object.entries(report.counts)) sums[name] = (sums[name] ?? 0) + value;
    sums.commits = (sums.commits ?? 0) + report.commits;
  } catch (error) {
    failures++;
    console.error(`seed ${seed} failed after ${steps} steps (node test/sim/run.ts --seed ${seed} --seeds 1 --steps ${steps}):`, error);
    if (failures >= 5) break;
  }
}
const seconds = (performance.now() - began) / 1000;
const totals = Object.entries(sums).map(([name, value]) => `${value} ${name}`);
console.log(`${count} seeds of ${steps} steps in ${seconds.toFixed(1)} s, ${failures} failed; ${totals.join(', ')}`);
process.exit(failures === 0 ? 0 : 1);
