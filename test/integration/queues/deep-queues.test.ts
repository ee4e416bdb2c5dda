// Queues of very many messages in a broker as users start it, on a real disk: their index goes there, and what they took comes back.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { queueDeclare, queueDelete, queuePurge } from '../../support/amqp-requests.ts';
import { drainQueue, fillQueue, isInOrder } from '../../support/deep-queue.ts';
import { FastClient } from '../../support/fast-client.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarrenProcess } from '../../support/warren-process.ts';

const conf = 'warren.queue_index_bytes_max = 0\n';

const connect = (warren: WarrenProcess): Promise<FastClient> => FastClient.connect(warren.port, { delivered() {}, confirmed() {} });

async function declare(warren: WarrenProcess, queue: string, args = new Map()): Promise<number> {
  const client = await connect(warren);
  await client.openChannel(1);
  const answer = await client.call(queueDeclare(1, { queue, durable: true, arguments: args }));
  client.destroy();
  return answer.readUInt32BE(5 + (answer[4] as number));
}

async function ask(warren: WarrenProcess, frame: Buffer): Promise<void> {
  const client = await connect(warren);
  await client.openChannel(1);
  await client.call(frame);
  client.destroy();
}

const journalOf = (warren: WarrenProcess): string => join(String(warren.dataDir), 'journal');
const indexFiles = (warren: WarrenProcess): string[] => readdirSync(journalOf(warren)).filter(name => name.startsWith('index-'));

/** Bytes that the journal's files take on disk. */
function diskBytes(warren: WarrenProcess): number {
  let bytes = 0;
  for (const name of readdirSync(journalOf(warren)))
    bytes += (statSync(join(journalOf(warren), name), { throwIfNoEntry: false })?.blocks ?? 0) * 512;
  return bytes;
}

test('a queue whose index is on disk has all messages in order after kill -9, twice', { timeout: 120_000 }, async t => {
  const count = 100_000;
  let warren = await WarrenProcess.start(t, { conf });
  const { dataDir } = warren;
  await declare(warren, 'deep');
  await fillQueue(warren.port, 'deep', count, 16);
  await waitUntil(() => indexFiles(warren).length > 0);
  await warren.stop('SIGKILL');

  warren = await WarrenProcess.start(t, { conf, dataDir });
  assert.equal(await declare(warren, 'deep'), count);
  assert.ok(indexFiles(warren).length > 0, 'recovery has put nothing aside');
  const half = await drainQueue(warren.port, 'deep', count / 2);
  assert.ok(isInOrder(half.numbers, 0));
  assert.equal(half.redelivered, count / 2);
  await fillQueue(warren.port, 'deep', count / 2, 16, count);
  await warren.stop('SIGKILL');

  warren = await WarrenProcess.start(t, { conf, dataDir });
  // The last acknowledgements may not have been written.
  const left = await declare(warren, 'deep');
  assert.ok(left >= count && left <= count + 5000, `${left} messages are there`);
  const rest = await drainQueue(warren.port, 'deep', left);
  assert.ok(isInOrder(rest.numbers, count + count / 2 - left));
  await waitUntil(() => indexFiles(warren).length === 0, { message: () => `${String(indexFiles(warren))} to be removed` });
  assert.equal((await warren.stop()).code, 0);
});

test('a quorum queue and one with priorities and a time to live page as well', { timeout: 120_000 }, async t => {
  const count = 60_000;
  let warren = await WarrenProcess.start(t, { conf });
  const { dataDir } = warren;
  await declare(warren, 'quorum', new Map([['x-queue-type', { type: 'S', value: Buffer.from('quorum') }]]));
  await declare(
    warren,
    'priorities',
    new Map([
      ['x-max-priority', { type: 'I', value: 5 }],
      ['x-message-ttl', { type: 'I', value: 3_600_000 }],
    ]),
  );
  for (const queue of ['quorum', 'priorities']) {
    const before = indexFiles(warren).length;
    await fillQueue(warren.port, queue, count, 16);
    await waitUntil(() => indexFiles(warren).length > before || before > 0);
  }
  await warren.stop('SIGTERM');
  warren = await WarrenProcess.start(t, { conf, dataDir });
  for (const queue of ['quorum', 'priorities']) {
    const { numbers } = await drainQueue(warren.port, queue, count);
    assert.ok(isInOrder(numbers, 0), queue);
  }
  await waitUntil(() => indexFiles(warren).length === 0);
});

test('transient messages page their index too, and leave nothing behind', { timeout: 120_000 }, async t => {
  const count = 60_000;
  const warren = await WarrenProcess.start(t, { conf });
  await declare(warren, 'deep');
  await fillQueue(warren.port, 'deep', count, 16, 0, false);
  await waitUntil(() => indexFiles(warren).length > 0);
  const { numbers } = await drainQueue(warren.port, 'deep', count);
  assert.ok(isInOrder(numbers, 0));
  await waitUntil(() => indexFiles(warren).length === 0);
  await fillQueue(warren.port, 'deep', count, 16, 0, false);
  await waitUntil(() => indexFiles(warren).length > 0);
  assert.equal((await warren.stop()).code, 0);
  assert.deepEqual(indexFiles(warren), []);
});

test('where the index is lost that was on disk, the broker ends with 70 and has all messages when it is started again', {
  timeout: 120_000,
}, async t => {
  const count = 100_000;
  let warren = await WarrenProcess.start(t, { conf });
  const { dataDir } = warren;
  await declare(warren, 'deep');
  await fillQueue(warren.port, 'deep', count, 16);
  await waitUntil(() => indexFiles(warren).length > 0);
  for (const name of indexFiles(warren)) truncateSync(join(journalOf(warren), name), 0);
  await assert.rejects(drainQueue(warren.port, 'deep', count));
  assert.equal((await warren.exited).code, 70);
  assert.match(warren.output, /the data directory failed, nothing more is acknowledged: a part of a queue's index cannot be read/);
  warren = await WarrenProcess.start(t, { conf, dataDir });
  const left = await declare(warren, 'deep');
  const { numbers } = await drainQueue(warren.port, 'deep', left);
  assert.ok(left > 0 && isInOrder(numbers, count - left));
});

test('where the index cannot be written to disk it stays in memory, and that is said once', { timeout: 120_000 }, async t => {
  const count = 100_000;
  const warren = await WarrenProcess.start(t, { conf });
  await declare(warren, 'deep');
  // Nothing can be opened for writing where a directory is.
  for (let number = 1; number <= 100; number++) mkdirSync(join(journalOf(warren), `index-${number}.tmp`));
  await fillQueue(warren.port, 'deep', count, 16);
  const { numbers } = await drainQueue(warren.port, 'deep', count);
  assert.ok(isInOrder(numbers, 0));
  assert.equal(warren.output.split('queues keep their index in memory, for it cannot be written to disk').length, 2, warren.output);
});

for (const [what, frame] of [
  ['purge', () => queuePurge(1, { queue: 'deep' })],
  ['delete', () => queueDelete(1, { queue: 'deep' })],
] as const) {
  test(`${what} of a deep queue gives its space on disk back within two seconds`, { timeout: 120_000 }, async t => {
    const warren = await WarrenProcess.start(t, { conf });
    await declare(warren, 'deep');
    await fillQueue(warren.port, 'deep', 400_000, 1024);
    const full = diskBytes(warren);
    assert.ok(full > 400_000 * 1024, `only ${full} bytes are on disk`);
    await ask(warren, frame());
    // The segment that is being written, two for the next ones, and the reserve.
    const enough = (3 * 64 + 9) * 1024 * 1024;
    await waitUntil(() => diskBytes(warren) <= enough, {
      timeoutMillis: 2000,
      message: () => `the space back: ${diskBytes(warren)} bytes of ${full}: ${readdirSync(journalOf(warren)).join(' ')}`,
    });
    assert.deepEqual(indexFiles(warren), []);
  });
}
