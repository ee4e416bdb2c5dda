// Runs the simulation of a broker on a disk that loses what was not synced.
//   node test/sim/durability.ts --seed N            one seed, with what happened
//   node test/sim/durability.ts --seeds N [--from M]
import { parseArgs } from 'node:util';
import { World } from './durable-world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    'until-failure': { type: 'boolean', default: false },
  },
});
const isOne = values.seed !== undefined;
const first = Number(isOne ? values.seed : values.from);
const count = isOne ? 1 : Number(values.seeds);
const totals = {
  publishes: 0,
  confirms: 0,
  deliveries: 0,
  starts: 0,
  moved: 0,
  fetched: 0,
  duplicates: 0,
  delayed: 0,
  indexBlocks: 0,
  segmentsRemoved: 0,
  read: 0,
  retained: 0,
};
const began = performance.now();
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  const world = new World(seed);
  try {
    const result = await world.run();
    for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += result[key];
    if (isOne) console.log(world.trace.join('\n'));
  } catch (error) {
    failed++;
    console.error(`seed ${seed} failed (node test/sim/durability.ts --seed ${seed}): ${(error as Error).message}`);
    if (isOne) console.error(world.trace.join('\n'), '\n', (error as Error).stack, (error as Error).cause ?? '');
    if (failed > 20 || values['until-failure']) break;
  }
}
const seconds = (performance.now() - began) / 1000;
console.log(`${count} seeds in ${seconds.toFixed(1)} s, ${failed} failed:`, totals);
process.exit(failed > 0 ? 1 : 0);
