import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeSocket, type Ticks } from '../../test/support/fake-socket.ts';
import { Outbox } from './outbox.ts';
import { outboxSlabBytes } from './slab-pool.ts';

function runTicks(ticks: Ticks): void {
  for (let tick = ticks.shift(); tick !== undefined; tick = ticks.shift()) tick();
}

function setUp(kernelBytesMax = Infinity, bytesMax = 1000): { ticks: Ticks; socket: FakeSocket; outbox: Outbox; drained: () => number } {
  const ticks: Ticks = [];
  const socket = new FakeSocket(ticks, { kernelBytesMax });
  let count = 0;
  const outbox = new Outbox(socket, bytesMax, () => count++);
  return { ticks, socket, outbox, drained: () => count };
}

test('what was appended goes out in one write at flush', () => {
  const { socket, outbox } = setUp();
  outbox.append(Buffer.from('one '));
  outbox.append(Buffer.from('two'));
  assert.equal(socket.readableBytes, 0);
  assert.equal(outbox.pendingBytes, 7);
  assert.equal(outbox.isEmpty, false);
  outbox.flush();
  assert.equal(socket.read().toString(), 'one two');
  assert.equal(outbox.pendingBytes, 0);
  assert.equal(outbox.isEmpty, true);
});

test('a full slab goes to the socket without waiting for flush', () => {
  const { socket, outbox } = setUp(Infinity, 10_000_000);
  const frame = Buffer.alloc(40_000, 'x');
  outbox.append(frame);
  outbox.append(frame);
  assert.equal(socket.readableBytes, 40_000);
  outbox.flush();
  assert.equal(socket.readableBytes, 80_000);
});

test('chunks keep their place between what is copied', () => {
  const { socket, outbox } = setUp(Infinity, 10_000_000);
  const large = Buffer.alloc(3 * outboxSlabBytes, 'L');
  outbox.append(Buffer.from('a'));
  outbox.appendChunk(large);
  outbox.append(Buffer.from('b'));
  outbox.append(large);
  outbox.append(Buffer.from('c'));
  outbox.flush();
  assert.equal(socket.read().toString(), `a${large.toString()}b${large.toString()}c`);
});

test('an empty flush writes nothing', () => {
  const { socket, outbox, ticks } = setUp();
  outbox.flush();
  outbox.reserve(100);
  outbox.flush();
  outbox.flush();
  assert.equal(socket.bytesWritten, 0);
  assert.equal(ticks.length, 0);
});

test('the outbox is congested above its limit, and drained once when half of that is free', () => {
  const { socket, outbox, ticks, drained } = setUp(100, 1000);
  outbox.append(Buffer.alloc(600));
  outbox.flush();
  assert.equal(outbox.isCongested, false);
  outbox.append(Buffer.alloc(600));
  outbox.flush();
  assert.equal(outbox.isCongested, true);
  runTicks(ticks);
  assert.equal(drained(), 0);
  // The first write is taken when the kernel has had all of its 600 bytes: 600 are left, more than half.
  socket.read();
  while (socket.bytesWritten < 650) socket.read(50);
  runTicks(ticks);
  assert.equal(drained(), 0);
  assert.equal(outbox.isCongested, true);
  socket.kernelBytesMax = Infinity;
  socket.read();
  runTicks(ticks);
  assert.equal(drained(), 1);
  assert.equal(outbox.isCongested, false);
});

test('a chunk larger than the limit congests at once and drains with the flush when the kernel takes it', () => {
  const { outbox, drained } = setUp(Infinity, 1000);
  outbox.appendChunk(Buffer.alloc(5000));
  assert.equal(outbox.isCongested, true);
  assert.equal(drained(), 0);
  outbox.flush();
  assert.equal(outbox.isCongested, false);
  assert.equal(drained(), 1);
});

test('a closed connection takes its outbox with it', () => {
  const { socket, outbox, ticks } = setUp(10, 1000);
  outbox.append(Buffer.alloc(500));
  outbox.flush();
  outbox.append(Buffer.alloc(500));
  socket.destroy();
  outbox.discard();
  runTicks(ticks);
  assert.equal(outbox.isEmpty, true);
  assert.equal(outbox.pendingBytes, 0);
  outbox.flush();
});
