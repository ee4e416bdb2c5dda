// Somebody's first producer and consumer, with credentials and a virtual host spelt out.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor } from '../../support/broker-under-test.ts';
import { debianPython, ensureDebianPackages } from '../../support/debian.ts';
import { conformanceRoot } from '../../support/install.ts';
import { outputOf, Program } from '../../support/program.ts';
import { uniqueName } from '../../support/unique-name.ts';

const reason = ensureDebianPackages('python3-pika');

test('first producer and consumer', { skip: reason ?? false }, async t => {
  const broker = await brokerFor(t);
  const options = { cwd: join(conformanceRoot, 'scenarios', 'first-steps'), env: broker.env };
  const queue = uniqueName('first');
  assert.equal(await outputOf(debianPython, ['producer.py', queue, 'before anybody listens'], options), 'sent before anybody listens\n');
  await using consumer = new Program(debianPython, ['consumer.py', queue], options);
  await consumer.prints('received before anybody listens\n');
  await outputOf(debianPython, ['producer.py', queue, 'Grüße 🐇'], options);
  await consumer.prints('received Grüße 🐇\n');
  assert.equal((await consumer.interrupt()).code, 0);
  assert.deepEqual(consumer.lines, ['waiting', 'received before anybody listens', 'received Grüße 🐇', 'bye']);
});
