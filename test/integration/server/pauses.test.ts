// A process that stands still for a while: a machine that is suspended, a debugger, a virtual machine that is moved.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { longstr } from '../../../src/base/field-table.ts';
import { FrameHeartbeat } from '../../../src/wire/amqp091/constants.gen.ts';
import { encodeFrame } from '../../../src/wire/amqp091/frame.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicGet, confirmSelect, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarrenProcess } from '../../support/warren-process.ts';

/** Longer than two heartbeats of a second, after which a connection counts as dead. */
const pauseMillis = 4500;

function isStopped(pid: number): boolean {
  return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

test('a broker that stood still goes on where it was', { skip: process.platform !== 'linux' && 'needs /proc' }, async t => {
  const warren = await WarrenProcess.start(t);
  const { port } = warren;
  const pid = warren.child.pid ?? 0;
  const patient = await AmqpDriver.connect({ port });
  await patient.openChannel(1);
  await patient.call(queueDeclare(1, { queue: 'work', durable: true }), methods.QueueDeclareOk);
  await patient.call(queueDeclare(1, { queue: 'dead' }), methods.QueueDeclareOk);
  const dying = new Map([
    ['x-dead-letter-exchange', longstr('')],
    ['x-dead-letter-routing-key', longstr('dead')],
  ]);
  await patient.call(queueDeclare(1, { queue: 'short', arguments: dying }), methods.QueueDeclareOk);
  await patient.call(confirmSelect(1), methods.ConfirmSelectOk);
  patient.publish(1, { routingKey: 'work', properties: { deliveryMode: 2 }, body: 'held' });
  await patient.expect(methods.BasicAck, 1);

  // One that beats while the broker stands still, one that is silent and has a message.
  const beating = await AmqpDriver.connect({ port, heartbeat: 1 });
  const heart = setInterval(() => beating.send(encodeFrame(FrameHeartbeat, 0, Buffer.alloc(0))), 300);
  t.after(() => clearInterval(heart));
  await beating.openChannel(1);
  const silent = await AmqpDriver.connect({ port, heartbeat: 1 });
  await silent.openChannel(1);
  const { redelivered } = await silent.call(basicGet(1, 'work'), methods.BasicGetOk);
  assert.equal(redelivered, false);
  for (let number = 0; number < 3; number++) patient.publish(1, { routingKey: 'short', properties: { expiration: '1500' }, body: 'x' });
  await patient.expect(methods.BasicAck, 1);

  process.kill(pid, 'SIGSTOP');
  await waitUntil(() => isStopped(pid));
  // What clients send meanwhile waits in the kernel.
  patient.publish(1, { routingKey: 'work', properties: { deliveryMode: 2 }, body: 'meanwhile' });
  const until = Date.now() + pauseMillis;
  await waitUntil(() => Date.now() >= until, { timeoutMillis: pauseMillis + 1000 });
  process.kill(pid, 'SIGCONT');

  await waitUntil(() => silent.socket.closed, { timeoutMillis: 10_000, message: () => 'the end of the silent connection' });
  await beating.call(queueDeclare(1, { queue: 'work', passive: true, durable: true }), methods.QueueDeclareOk);
  const counts = async (queue: string, durable = false): Promise<number> =>
    (await beating.call(queueDeclare(1, { queue, passive: true, durable }), methods.QueueDeclareOk)).messageCount;
  await waitUntil(async () => (await counts('work', true)) === 2);
  const first = await beating.call(basicGet(1, 'work'), methods.BasicGetOk);
  const second = await beating.call(basicGet(1, 'work'), methods.BasicGetOk);
  assert.deepEqual([first.redelivered, second.redelivered], [true, false], 'what the silent client had comes first, once, and is flagged');
  await waitUntil(async () => (await counts('dead')) === 3);
  assert.equal(await counts('short'), 0);
  clearInterval(heart);
  assert.deepEqual(await warren.stop(), { code: 0, signal: null });
});
