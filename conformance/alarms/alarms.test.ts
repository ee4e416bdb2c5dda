// Back-pressure as clients see it: above the memory watermark the broker sends connection.blocked and reads publishers no longer.
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { debianPython, ensureDebianPackages } from '../support/debian.ts';
import { conformanceRoot, ensureNpmClients } from '../support/install.ts';
import { runChecks } from '../support/tap.ts';

const cwd = join(conformanceRoot, 'alarms');

test('a broker that is low on memory', { skip: reasonBrokerIsFixed() ?? false }, async t => {
  const { env } = await brokerFor(t, { config: ['vm_memory_high_watermark.absolute = 1MB'] });
  const missing = ensureDebianPackages('python3-pika', 'python3-amqp');
  await t.test('with_pika.py', { skip: missing ?? false }, inner =>
    runChecks(inner, debianPython, [join(cwd, 'with_pika.py')], { cwd, env }),
  );
  await t.test('with_amqplib.js', async inner => {
    await ensureNpmClients();
    await runChecks(inner, process.execPath, [join(cwd, 'with_amqplib.js')], { cwd, env });
  });
});
