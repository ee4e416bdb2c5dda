// A definitions.json as teams mount it beside rabbitmq.conf: users with plain passwords, tags as a string, a virtual host, permissions,
// a durable direct exchange, two durable queues and their bindings.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor, reasonBrokerIsFixed } from '../../support/broker-under-test.ts';
import { debianPython, ensureDebianPackages } from '../../support/debian.ts';
import { conformanceRoot } from '../../support/install.ts';
import { outputOf } from '../../support/program.ts';

const directory = join(conformanceRoot, 'scenarios', 'definitions');
const reason = ensureDebianPackages('python3-pika') ?? reasonBrokerIsFixed();

for (const key of ['load_definitions', 'management.load_definitions']) {
  test(`${key} in rabbitmq.conf`, { skip: reason ?? false }, async t => {
    const broker = await brokerFor(t, { config: [`${key} = ${join(directory, 'definitions.json')}`, 'loopback_users = none'] });
    const lines = (await outputOf(debianPython, ['shop.py'], { cwd: directory, env: broker.env })).trimEnd().split('\n');
    // newer versions of RabbitMQ than 3.10 name the kind of access
    assert.match(
      lines[2] ?? '',
      /^\(403, "ACCESS_REFUSED - (configure )?access to queue 'elsewhere' in vhost 'shop' refused for user 'shop'"\)$/,
    );
    assert.deepEqual(lines.toSpliced(2, 1), [
      'orders.new 1',
      'orders.paid 2',
      `shop in /: ConnectionClosedByBroker: (530) "NOT_ALLOWED - access to vhost '/' refused for user 'shop'"`,
      // a node that starts with definitions gets no default user
      "guest in shop: ConnectionClosedByBroker: (403) 'ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.'",
      'admin in /: allowed',
    ]);
  });
}

test('default_user, default_pass and default_vhost in rabbitmq.conf', { skip: reason ?? false }, async t => {
  const config = ['default_user = team', 'default_pass = s3cret', 'default_vhost = work', 'default_permissions.configure = .*'];
  const broker = await brokerFor(t, { config: [...config, 'default_permissions.read = .*', 'default_permissions.write = .*'] });
  const script = [
    'import pika',
    `connect = lambda user, password, vhost: pika.BlockingConnection(pika.ConnectionParameters('127.0.0.1', ${broker.port}, vhost, pika.PlainCredentials(user, password)))`,
    `connect('team', 's3cret', 'work').channel().queue_declare('', exclusive=True)`,
    `print('team is in')`,
    'try:',
    `    connect('guest', 'guest', 'work')`,
    'except pika.exceptions.ProbableAuthenticationError:',
    `    print('there is no guest')`,
  ];
  assert.equal(await outputOf(debianPython, ['-c', script.join('\n')], { env: broker.env }), 'team is in\nthere is no guest\n');
});
