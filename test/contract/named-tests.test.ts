// What documents say is shown by a test is shown by a test that exists.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultsOfProof, pathOfTest, proofRows } from '../support/named-tests.ts';

/** Tables of what can go wrong, and of who shows what happens then. */
const proofs = ['docs/internals/abuse.md', 'docs/internals/advisories.md', 'docs/internals/faults.md'];

for (const document of proofs) {
  if (!existsSync(join(import.meta.dirname, '..', '..', document))) continue;
  test(`every test that ${document} names exists`, () => {
    const rows = proofRows(document);
    assert.ok(rows.length > 10, `${document} has ${rows.length} rows with tests`);
    const faults = rows
      .filter(row => !row.proof.startsWith('not applicable: '))
      .flatMap(row => faultsOfProof(row.proof).map(fault => `${document}:${row.line} ${row.subject}: ${fault}`));
    assert.deepEqual(faults, []);
  });
}

test('every test that docs/DIFFERENCES.md names exists', () => {
  const missing = proofRows('docs/DIFFERENCES.md').flatMap(row =>
    row.proof
      .split(', ')
      .filter(name => pathOfTest(name.replace(/\.test$/, '')) === null)
      .map(name => `line ${row.line}: ${name}`),
  );
  assert.deepEqual(missing, []);
});
