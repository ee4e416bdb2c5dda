import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { conformanceRoot, ensureNpmClients } from '../support/install.ts';
import { Program } from '../support/program.ts';
import { clientSuite } from '../support/suite.ts';
import { waitUntil } from '../support/wait-until.ts';

clientSuite({ client: 'amqp-connection-manager', from: 'npm', programs: ['manager.js'] });

test('amqp-connection-manager goes on through restarts of the broker', { skip: reasonBrokerIsFixed() ?? false }, async t => {
  await ensureNpmClients();
  const broker = await brokerFor(t);
  const directory = join(conformanceRoot, 'amqp-connection-manager');
  await using program = new Program(process.execPath, [join(directory, 'through_restart.js'), 'conformance.restart'], { env: broker.env });
  const count = (word: string) => program.lines.filter(line => line.startsWith(word)).length;
  for (let round = 1; round <= 2; round++) {
    await waitUntil(`set up for the ${round}. time`, () => count('set up') === round);
    const [confirmed, got] = [count('confirmed'), count('got')];
    await waitUntil('messages go through', () => count('confirmed') > confirmed + 20 && count('got') > got + 20);
    await broker.process?.stop();
    await waitUntil('the disconnection', () => count('disconnected') === round);
    await broker.process?.start();
  }
  await waitUntil('set up for the last time', () => count('set up') === 3);
  const got = count('got');
  await waitUntil('messages go through again', () => count('got') > got + 20);
  program.signal('SIGTERM');
  const result = await program.end();
  assert.deepEqual([result.code, program.lines.at(-1), count('channel error')], [0, 'closed', 0], program.output());
});
