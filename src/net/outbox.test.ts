import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { FakeSocket, type Ticks } from '../../test/support/fake-socket.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { Outbox } from './outbox.ts';
import { outboxSlabBytes } from './slab-pool.ts';

function runTicks(ticks: Ticks): void {
  for (let tick = ticks.shift(); tick !== undefined; tick = ticks.shift()) tick();
}

const nothing = (): void => {};

interface Bench {
  readonly ticks: Ticks;
  readonly socket: FakeSocket;
  readonly outbox: Outbox;
  drained(): number;
  unsent(): number;
}

function setUp(kernelBytesMax = Infinity, bytesMax = 1000, handedMax?: number): Bench {
  const ticks: Ticks = [];
  const socket = new FakeSocket(ticks, { kernelBytesMax });
  let drained = 0;
  let unsent = 0;
  const outbox = new Outbox(
    socket,
    bytesMax,
    () => drained++,
    () => unsent++,
    handedMax,
  );
  return { ticks, socket, outbox, drained: () => drained, unsent: () => unsent };
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

test('a write that the kernel takes at once asks for no callback', () => {
  const { socket, outbox, ticks } = setUp();
  for (const word of ['one ', 'two ', 'three']) {
    outbox.append(Buffer.from(word));
    outbox.flush();
  }
  assert.equal(ticks.length, 0);
  assert.equal(outbox.writesDone, 0);
  assert.equal(socket.read().toString(), 'one two three');
});

test('a write that has to wait is told of when it is done, and its bytes stay as they were until then', () => {
  const { socket, outbox, ticks } = setUp(4, 1000);
  outbox.append(Buffer.from('one two '));
  outbox.flush();
  outbox.append(Buffer.from('three'));
  outbox.flush();
  runTicks(ticks);
  assert.equal(outbox.writesDone, 0);
  assert.equal(socket.read().toString(), 'one ');
  assert.equal(socket.read().toString(), 'two ');
  runTicks(ticks);
  assert.equal(outbox.writesDone, 1);
  assert.equal(socket.read(5).toString(), 'thre');
  socket.kernelBytesMax = Infinity;
  assert.equal(socket.read().toString(), 'e');
  runTicks(ticks);
  assert.equal(outbox.writesDone, 2);
  assert.equal(outbox.pendingBytes, 0);
});

test('a socket that takes nothing within the call is told of every write', () => {
  const ticks: Ticks = [];
  const outbox = new Outbox(new FakeSocket(ticks, { takesAtOnce: false }), 1000, nothing, nothing);
  outbox.append(Buffer.from('one'));
  outbox.flush();
  runTicks(ticks);
  assert.equal(outbox.writesDone, 1);
});

test('over TCP, what the kernel does not take at once is told of once it has all of it', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1').pause();
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  let drainedCount = 0;
  const outbox = new Outbox(socket, 1000, () => drainedCount++, nothing);
  const frame = Buffer.alloc(30_000, 'x');
  let sentBytes = 0;
  while (!outbox.isCongested) {
    outbox.append(frame);
    outbox.flush();
    sentBytes += frame.length;
  }
  assert.equal(outbox.writesDone, 0);
  assert.ok(outbox.pendingBytes > 0);
  let receivedBytes = 0;
  client.on('data', bytes => {
    receivedBytes += bytes.length;
  });
  client.resume();
  await waitUntil(() => receivedBytes === sentBytes && drainedCount === 1);
  assert.equal(outbox.pendingBytes, 0);
  assert.equal(outbox.writesDone, 1);
  client.destroy();
  server.close();
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

/** Something large in pieces, as it is lent. */
class Large {
  readonly pieces = [Buffer.alloc(100_000, 'a'), Buffer.alloc(100_000, 'b'), Buffer.alloc(100_000, 'c')];
  readonly bytes = Buffer.concat(this.pieces);
  holders = 0;

  hold(): void {
    this.holders++;
  }

  release(): void {
    this.holders--;
  }
}

test('what is large is handed over in parts, each when the one before was taken, and what comes behind it stays behind it', () => {
  const { socket, outbox, ticks, drained, unsent } = setUp(Infinity, 150_000, 100_000);
  const large = new Large();
  outbox.append(Buffer.from('<'));
  outbox.appendLent(large);
  outbox.append(Buffer.from('>'));
  outbox.flush();
  // A part ends with the piece that fills it.
  assert.equal(socket.readableBytes, 100_001);
  assert.equal(outbox.pendingBytes, 200_001);
  assert.equal(large.holders, 2);
  assert.equal(unsent(), 1);
  runTicks(ticks);
  assert.equal(unsent(), 1, 'asked for twice');
  assert.equal(outbox.isCongested, true);
  outbox.append(Buffer.from('next'));
  outbox.flush();
  assert.equal(socket.readableBytes, 200_001);
  assert.equal(outbox.isCongested, true, 'more than half of 150,000 bytes waits');
  outbox.flush();
  assert.equal(socket.readableBytes, 300_001);
  assert.equal(drained(), 1);
  assert.equal(large.holders, 0);
  assert.equal(unsent(), 3);
  outbox.flush();
  assert.equal(unsent(), 3);
  assert.equal(socket.read().toString('latin1'), `<${large.bytes.toString('latin1')}>next`);
  assert.equal(outbox.isEmpty, true);
});

test('a peer that reads slowly gets no further part before it has taken the last', () => {
  const { socket, outbox, ticks, unsent } = setUp(10_000, 150_000, 100_000);
  outbox.appendLent(new Large());
  outbox.flush();
  assert.equal(socket.writableLength, 100_000);
  outbox.flush();
  assert.equal(socket.writableLength, 100_000);
  assert.equal(unsent(), 0);
  socket.kernelBytesMax = Infinity;
  socket.read();
  runTicks(ticks);
  assert.equal(unsent(), 1);
  assert.equal(outbox.pendingBytes, 200_000);
});

test('at the end all is handed over at once, and what a broken connection leaves is given back', () => {
  const first = setUp(0, 150_000, 100_000);
  first.outbox.appendLent(new Large());
  first.outbox.flush();
  first.outbox.flush(true);
  assert.equal(first.socket.writableLength, 300_000);
  const second = setUp(Infinity, 150_000, 100_000);
  const large = new Large();
  second.outbox.append(Buffer.from('x'));
  second.outbox.appendLent(large);
  second.outbox.flush();
  assert.equal(large.holders, 2);
  second.outbox.discard();
  assert.equal(large.holders, 0);
  assert.equal(second.outbox.pendingBytes, 0);
});
