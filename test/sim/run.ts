// Runs simulations of a whole broker with fake clock, sockets and disk, each from one integer.
//   npm run sim -- [--seed FIRST] [--seeds COUNT] [--steps COUNT] [--forever]
// Each seed is a run with clients that do what they like, and one whose disk loses what was not synced when the power goes.
// A failure prints its seed; `--seed N --seeds 1` repeats it, event for event.
import { parseArgs } from 'node:util';
import { World } from './durable-world.ts';
import { Simulation } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '300' },
    steps: { type: 'string', default: '3000' },
    forever: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);
const count = values.forever ? Infinity : Number(values.seeds);
const steps = Number(values.steps);
const failuresMax = 5;
const reportMillis = 60_000;
const began = performance.now();
const sums: Record<string, number> = {};
let failures = 0;
let reported = began;
let seed = first;

function add(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + value;
}

function report(): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const totals = Object.entries(sums).map(([name, value]) => `${value} ${name}`);
  console.log(`seeds ${first} to ${seed - 1} of ${steps} steps in ${seconds} s, ${failures} failed; ${totals.join(', ')}`);
}

for (; seed < first + count && failures < failuresMax; seed++) {
  try {
    const { counts, commits } = new Simulation(seed).run(steps);
    add({ ...counts, commits });
    const world = await new World(seed).run();
    add({ starts: world.starts, 'publishes on a failing disk': world.publishes, 'confirms there': world.confirms });
  } catch (error) {
    failures++;
    console.error(`seed ${seed} failed (npm run sim -- --seed ${seed} --seeds 1 --steps ${steps}):`, error);
  }
  if (performance.now() - reported < reportMillis) continue;
  reported = performance.now();
  report();
}
report();
process.exit(failures === 0 ? 0 : 1);
