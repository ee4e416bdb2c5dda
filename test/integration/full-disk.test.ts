// A real file system that is full: a small tmpfs, where this machine lets us mount one.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicAck, basicConsume, basicQos, confirmSelect, queueDeclare, queueDelete, queuePurge } from '../support/amqp-requests.ts';
import { waitUntil } from '../support/wait-until.ts';
import { WarrenProcess } from '../support/warren-process.ts';

const diskMegabytes = 40;
const bodyBytes = 20_000;

/** Mounts a small file system, until the test is over; returns why it cannot. */
function mount(t: { after(end: () => void): void }, directory: string): string | null {
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m`, 'tmpfs', directory], {
    encoding: 'utf8',
  });
  t.after(() => {
    if (status === 0) execFileSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true, force: true });
  });
  if (error !== undefined) return error.message;
  if (status !== 0) return stderr.trim();
  return null;
}

/** Takes all room there is. */
function fill(file: string): void {
  const fd = openSync(file, 'a');
  try {
    for (let bytes = 1024 * 1024; bytes >= 1; ) {
      try {
        if (writeSync(fd, Buffer.alloc(bytes)) < bytes) bytes = Math.floor(bytes / 2);
      } catch {
        bytes = Math.floor(bytes / 2);
      }
    }
  } finally {
    closeSync(fd);
  }
}

class Confirming {
  readonly driver: AmqpDriver;
  #sent = 0;
  #confirmed = 0;

  constructor(driver: AmqpDriver) {
    this.driver = driver;
  }

  static async open(port: number): Promise<Confirming> {
    const driver = await AmqpDriver.connect({ port, timeoutMillis: 10_000 });
    await driver.openChannel(1);
    await driver.call(confirmSelect(1), methods.ConfirmSelectOk);
    return new Confirming(driver);
  }

  publish(queue: string, count: number): void {
    for (let i = 0; i < count; i++) {
      const body = Buffer.alloc(bodyBytes, ++this.#sent & 0xff);
      this.driver.publish(1, { routingKey: queue, properties: { deliveryMode: 2, messageId: String(this.#sent) }, body });
    }
  }

  async confirmed(): Promise<void> {
    while (this.#confirmed < this.#sent)
      this.#confirmed = Math.max(this.#confirmed, (await this.driver.expect(methods.BasicAck, 1)).deliveryTag);
  }
}

test('on a full disk publishers wait, all else goes on, and with room again nothing is lost', { timeout: 120_000 }, async t => {
  const directory = mkdtempSync(join(tmpdir(), 'warren-full-'));
  const refusal = mount(t, directory);
  if (refusal !== null) {
    t.skip(`no file system can be mounted: ${refusal}`);
    return;
  }
  const filler = join(directory, 'filler');
  const dataDir = join(directory, 'data');
  const conf = 'disk_free_limit.absolute = 1MB\n';
  const warren = await WarrenProcess.start(t, { dataDir, conf });
  const publisher = await Confirming.open(warren.port);
  const consumer = await AmqpDriver.connect({ port: warren.port, timeoutMillis: 10_000 });
  await consumer.openChannel(1);
  for (const queue of ['kept', 'purged', 'deleted']) await consumer.call(queueDeclare(1, { queue, durable: true }), methods.QueueDeclareOk);
  publisher.publish('kept', 100);
  publisher.publish('purged', 50);
  publisher.publish('deleted', 50);
  await publisher.confirmed();
  await waitUntil(() => statSync(join(dataDir, 'journal', 'reserve.fill')).size === 8 * 1024 * 1024);

  fill(filler);
  publisher.publish('kept', 20);
  const { reason } = await publisher.driver.expect(methods.ConnectionBlocked, 0);
  assert.equal(reason, 'low on disk');
  await warren.logged(/the disk is full \(ENOSPC/);

  // Consumers, acknowledgements, purges and deletes go on.
  await consumer.call(basicQos(1, 10), methods.BasicQosOk);
  await consumer.call(basicConsume(1, { queue: 'kept', consumerTag: 'c' }), methods.BasicConsumeOk);
  for (let count = 0; count < 30; count++) {
    const { args } = await consumer.nextDelivery(1);
    consumer.send(basicAck(1, (args as { deliveryTag: number }).deliveryTag));
  }
  const purged = await consumer.call(queuePurge(1, { queue: 'purged' }), methods.QueuePurgeOk);
  assert.equal(purged.messageCount, 50);
  const deleted = await consumer.call(queueDelete(1, { queue: 'deleted' }), methods.QueueDeleteOk);
  assert.equal(deleted.messageCount, 50);

  // Somebody takes what was left of the reserve as well: then even acknowledgements wait for the disk, but nobody is told otherwise.
  fill(filler);
  for (let count = 0; count < 10; count++) {
    const { args } = await consumer.nextDelivery(1);
    consumer.send(basicAck(1, (args as { deliveryTag: number }).deliveryTag));
  }
  publisher.publish('kept', 5);
  assert.equal(warren.child.exitCode, null, warren.output);

  const began = performance.now();
  rmSync(filler);
  await publisher.driver.expect(methods.ConnectionUnblocked, 0);
  await publisher.confirmed();
  assert.ok(performance.now() - began < 5000, 'publishers go on within five seconds');
  consumer.destroy();
  await waitUntil(() => statSync(join(dataDir, 'journal', 'reserve.fill')).size === 8 * 1024 * 1024);
  // The confirm said that the acknowledgements before it are durable, too.
  publisher.driver.destroy();
  await warren.stop('SIGKILL');

  const again = await WarrenProcess.start(t, { dataDir, conf });
  const reader = await AmqpDriver.connect({ port: again.port, timeoutMillis: 10_000 });
  await reader.openChannel(1);
  const declared = await reader.call(queueDeclare(1, { queue: 'kept', passive: true, durable: true }), methods.QueueDeclareOk);
  assert.equal(declared.messageCount, 85);
  const emptied = await reader.call(queueDeclare(1, { queue: 'purged', passive: true, durable: true }), methods.QueueDeclareOk);
  assert.equal(emptied.messageCount, 0);
  await reader.call(basicConsume(1, { queue: 'kept', consumerTag: 'c', noAck: true }), methods.BasicConsumeOk);
  const ids: number[] = [];
  while (ids.length < 85) {
    const { properties, body } = await reader.nextDelivery(1);
    const id = Number(properties.messageId);
    assert.ok(
      body.every(byte => byte === (id & 0xff)),
      `the body of message ${id}`,
    );
    ids.push(id);
  }
  assert.ok(ids.every((id, index) => index === 0 || id > (ids[index - 1] as number)));
  reader.destroy();
});
