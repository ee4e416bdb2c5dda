import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { assertNodeVersion } from './node-version.ts';

test('a Node that is older than the package asks for is named', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { engines: { node: string } };
  assert.equal(engines.node, '>=22.18');
  for (const version of ['22.18.0', '22.19.1', '24.0.0', '30.1.0']) assertNodeVersion(version);
  for (const version of ['18.20.0', '20.20.2', '22.17.9']) {
    assert.throws(() => assertNodeVersion(version), new Error(`WarrenMQ needs Node.js 22.18 or newer; this is ${version}`));
  }
});
