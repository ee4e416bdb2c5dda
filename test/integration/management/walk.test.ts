import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Seen, walk } from './walk.ts';
import { withManagement } from './with-management.ts';

const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, 'recorded', 'rabbitmq-3.10.walk.recorded.json'), 'utf8'),
) as readonly Seen[];

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

/** Keys that come and go with the time, wherever they are. */
const passing = new Set(['idle_since', 'consumer_utilisation', 'consumer_capacity']);

/** Keys that are not there on purpose, with the reason. */
const absent: readonly { readonly path: RegExp; readonly key: RegExp; readonly reason: string }[] = [
  { path: /^\/api\/(overview|nodes)/, key: /^exchange_types\.internal_purpose$/, reason: 'of modules of Erlang' },
  { path: /^\/api\/overview$/, key: /^listeners\.socket_opts\./, reason: "options of Erlang's sockets" },
  { path: /^\/api\/overview$/, key: /^churn_rates\./, reason: 'those who are no monitors see nothing of the whole node' },
  { path: /^\/api\/definitions$/, key: /^global_parameters\./, reason: 'the id of the cluster is its own, as in later releases' },
  { path: /^\/api\/definitions\/walk/, key: /\.vhost$/, reason: 'what is exported of one virtual host can be read into another' },
];

/** Keys that others see too, with the reason. */
const shown: ReadonlyMap<string, string> = new Map([['object_totals.consumers', 'those of queues that the user sees']]);

function problem(expected: Seen, actual: Seen): string | null {
  const where = `${expected.user} ${expected.path}`;
  if (actual.status !== expected.status) return `${where}: status ${actual.status} in place of ${expected.status}`;
  if (actual.count !== expected.count) return `${where}: ${actual.count} in place of ${expected.count}`;
  const missing = expected.keys.filter(key => !actual.keys.includes(key) && !isPassing(key) && !isAbsent(expected.path, key));
  return missing.length === 0 ? null : `${where}: without ${missing.join(', ')}`;
}

/** What RabbitMQ shows to administrators and not to this user, and is shown here. */
function leaked(expected: Seen, actual: Seen, ofAdministrator: Seen): string[] {
  if (expected.status !== ofAdministrator.status || expected.count === 0) return [];
  return actual.keys.filter(
    key => ofAdministrator.keys.includes(key) && !expected.keys.includes(key) && !isPassing(key) && !shown.has(key),
  );
}

function isPassing(key: string): boolean {
  return passing.has(key.slice(key.lastIndexOf('.') + 1));
}

function isAbsent(path: string, key: string): boolean {
  return absent.some(each => each.path.test(path) && each.key.test(key));
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
    const leaks = recorded.flatMap((expected, index) => {
      const ofAdministrator = recorded.find(({ path }) => path === expected.path) as Seen;
      const keys = leaked(expected, seen[index] as Seen, ofAdministrator);
      return keys.length === 0 ? [] : [`${expected.user} ${expected.path}: with ${keys.join(', ')}`];
    });
    assert.deepEqual(leaks, []);
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
