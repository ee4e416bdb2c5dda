// Plays the scripts to a running broker and prints where its answers differ from the recordings:
//   node test/differential/run.ts --port PORT [--host HOST] [--only FILE[:CASE]] [--definitions] [--brief] [--show] [--accept REASON]
// `--definitions` says that definitions.json is loaded; `--brief` prints only the steps that differ; `--show` prints what was played; `--accept` writes the answers of the selected cases
// that differ to differs/ with that reason. Exit code 1 when something differs.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Cleaner } from './cleaner.ts';
import { difference } from './compare.ts';
import { playCase } from './player.ts';
import { type Case, printCase, readCases } from './script.ts';
import { differsFolder, playSuite, readSuite } from './suite.ts';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '5672' },
    host: { type: 'string', default: '127.0.0.1' },
    only: { type: 'string' },
    definitions: { type: 'boolean', default: false },
    brief: { type: 'boolean', default: false },
    show: { type: 'boolean', default: false },
    accept: { type: 'string' },
    'settle-ms': { type: 'string', default: '6' },
  },
});
const target = { host: options.host, port: Number(options.port) };
const counts = { equal: 0, different: 0, skipped: 0 };

function accept(played: Case, reason: string): void {
  mkdirSync(differsFolder, { recursive: true });
  const others = readCases(differsFolder).filter(other => other.file === played.file && other.name !== played.name);
  const text = [...others, { ...played, differs: reason }].map(printCase).join('');
  writeFileSync(join(differsFolder, `${played.file}.txt`), text);
}

await playSuite(readSuite(options.only ?? null), async ({ script, recorded, differs }) => {
  const expected = differs ?? recorded;
  if (expected === null || (script.needs !== null && !options.definitions)) {
    counts.skipped++;
    return;
  }
  try {
    const played = await playCase(script, target, { quietMillis: 40, settleMillis: Number(options['settle-ms']), expected });
    if (options.show) console.log(printCase(played));
    const changes = difference(expected, played, options.brief);
    if (changes === null) counts.equal++;
    else {
      counts.different++;
      if (!options.show) console.log(changes);
      if (options.accept !== undefined) accept(played, options.accept);
    }
  } catch (error) {
    counts.different++;
    console.log(`${script.file}: ${script.name}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
});
Cleaner.leaveAll();
console.log(`${counts.equal} equal, ${counts.different} different, ${counts.skipped} skipped (no recording, or definitions needed)`);
process.exit(counts.different === 0 ? 0 : 1);
