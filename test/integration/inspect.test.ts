import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { openSync, closeSync, readdirSync, readFileSync, readSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { long, longstr } from '../../src/base/field-table.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicGet, basicNack, confirmSelect, exchangeDeclare, queueDeclare } from '../support/amqp-requests.ts';
import { temporaryDirectory, WarrenProcess } from '../support/warren-process.ts';

const messageCount = 20;

/** Fills a data directory and ends its broker. */
async function fill(t: Parameters<typeof WarrenProcess.start>[0], signal: NodeJS.Signals): Promise<string> {
  const warren = await WarrenProcess.start(t, { dataDir: join(temporaryDirectory(t), 'data') });
  const driver = await AmqpDriver.connect({ port: warren.port });
  await driver.openChannel(1);
  await driver.call(queueDeclare(1, { queue: 'kept', durable: true }), methods.QueueDeclareOk);
  await driver.call(confirmSelect(1), methods.ConfirmSelectOk);
  for (let number = 1; number <= messageCount; number++) {
    const body = number === 7 ? Buffer.from([0xff, 0x00, 0xfe]) : Buffer.from(`message ${number}${'.'.repeat(number * 40)}`);
    driver.publish(1, { routingKey: 'kept', properties: { deliveryMode: 2, headers: new Map([['n', long(number)]]) }, body });
  }
  driver.publish(1, { routingKey: 'kept', properties: { deliveryMode: 2 }, body: Buffer.alloc(300_000, 'x') });
  for (let confirmed = 0; confirmed <= messageCount; ) confirmed = (await driver.expect(methods.BasicAck, 1)).deliveryTag;
  await warren.stop(signal);
  return warren.dataDir as string;
}

/** Names, sizes, times and contents of all files. */
function fingerprint(dataDir: string): string {
  const journal = join(dataDir, 'journal');
  return readdirSync(journal)
    .sort()
    .map(name => {
      const { size, mtimeMs } = statSync(join(journal, name));
      const fd = openSync(join(journal, name), 'r');
      const bytes = Buffer.alloc(1024 * 1024);
      const count = readSync(fd, bytes, 0, bytes.length, 0);
      closeSync(fd);
      return `${name} ${size} ${mtimeMs} ${createHash('sha256').update(bytes.subarray(0, count)).digest('hex')}`;
    })
    .join('\n');
}

async function run(
  t: Parameters<typeof WarrenProcess.start>[0],
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const warren = WarrenProcess.tool(t, args);
  const { code } = await warren.exited;
  return { code, stdout: warren.stdout, stderr: warren.stderr };
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`warren check finds a directory sound after ${signal}, and changes nothing in it`, async t => {
    const dataDir = await fill(t, signal);
    const before = fingerprint(dataDir);
    const { code, stdout, stderr } = await run(t, ['check', dataDir]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, signal === 'SIGTERM' ? /, stopped cleanly\n/ : /, not stopped cleanly\n/);
    assert.match(stdout, new RegExp(`messages +${messageCount + 1} in queues, ${messageCount + 1} bodies checked`));
    assert.match(stdout, /definitions +1 virtual host, 1 user, 1 queue,/);
    assert.match(stdout, /sound\n$/);
    assert.equal(fingerprint(dataDir), before);
  });
}

test('warren check tells of a damaged body, and ends with 65', async t => {
  const dataDir = await fill(t, 'SIGTERM');
  const segment = join(dataDir, 'journal', '0000000000.seg');
  const at = readFileSync(segment).indexOf('message 9.');
  const fd = openSync(segment, 'r+');
  writeSync(fd, Buffer.from('X'), 0, 1, at + 20);
  closeSync(fd);
  const { code, stdout } = await run(t, ['check', dataDir]);
  assert.equal(code, 65);
  assert.match(stdout, /damage +a message of 'kept' is damaged\n/);
  const exported = await run(t, ['export', dataDir]);
  assert.equal(exported.code, 65);
  assert.match(exported.stderr, /left out: a message of queue 'kept' in vhost '\/' is damaged/);
  assert.equal(exported.stdout.trim().split('\n').length, 1 + messageCount);
});

test('warren check reads streams through, and tells of damage anywhere in them', async t => {
  const warren = await WarrenProcess.start(t, { dataDir: join(temporaryDirectory(t), 'data') });
  const driver = await AmqpDriver.connect({ port: warren.port });
  await driver.openChannel(1);
  const stream = new Map([
    ['x-queue-type', longstr('stream')],
    ['x-stream-max-segment-size-bytes', long(2000)],
  ]);
  await driver.call(queueDeclare(1, { queue: 'log', durable: true, arguments: stream }), methods.QueueDeclareOk);
  await driver.call(confirmSelect(1), methods.ConfirmSelectOk);
  for (let number = 1; number <= 10; number++) {
    driver.publish(1, { routingKey: 'log', body: Buffer.alloc(900, String(number)) });
    await driver.expect(methods.BasicAck, 1);
  }
  await warren.stop('SIGTERM');
  const sound = await run(t, ['check', warren.dataDir as string]);
  assert.equal(sound.code, 0, sound.stdout + sound.stderr);
  assert.match(sound.stdout, /streams +1 stream, 10 messages\n/);
  const exported = await run(t, ['export', warren.dataDir as string]);
  const lines = exported.stdout
    .trim()
    .split('\n')
    .slice(1)
    .map(line => JSON.parse(line) as { payload: string; queue: string });
  assert.deepEqual(
    lines.map(({ queue, payload }) => [queue, payload[0]]),
    [...'1234567891'].map(digit => ['log', digit]),
  );
  const segments = join(warren.dataDir as string, 'streams');
  const older = readdirSync(segments)
    .filter(name => name.endsWith('.stream'))
    .sort()[1] as string;
  const fd = openSync(join(segments, older), 'r+');
  writeSync(fd, Buffer.from('?'), 0, 1, 500);
  closeSync(fd);
  const files = readdirSync(segments);
  const damaged = await run(t, ['check', warren.dataDir as string]);
  assert.equal(damaged.code, 65);
  assert.match(damaged.stdout, /damage +the stream 'log' in vhost '\/' is damaged in 1 place\n/);
  assert.deepEqual(readdirSync(segments), files);
});

test('warren export writes definitions and messages as lines of JSON, in order', async t => {
  const dataDir = await fill(t, 'SIGKILL');
  const before = fingerprint(dataDir);
  const { code, stdout, stderr } = await run(t, ['export', dataDir]);
  assert.equal(code, 0, stderr);
  const [first, ...messages] = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>);
  const { definitions } = first as { definitions: { queues: { name: string }[]; users: { name: string }[] } };
  assert.deepEqual(
    definitions.queues.map(({ name }) => name),
    ['kept'],
  );
  assert.deepEqual(
    definitions.users.map(({ name }) => name),
    ['guest'],
  );
  assert.equal(messages.length, messageCount + 1);
  assert.deepEqual(messages[0], {
    vhost: '/',
    queue: 'kept',
    exchange: '',
    routing_key: 'kept',
    redelivered: true,
    properties: { headers: { n: 1 }, delivery_mode: 2 },
    payload: `message 1${'.'.repeat(40)}`,
    payload_encoding: 'string',
  });
  assert.equal(messages[6]?.['payload_encoding'], 'base64');
  assert.equal(messages[6]?.['payload'], Buffer.from([0xff, 0x00, 0xfe]).toString('base64'));
  assert.equal(String(messages[messageCount]?.['payload']).length, 300_000);
  assert.equal(fingerprint(dataDir), before);
});

test('messages that exchanges hold for later, and those that wait to be tried again, are counted and exported, and a seed takes them', async t => {
  const warren = await WarrenProcess.start(t);
  const driver = await AmqpDriver.connect({ port: warren.port });
  await driver.openChannel(1);
  const delayed = new Map([['x-delayed-type', longstr('fanout')]]);
  await driver.call(
    exchangeDeclare(1, { exchange: 'later', type: 'x-delayed-message', durable: true, arguments: delayed }),
    methods.ExchangeDeclareOk,
  );
  const retried = new Map([['x-retry-delays', longstr('1h')]]);
  await driver.call(queueDeclare(1, { queue: 'work', durable: true, arguments: retried }), methods.QueueDeclareOk);
  await driver.call(confirmSelect(1), methods.ConfirmSelectOk);
  const headers = new Map([['x-delay', long(3_600_000)]]);
  const published = Date.now();
  driver.publish(1, { exchange: 'later', routingKey: 'key', properties: { deliveryMode: 2, headers }, body: 'held' });
  driver.publish(1, { routingKey: 'work', properties: { deliveryMode: 2 }, body: 'again' });
  while ((await driver.expect(methods.BasicAck, 1)).deliveryTag < 2);
  driver.send(basicGet(1, 'work'));
  await driver.nextDelivery(1);
  driver.send(basicNack(1, 1, { requeue: false }));
  await driver.call(queueDeclare(1, { queue: 'work', passive: true }), methods.QueueDeclareOk);
  await warren.stop('SIGTERM');

  const { code, stdout } = await run(t, ['check', warren.dataDir as string]);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /messages +1 in queues \(1 wait to be tried again\), 1 held by exchanges, 2 bodies checked/);
  const exported = await run(t, ['export', warren.dataDir as string]);
  const messages = (text: string): Record<string, unknown>[] =>
    text
      .trim()
      .split('\n')
      .slice(1)
      .map(line => JSON.parse(line) as Record<string, unknown>);
  const [held, again] = messages(exported.stdout) as [Record<string, unknown>, Record<string, unknown>];
  assert.deepEqual([held['held_by'], held['queue'], held['routing_key'], held['payload']], ['later', undefined, 'key', 'held']);
  assert.deepEqual([again['queue'], again['payload']], ['work', 'again']);
  for (const { due } of [held, again]) assert.ok(Math.abs(Number(due) - published - 3_600_000) < 60_000, `due at ${Number(due)}`);

  const file = join(temporaryDirectory(t), 'seed.jsonl');
  writeFileSync(file, exported.stdout);
  const seeded = await WarrenProcess.start(t, { args: ['--seed', file] });
  await seeded.stop('SIGTERM');
  const [heldAgain] = messages((await run(t, ['export', seeded.dataDir as string])).stdout) as [Record<string, unknown>];
  assert.ok(Math.abs(Number(heldAgain['due']) - Number(held['due'])) < 60_000);
  assert.deepEqual({ ...heldAgain, due: 0 }, { ...held, due: 0 });
});

test('warren check and export refuse a directory whose broker runs, and one that is none', async t => {
  const warren = await WarrenProcess.start(t, { dataDir: join(temporaryDirectory(t), 'data') });
  for (const action of ['check', 'export']) {
    const busy = await run(t, [action, warren.dataDir as string]);
    assert.equal(busy.code, 1);
    assert.match(busy.stderr, /is in use by a broker/);
    const none = await run(t, [action, temporaryDirectory(t)]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /is no data directory of WarrenMQ/);
    const wrong = await run(t, [action]);
    assert.equal(wrong.code, 64);
  }
  assert.equal((await warren.stop()).code, 0);
});
