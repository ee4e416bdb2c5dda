// Transient messages for which there is no room in memory: they wait on disk, come back whole and in order, and are gone after a restart.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { type FieldTable, longstr } from '../../src/base/field-table.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicConsume, queueDeclare, queueDelete, queuePurge } from '../support/amqp-requests.ts';
import { SimClient } from '../support/sim-client.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';
import { systemError } from '../support/sim-files.ts';

const mebibyte = 1024 * 1024;
const memoryBytes = 4 * mebibyte;

let broker: SimDurableBroker;
let client: SimClient;

beforeEach(() => start(new SimDurableBroker(undefined, {}, memoryBytes)));

function start(on: SimDurableBroker, args: FieldTable = new Map()): void {
  broker = on;
  client = SimClient.connect(broker);
  client.openChannel(1);
  client.send(queueDeclare(1, { queue: 'q', durable: true, arguments: args }));
  broker.finishDisk();
  client.expect(methods.QueueDeclareOk, 1);
}

/** A body that tells its number and is no other's, whichever piece of it one looks at. */
function body(number: number, bytes: number): Buffer {
  const result = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) result.writeUInt32LE(number, at);
  return result;
}

/** Publishes transient messages of these sizes and lets the disk do what it has to. */
function fill(count: number, bytesOf: (number: number) => number, queueOf: (number: number) => string = () => 'q'): void {
  for (let number = 0; number < count; number++) {
    client.publish(1, { routingKey: queueOf(number), properties: { deliveryMode: 1 }, body: body(number, bytesOf(number)) });
    if (number % 16 === 0) broker.finishDisk();
  }
  settle();
}

function settle(): void {
  for (let round = 0; round < 40; round++) broker.finishDisk();
}

/** Takes all of a queue; returns their bodies. */
function drain(queue = 'q'): Buffer[] {
  client.send(basicConsume(1, { queue, consumerTag: 'drain', noAck: true }));
  const bodies: Buffer[] = [];
  for (let round = 0; round < 60; round++) {
    broker.advance(100);
    broker.finishDisk();
    bodies.push(...client.takeDeliveries().map(delivery => delivery.body));
  }
  client.send(methods.encodeBasicCancel(1, { consumerTag: 'drain', nowait: true }));
  client.takeAll();
  return bodies;
}

function assertBodies(bodies: readonly Buffer[], count: number, bytesOf: (number: number) => number): void {
  assert.equal(bodies.length, count);
  bodies.forEach((found, number) => assert.ok(found.equals(body(number, bytesOf(number))), `message ${number} is not what was sent`));
}

const pageFiles = (): string[] => broker.files.list().filter(name => name.startsWith('page'));
const heldMebibytes = (): number => broker.core.store.heldBytes / mebibyte;

test('what does not fit goes to disk and comes back in order, and the files go when it was consumed', () => {
  fill(6000, () => 4000);
  assert.ok(heldMebibytes() < 16, `${heldMebibytes()} MiB are held`);
  assert.ok(pageFiles().length > 0);
  assertBodies(drain(), 6000, () => 4000);
  assert.deepEqual(pageFiles(), []);
  assert.equal(broker.core.store.liveCount, 0);
});

test('large bodies go to disk, too, whatever their size', () => {
  const bytesOf = (number: number): number => [40_000, 300_000, 100, 1_200_000, 200_000][number % 5] as number;
  fill(120, bytesOf);
  assert.ok(heldMebibytes() < 20, `${heldMebibytes()} MiB are held`);
  assert.ok(pageFiles().some(name => name.startsWith('page-')) && pageFiles().some(name => name.startsWith('pages-')));
  assertBodies(drain(), 120, bytesOf);
  assert.deepEqual(pageFiles(), []);
});

test('a purge and the deletion of a queue give the space back at once', () => {
  client.send(queueDeclare(1, { queue: 'r' }));
  fill(
    4000,
    () => 4000,
    number => (number % 2 === 0 ? 'q' : 'r'),
  );
  assert.ok(pageFiles().length > 0);
  client.send(queuePurge(1, { queue: 'q' }));
  client.send(queueDelete(1, { queue: 'r' }));
  settle();
  assert.deepEqual(pageFiles(), []);
});

test('a restart, clean or not, begins without them and without their files', () => {
  fill(4000, () => 4000);
  fill(20, () => 300_000);
  assert.ok(pageFiles().length > 1);
  start(new SimDurableBroker(broker.files.kill(), {}, memoryBytes));
  assert.deepEqual(pageFiles(), []);
  assert.deepEqual(drain(), []);
});

test('a few messages that stay among many do not keep the pages of all', () => {
  client.send(queueDeclare(1, { queue: 'stays' }));
  fill(
    12_000,
    () => 4000,
    number => (number % 40 === 0 ? 'stays' : 'q'),
  );
  client.send(queuePurge(1, { queue: 'q' }));
  settle();
  const before = broker.core.store.evictedSlabs + broker.core.store.residentSlabs;
  for (let round = 0; round < 10; round++) {
    broker.core.compactMemory(0);
    broker.advance(2000);
    settle();
  }
  const after = broker.core.store.evictedSlabs + broker.core.store.residentSlabs;
  assert.ok(before > 30 && after <= 6, `${before} slabs before, ${after} after`);
  const bodies = drain('stays');
  assert.deepEqual(
    bodies.map(found => found.readUInt32LE(0)),
    Array.from({ length: 300 }, (_, i) => i * 40),
  );
  assert.ok(bodies.every(found => found.equals(body(found.readUInt32LE(0), 4000))));
});

for (const [what, damage] of [
  ['was damaged', (name: string) => broker.files.platter.names.get(name)?.apply(mebibyte + 5000, Buffer.from([0xaa]))],
  ['cannot be read', (name: string) => failRead(name)],
] as const) {
  test(`a page that ${what} costs its messages, which are counted, and gives no wrong ones`, () => {
    fill(4000, () => 4000);
    damage(pageFiles()[0] as string);
    const bodies = drain();
    assert.ok(bodies.every(found => found.equals(body(found.readUInt32LE(0), 4000))));
    const lost = 4000 - bodies.length;
    assert.ok(lost > 200 && lost <= 262, `${lost} messages were lost`);
    assert.equal(broker.core.counters.damagedMessages, lost);
    assert.equal(broker.core.store.liveCount, 0);
  });
}

/** Makes one read of a file fail. */
function failRead(of: string): void {
  let hasFailed = false;
  broker.files.fault = (operation, name) => {
    if (operation !== 'read' || name !== of || hasFailed) return null;
    hasFailed = true;
    return systemError('EIO', name);
  };
}

test('a queue whose transient messages are on disk becomes a quorum queue, and keeps them', () => {
  const bytesOf = (number: number): number => (number % 100 === 0 ? 300_000 : 4000);
  fill(3000, bytesOf);
  assert.ok(broker.core.store.evictedSlabs > 0 && broker.core.store.looseMessages.evictedCount > 0);
  const quorum = new Map([
    ['x-queue-type', longstr('quorum')],
    ['x-on-conflict', longstr('migrate')],
  ]);
  client.send(queueDeclare(1, { queue: 'q', durable: true, arguments: quorum }));
  settle();
  client.expect(methods.QueueDeclareOk, 1);
  start(new SimDurableBroker(broker.files.cutPower({ data: 'none', names: 'none' }), {}, memoryBytes), quorum);
  assertBodies(drain(), 3000, bytesOf);
});

test('a disk that cannot take them leaves them in memory, and nothing else fails', () => {
  broker.files.fault = (operation, name) => (operation === 'write' && name.startsWith('page') ? systemError('EIO', name) : null);
  fill(4000, () => 4000);
  fill(
    20,
    () => 300_000,
    () => 'q',
  );
  assert.ok(heldMebibytes() > 15);
  client.publish(1, { routingKey: 'q', properties: { deliveryMode: 2 }, body: 'durable' });
  settle();
  const bodies = drain();
  assert.equal(bodies.length, 4021);
  assert.equal(String(bodies.at(-1)), 'durable');
});

test('a large message that is handed out at once is not written to disk while it is being sent, and is when it was sent and stays', () => {
  const large = body(7, 6 * mebibyte);
  const consumer = SimClient.connect(broker);
  consumer.openChannel(1);
  consumer.send(basicConsume(1, { queue: 'q', consumerTag: 'slow' }));
  consumer.takeAll();
  consumer.socket.kernelBytesMax = 100_000;
  client.publish(1, { routingKey: 'q', properties: { deliveryMode: 1 }, body: large });
  broker.advance(5000);
  settle();
  assert.deepEqual(pageFiles(), []);
  assert.ok(heldMebibytes() >= 6);
  consumer.socket.kernelBytesMax = Infinity;
  const delivered = consumer.takeDelivery(1);
  assert.ok(delivered?.body.equals(large));
  assert.deepEqual(pageFiles(), [], 'it is looked at again when a second is over');
  broker.advance(1100);
  settle();
  assert.deepEqual(pageFiles(), ['page-1.tmp']);
  assert.ok(heldMebibytes() < 6);
  consumer.drop();
  settle();
  const [again] = drain();
  assert.ok(again?.equals(large));
  assert.deepEqual(pageFiles(), []);
});
