// What survives a restart of the broker: durable queues, exchanges and bindings, and persistent messages in them; nothing else.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor, reasonBrokerIsFixed } from '../../support/broker-under-test.ts';
import { debianPython, ensureDebianPackages } from '../../support/debian.ts';
import { conformanceRoot } from '../../support/install.ts';
import { outputOf } from '../../support/program.ts';
import { uniqueName } from '../../support/unique-name.ts';

const reason = ensureDebianPackages('python3-pika') ?? reasonBrokerIsFixed();

for (const end of ['stop', 'kill'] as const) {
  test(`durability over a restart after ${end === 'stop' ? 'a clean stop' : 'SIGKILL'}`, { skip: reason ?? false }, async t => {
    const broker = await brokerFor(t);
    const options = { cwd: join(conformanceRoot, 'scenarios', 'durability'), env: broker.env };
    const queue = uniqueName('durable');
    const count = 50;
    assert.equal(
      await outputOf(debianPython, ['publish.py', queue, String(count)], options),
      `unacknowledged: persistent 0\nconfirmed ${count}\n`,
    );
    await broker.process?.[end]();
    await broker.process?.start();
    const lines = (await outputOf(debianPython, ['drain.py', queue], options)).trimEnd().split('\n');
    const persistent = Array.from({ length: count }, (_, number) => `persistent ${number} ${number} {'number': ${number}} kept.${number}`);
    assert.deepEqual(lines, ['there', 'gone 404', ...persistent, 'the binding is there']);
  });
}
