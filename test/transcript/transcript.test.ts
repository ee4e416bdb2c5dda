// Plays every transcript and compares. `node test/transcript/run.ts --write` writes them anew; the difference is for review.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { retell, transcriptFiles } from './transcripts.ts';

const here = dirname(fileURLToPath(import.meta.url));

for (const file of transcriptFiles(here)) {
  test(`the broker does what ${file} tells`, () => {
    const text = readFileSync(join(here, file), 'utf8');
    assert.equal(retell(file, text), text);
  });
}
