import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyPassword } from '../auth/password.ts';
import { defaultHashingAlgorithm } from '../core/access/user.ts';
import { Broker } from './broker.ts';
import { loadConfig } from './config/load-config.ts';
import { brokerOptions } from './config-to-settings.ts';

const conf = `
listeners.tcp.default = 127.0.0.1:0
default_limits.vhosts.1.pattern = ^team-
default_limits.vhosts.1.max_connections = 7
default_limits.vhosts.2.pattern = .*
default_limits.vhosts.2.max_queues = 9
default_users.watcher.vhost_pattern = ^team-
default_users.watcher.password = secret
default_users.watcher.read = .*
default_users.watcher.tags = monitoring
default_policies.operator.short.vhost_pattern = ^team-
default_policies.operator.short.queue_pattern = ^tmp
default_policies.operator.short.max_length = 3
default_policies.operator.empty.vhost_pattern = ^team-
`;

function options() {
  const { config, warnings } = loadConfig({
    argv: ['--in-memory', '--config', 'c'],
    env: {},
    readFile: path => (path === 'c' ? conf : null),
  });
  assert.deepEqual(warnings, []);
  return brokerOptions(config);
}

test('a virtual host that is made gets the limits, operator policies and users that the configuration has for its name', async () => {
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, warning: (_category: string, text: string) => void warnings.push(text), error() {} };
  await using broker = await Broker.start({ ...options(), logger });
  const { core } = broker;
  core.addVhost({ name: 'team-a', description: '', tags: [], defaultQueueType: null });
  core.addVhost({ name: 'other', description: '', tags: [], defaultQueueType: null });
  assert.deepEqual(core.vhosts.get('team-a')?.limits, { connectionsMax: 7, queuesMax: -1 });
  assert.deepEqual(core.vhosts.get('other')?.limits, { connectionsMax: -1, queuesMax: 9 });
  assert.deepEqual(core.vhosts.get('/')?.limits, { connectionsMax: -1, queuesMax: 9 });
  const watcher = core.access.user('watcher');
  assert.deepEqual(watcher?.tags, ['monitoring']);
  assert.ok(verifyPassword('secret', String(watcher?.passwordHash), defaultHashingAlgorithm));
  assert.deepEqual(core.access.permissions({ user: 'watcher' }), [
    { user: 'watcher', vhost: 'team-a', configure: '^$', write: '^$', read: '.*' },
  ]);
  assert.deepEqual(
    core.policies.list('operator_policy').map(({ vhost, name, pattern, definition }) => ({ vhost, name, pattern, definition })),
    [{ vhost: 'team-a', name: 'short', pattern: '^tmp', definition: { 'max-length': 3 } }],
  );
  assert.match(String(warnings[0]), /^operator policy 'empty' for vhost 'team-a': .*no policy provided/s);
});

test('one that exists already keeps what was made of it', async () => {
  await using broker = await Broker.start(options());
  const { core } = broker;
  const declaration = { name: 'team-a', description: '', tags: [], defaultQueueType: null };
  core.addVhost(declaration);
  core.parameters.deleteVhostLimit('team-a', 'max-connections');
  core.addVhost(declaration);
  assert.deepEqual(core.vhosts.get('team-a')?.limits, { connectionsMax: -1, queuesMax: -1 });
});
