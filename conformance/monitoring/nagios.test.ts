// The checks that Nagios and Icinga run, from Debian's package: they ask the HTTP API.
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../test/support/amqp-driver.ts';
import { basicConsume, queueDeclare } from '../../test/support/amqp-requests.ts';
import { brokerFor, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { ensureDebianPackages } from '../support/debian.ts';
import { run } from '../support/program.ts';

const reason = ensureDebianPackages('nagios-plugins-rabbitmq') ?? reasonBrokerIsFixed();
const node = hostname().split('.')[0] ?? '';

/** A check's arguments, its exit code (0 fine, 1 warning, 2 critical), and what it says. */
const checks: readonly (readonly [name: string, args: readonly string[], code: number, says: RegExp])[] = [
  ['aliveness', [], 0, /^RABBITMQ_ALIVENESS OK - vhost: \//],
  ['connections', [], 0, /connections OK \(1\).*receive_rate OK/],
  ['connections', ['-c', '0,-1,-1,-1'], 2, /connections CRITICAL \(1\)/],
  ['objects', [], 0, /vhost=\d+;;.*exchange=\d+;;.*queue=\d+;;/],
  ['overview', [], 0, /messages OK \(3\) messages_ready OK \(3\) messages_unacknowledged OK \(0\)/],
  ['overview', ['-w', '1,1,1', '-c', '10,10,10'], 1, /messages WARNING \(3\)/],
  ['queue', ['--queue=orders'], 0, /messages OK \(3\).*consumers OK \(0\)/],
  ['queue', ['--queue=orders', '-c', '2'], 2, /messages CRITICAL \(3\)/],
  ['queue', ['--queue=nowhere'], 2, /Not Found/],
  ['server', ['-n', node], 0, /Memory OK .*Process OK .*FD OK .*Sockets OK /],
  ['watermark', ['-n', node], 0, /^RABBITMQ_WATERMARK OK/],
  ['partition', ['-n', node], 0, /^RABBITMQ_PARTITION OK - No Partitions/],
];

test('nagios-plugins-rabbitmq', { skip: reason ?? false }, async t => {
  const broker = await brokerFor(t);
  const client = await AmqpDriver.connect({ port: broker.port });
  t.after(() => client.destroy());
  await client.openChannel(1);
  await client.call(queueDeclare(1, { queue: 'orders', durable: true }), methods.QueueDeclareOk);
  await client.call(queueDeclare(1, { queue: 'idle' }), methods.QueueDeclareOk);
  await client.call(basicConsume(1, { queue: 'idle' }), methods.BasicConsumeOk);
  for (let count = 0; count < 3; count++) client.publish(1, { routingKey: 'orders', properties: { deliveryMode: 2 } });
  await client.call(queueDeclare(1, { queue: 'orders', passive: true }), methods.QueueDeclareOk);
  assert.ok(broker.httpUrl !== null);
  const { hostname: host, port } = new URL(broker.httpUrl);
  for (const [name, args, code, says] of checks) {
    await t.test([name, ...args].join(' '), async () => {
      const access = ['-H', host, `--port=${port}`, '-u', 'guest', '-p', 'guest'];
      const result = await run(`/usr/bin/check_rabbitmq_${name}`, [...access, ...args]);
      assert.match(result.stdout, says);
      assert.equal(result.code, code, result.stdout);
    });
  }
});
