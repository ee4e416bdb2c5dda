// The broken builds that the campaigns must catch follow the sources: whoever changes a line that one of them breaks finds out here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkMutants } from '../crash/campaign/mutants.ts';

test('every broken build of the campaigns can be made of the sources as they are', () => {
  assert.ok(checkMutants() >= 12);
});
