// Records RabbitMQ's answers to the scripts:
//   node test/differential/record.ts --port PORT [--host HOST] [--only FILE[:CASE]] [--passes 2] [--quiet-ms 40] [--changed]
// Every case is played `passes` times; one that does not answer alike each time is reported and not written. `--changed` plays only cases whose
// script differs from the recording. Cases with `needs` want definitions.json imported before (see README.md).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Cleaner } from './cleaner.ts';
import { difference } from './compare.ts';
import { playCase } from './player.ts';
import { type Case, printCase } from './script.ts';
import { playSuite, readSuite, recordedFolder, type SuiteCase } from './suite.ts';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '5672' },
    host: { type: 'string', default: '127.0.0.1' },
    only: { type: 'string' },
    passes: { type: 'string', default: '2' },
    'quiet-ms': { type: 'string', default: '40' },
    changed: { type: 'boolean', default: false },
  },
});
const target = { host: options.host, port: Number(options.port) };
const pace = { quietMillis: Number(options['quiet-ms']), settleMillis: 0, expected: null } as const;

function isChanged({ script, recorded }: SuiteCase): boolean {
  if (recorded === null || recorded.steps.length !== script.steps.length) return true;
  return recorded.steps.some((step, index) => step.text !== script.steps[index]?.text);
}

/** Plays a case several times. Null, with a report, when the answers vary. */
async function record(script: Case): Promise<Case | null> {
  let first: Case | null = null;
  for (let pass = 0; pass < Number(options.passes); pass++) {
    const played = await playCase(script, target, pace);
    const changes = first === null ? null : difference(first, played);
    if (changes !== null) {
      console.error(`varies from pass to pass: ${changes}`);
      return null;
    }
    first ??= played;
  }
  return first;
}

const wanted = new Set(readSuite(options.only ?? null).map(({ script }) => `${script.file}:${script.name}`));
const suite = readSuite();
const results = new Map<Case, Case>();
let problems = 0;
await playSuite(suite, async entry => {
  const { script, recorded } = entry;
  let result = recorded;
  if (wanted.has(`${script.file}:${script.name}`) && (!options.changed || isChanged(entry))) {
    try {
      const played = await record(script);
      if (played === null) problems++;
      else {
        if (recorded !== null && recorded.steps.length === played.steps.length) {
          const changes = difference(recorded, played);
          if (changes !== null) console.log(`changed since the last recording: ${changes}`);
        }
        result = played;
      }
    } catch (error) {
      problems++;
      console.error(`${script.file}: ${script.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (result !== null) results.set(script, result);
});
mkdirSync(recordedFolder, { recursive: true });
for (const file of new Set(suite.map(({ script }) => script.file))) {
  const cases = suite.flatMap(({ script }) => (script.file === file ? (results.get(script) ?? []) : []));
  writeFileSync(join(recordedFolder, `${file}.txt`), cases.map(printCase).join(''));
}
Cleaner.leaveAll();
console.log(`${results.size} cases recorded, ${problems} problem(s)`);
process.exit(problems === 0 ? 0 : 1);
