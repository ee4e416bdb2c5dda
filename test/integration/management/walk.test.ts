import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Seen, walk } from './walk.ts';
import { withManagement } from './with-management.ts';

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'recorded', 'rabbitmq-3.10.walk.json'), 'utf8')) as readonly Seen[];

/** Where answers differ on purpose, with the reason; `users` are all of them if none is named. */
const known: readonly { readonly path: RegExp; readonly users?: readonly string[]; readonly reason: string }[] = [
  { path: /^\/api\/extensions$/, reason: "one script stands for those of RabbitMQ's plugins" },
  { path: /^\/api\/feature-flags$/, reason: 'later releases have more' },
  { path: /^\/api\/auth\/hash_password/, reason: 'of RabbitMQ 4' },
  {
    path: /^\/api\/connections\/username\//,
    users: ['walk-policymaker', 'walk-management'],
    reason: 'RabbitMQ answers 500; here they see their own',
  },
  {
    path: /^\/api\/consumers\/walk\.other$/,
    users: ['walk-policymaker', 'walk-management'],
    reason: 'RabbitMQ answers an empty list; who is no member learns nothing of a virtual host',
  },
  {
    path: /^\/api\/user-limits/,
    users: ['walk-policymaker', 'walk-management'],
    reason: 'other users are none of theirs (docs/DIFFERENCES.md)',
  },
];

/** Keys that come and go with the time. */
const passing = new Set(['idle_since', 'consumer_utilisation', 'consumer_capacity']);

function problem(expected: Seen, actual: Seen): string | null {
  const where = `${expected.user} ${expected.path}`;
  if (actual.status !== expected.status) return `${where}: status ${actual.status} in place of ${expected.status}`;
  if (actual.count !== expected.count) return `${where}: ${actual.count} in place of ${expected.count}`;
  const missing = expected.keys.filter(key => !actual.keys.includes(key) && !passing.has(key));
  return missing.length === 0 ? null : `${where}: without ${missing.join(', ')}`;
}

/** What only monitors are told; there is more of it in later releases, but not for others. */
const forMonitors = ['node', 'listeners', 'contexts'];

test('users of every kind see at every endpoint what RabbitMQ 3.10 shows them', async () => {
  await withManagement({}, async ({ broker, http }) => {
    const seen = await walk({ http, amqpPort: broker.port, statisticsTimeoutMillis: 10_000 });
    const problems = recorded.flatMap((expected, index) => {
      const actual = seen[index] as Seen;
      assert.deepEqual([actual.user, actual.path], [expected.user, expected.path], 'the walk has changed since the recording');
      const isKnown = known.some(({ path, users }) => path.test(expected.path) && (users?.includes(expected.user) ?? true));
      const found = problem(expected, actual);
      if (isKnown || found === null) return [];
      return [found];
    });
    assert.deepEqual(problems, []);
    for (const { user, path, keys } of seen.filter(each => each.path === '/api/overview' && each.status === 200)) {
      const isMonitor = ['walk-administrator', 'walk-monitoring'].includes(user);
      assert.deepEqual(
        forMonitors.filter(key => keys.includes(key)),
        isMonitor ? forMonitors : [],
        `${user} ${path}`,
      );
    }
  });
});
