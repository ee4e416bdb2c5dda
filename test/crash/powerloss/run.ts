// The power-loss campaign: real runs are recorded at the files port, and replayed with what was not synced lost, torn or reordered.
//   npm run powerloss -- --states 100000 --seed S
// A failure prints the seed of its trace and the number of its state. Traces are of real runs, so moments differ from run to run.
import { parseArgs } from 'node:util';
import { recordTrace, traceOptions } from './record.ts';
import { Replay } from './replay.ts';

const { values } = parseArgs({
  options: {
    states: { type: 'string', default: '5000' },
    'states-per-trace': { type: 'string', default: '1000' },
    events: { type: 'string', default: '6000' },
    seed: { type: 'string', default: '1' },
    'until-violation': { type: 'boolean', default: false },
  },
});
const wanted = Number(values.states);
const perTrace = Number(values['states-per-trace']);
const began = performance.now();
const totals = { traces: 0, states: 0, doubles: 0, confirmed: 0, violations: 0 };
const byKind = new Map<string, number>();
for (let seed = Number(values.seed); totals.states < wanted; seed++) {
  const { trace, confirmed, confirmedByKind } = await recordTrace(seed, Number(values.events));
  const replay = new Replay(trace.events, seed, traceOptions);
  const { states, doubles, violations } = replay.run(Math.min(perTrace, wanted - totals.states));
  totals.traces++;
  totals.states += states;
  totals.doubles += doubles;
  totals.confirmed += confirmed;
  for (const [kind, count] of Object.entries(confirmedByKind)) byKind.set(kind, (byKind.get(kind) ?? 0) + count);
  totals.violations += violations.length;
  for (const violation of violations) console.error(`trace ${seed}: ${violation}`);
  if (violations.length > 0 && values['until-violation']) break;
  if (states === 0) throw new Error('a trace without states');
  if (totals.traces % 10 === 0) console.log(`${totals.states} states, ${totals.violations} violations`);
}
console.log(
  JSON.stringify({
    seed: Number(values.seed),
    ...totals,
    confirmedByKind: Object.fromEntries(byKind),
    seconds: (performance.now() - began) / 1000,
  }),
);
process.exit(totals.violations === 0 ? 0 : 1);
