// Data directories of every released format are kept and opened. Each file is compressed, segments without the zeros at their end.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Broker } from '../../src/server/broker.ts';
import { checkDataDir } from '../../src/server/inspect/check.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicConsume, queueDeclare } from '../support/amqp-requests.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { temporaryDirectory } from '../support/warren-process.ts';

const segmentBytes = 64 * 1024 * 1024;

/** Unpacks a fixture into a data directory. */
function unpack(name: string, dataDir: string): void {
  const fixture = join(dirname(fileURLToPath(import.meta.url)), name);
  const journal = join(dataDir, 'journal');
  mkdirSync(journal, { recursive: true });
  for (const packed of readdirSync(fixture)) {
    const file = join(journal, packed.replace(/\.gz$/, ''));
    writeFileSync(file, gunzipSync(readFileSync(join(fixture, packed))));
    if (file.endsWith('.seg')) truncateSync(file, segmentBytes);
  }
}

async function messagesOf(driver: AmqpDriver, channel: number, queue: string): Promise<{ body: string; redelivered: boolean }[]> {
  await driver.openChannel(channel);
  const { messageCount } = await driver.call(queueDeclare(channel, { queue, passive: true, durable: true }), methods.QueueDeclareOk);
  await driver.call(basicConsume(channel, { queue, consumerTag: queue, noAck: true }), methods.BasicConsumeOk);
  const messages: { body: string; redelivered: boolean }[] = [];
  while (messages.length < messageCount) {
    const { args, body } = await driver.nextDelivery(channel);
    messages.push({ body: String(body).slice(0, 12).trim(), redelivered: (args as { redelivered: boolean }).redelivered });
  }
  return messages;
}

test('a directory of format 1, killed in its second life, is opened with everything in it', async t => {
  const dataDir = temporaryDirectory(t);
  unpack('format-1', dataDir);
  const { isSound, lines } = await checkDataDir(dataDir);
  assert.ok(isSound, lines.join('\n'));
  const broker = await Broker.start({ dataDir });
  const driver = await AmqpDriver.connect({ port: broker.port });
  // "order 1" was acknowledged, which the confirm of "last" made durable; what went to the queue "gone" went with it.
  assert.deepEqual(
    (await messagesOf(driver, 1, 'eu')).map(({ body }) => body),
    ['order 3', 'order 5', 'order 7', 'large large', 'last'],
  );
  // By priority: 2, 1, 0.
  assert.deepEqual(
    (await messagesOf(driver, 2, 'all')).map(({ body }) => body),
    ['order 2', 'order 5', 'order 1', 'order 4', 'order 3', 'order 6', 'order 7'],
  );
  const [vhost] = broker.core.vhosts.values();
  assert.equal(vhost?.queues.has('gone'), false);
  driver.destroy();
  await broker.stop();
});
