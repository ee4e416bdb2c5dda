import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { foreignDataWarning, rabbitmqDataNear } from './foreign-data.ts';

/** A directory with these files. */
function directoryWith(t: TestContext, ...files: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'warren-foreign-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  return root;
}

test("RabbitMQ's data is found where its packages, its image and its variables put it", t => {
  for (const [file, dataDir, found] of [
    ['mnesia/rabbit@host/schema.DAT', 'warren', 'mnesia/rabbit@host'],
    ['mnesia/rabbit@host/cluster_nodes.config', 'warren', 'mnesia/rabbit@host'],
    ['rabbit@host/rabbit_serial', 'rabbit@host', 'rabbit@host'],
    ['rabbit@old/nodes_running_at_shutdown', 'rabbit@new', 'rabbit@old'],
    ['mnesia/schema.DAT', 'mnesia', 'mnesia'],
  ] as const) {
    const root = directoryWith(t, file);
    assert.equal(rabbitmqDataNear(join(root, dataDir)), join(root, found), file);
    assert.match(foreignDataWarning(join(root, dataDir)) ?? '', /has data of RabbitMQ.*export_definitions.*moving-from-rabbitmq/);
  }
});

test('nothing is said of other files, nor by a broker that has data of its own', t => {
  const other = directoryWith(t, 'mnesia/notes.txt', 'rabbit@host/journal/0.log', 'data/x');
  assert.equal(foreignDataWarning(join(other, 'warren')), null);
  assert.equal(foreignDataWarning(join(other, 'nosuch', 'warren')), null);
  const moved = directoryWith(t, 'mnesia/rabbit@host/schema.DAT', 'warren/journal/1');
  assert.equal(foreignDataWarning(join(moved, 'warren')), null);
});
