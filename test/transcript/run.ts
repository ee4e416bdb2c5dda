// Plays transcripts: node test/transcript/run.ts [--write] [FILE ...]
// With --write the files are written anew with what the broker does; review the difference before you keep it.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { retell, transcriptFiles } from './transcripts.ts';

const here = dirname(fileURLToPath(import.meta.url));
const { values, positionals } = parseArgs({ options: { write: { type: 'boolean', default: false } }, allowPositionals: true });
let differences = 0;
for (const file of transcriptFiles(here)) {
  if (positionals.length > 0 && !positionals.some(wanted => basename(wanted, '.txt') === basename(file, '.txt'))) continue;
  const text = readFileSync(join(here, file), 'utf8');
  const told = retell(file, text);
  if (told === text) continue;
  differences++;
  if (values.write) writeFileSync(join(here, file), told);
  console.log(`${file} ${values.write ? 'was written anew' : 'differs; --write writes it anew'}`);
}
process.exit(differences === 0 || values.write ? 0 : 1);
