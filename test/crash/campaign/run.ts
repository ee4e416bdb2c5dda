// The kill campaign: kills a real broker again and again under load and keeps account of everything it promised.
//   npm run crash -- --cycles N --seed S     N lives, ended at random moments, at the n-th write, sync, rename ..., and while recovering
//   npm run crash -- --kinds quorum,stream   of the kinds of traffic only these: classic quorum stream retry delay mqtt-1 mqtt-2 stomp
//   npm run crash -- --mutants               breaks copies of the sources in known ways and shows that the campaigns notice
import { parseArgs } from 'node:util';
import { Campaign } from './campaign.ts';
import { kinds } from './topology.ts';
import { straceRefusal } from './victim.ts';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    'load-millis': { type: 'string', default: '600' },
    'until-violation': { type: 'boolean', default: false },
    kinds: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

if (values.mutants) {
  const { runMutants } = await import('./mutants.ts');
  process.exit(await runMutants(values.only));
}
const refusal = straceRefusal();
if (refusal !== null) console.log(`without kills at system calls: ${refusal}`);
const result = await new Campaign({
  cycles: Number(values.cycles),
  seed: Number(values.seed),
  kinds: kinds.filter(kind => values.kinds === undefined || values.kinds.split(',').includes(kind)),
  hasStrace: refusal === null,
  loadMillis: Number(values['load-millis']),
  endsAtViolation: values['until-violation'],
  onProgress: text => console.log(text),
}).run();
for (const violation of result.violations) console.error(violation);
const { violations, ...rest } = result;
console.log(JSON.stringify({ seed: Number(values.seed), ...rest, violations: violations.length }));
process.exit(violations.length === 0 ? 0 : 1);
