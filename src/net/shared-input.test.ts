import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, test } from 'node:test';
import { Random } from '../../test/support/random.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { type InputTaker, largeReadBytes, readBytes, shareInput } from './shared-input.ts';

const open: (net.Socket | net.Server)[] = [];
afterEach(() => {
  for (const each of open.splice(0)) {
    if (each instanceof net.Socket) each.destroy();
    else each.close();
  }
});

/** Keeps a copy of what comes. */
class Taker implements InputTaker {
  readonly got: Buffer[] = [];
  readonly buffers = new Set<Buffer>();
  largest = 0;
  isTakingLarge = false;
  onTaken: () => void = () => {};

  take(buffer: Buffer, bytes: number): void {
    this.got.push(Buffer.from(buffer.subarray(0, bytes)));
    this.buffers.add(buffer);
    this.largest = Math.max(this.largest, bytes);
    this.onTaken();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.got);
  }
}

interface Pair {
  readonly client: net.Socket;
  readonly server: net.Socket;
  readonly taker: Taker;
  isEnded: boolean;
}

/** So many connections whose server ends share their reads. */
async function connect(count: number): Promise<Pair[]> {
  const accepted: net.Socket[] = [];
  const listener = net.createServer(socket => accepted.push(socket)).listen(0, '127.0.0.1');
  open.push(listener);
  await once(listener, 'listening');
  const pairs: Pair[] = [];
  for (let i = 0; i < count; i++) {
    const client = net.connect((listener.address() as net.AddressInfo).port, '127.0.0.1');
    await waitUntil(() => accepted.length === i + 1 && !client.connecting);
    const server = accepted[i] as net.Socket;
    const taker = new Taker();
    const pair = { client, server, taker, isEnded: false };
    assert.equal(shareInput(server, taker), true);
    server.on('data', bytes => taker.take(bytes, bytes.length));
    server.on('end', () => (pair.isEnded = true));
    open.push(client, server);
    pairs.push(pair);
  }
  return pairs;
}

test('connections share one buffer, and each gets what its client sent', async () => {
  const random = new Random(6);
  const pairs = await connect(7);
  const sent: Buffer[][] = pairs.map(() => []);
  for (let round = 0; round < 60; round++) {
    const index = random.below(pairs.length);
    const bytes = random.bytes(random.skewed(60_000));
    sent[index]?.push(bytes);
    pairs[index]?.client.write(bytes);
    if (random.chance(0.3)) await new Promise(resolve => setImmediate(resolve));
  }
  const buffers = new Set<Buffer>();
  for (const [index, { taker, client, server }] of pairs.entries()) {
    client.end();
    const expected = Buffer.concat(sent[index] ?? []);
    await waitUntil(() => taker.bytes.length >= expected.length);
    assert.equal(taker.bytes.equals(expected), true);
    assert.equal(server.bytesRead, expected.length);
    for (const buffer of taker.buffers) buffers.add(buffer);
  }
  assert.equal(buffers.size, 1);
  await waitUntil(() => pairs.every(pair => pair.isEnded && pair.server.destroyed));
});

test('a read is 64 KiB at most, and 256 KiB while something large is coming', async () => {
  const [pair] = await connect(1);
  const { client, taker } = pair ?? assert.fail();
  const bytes = Buffer.alloc(4 * 1024 * 1024, 5);
  client.write(bytes);
  await waitUntil(() => taker.bytes.length === bytes.length);
  assert.equal(taker.largest, readBytes);
  taker.isTakingLarge = true;
  client.write(bytes);
  await waitUntil(() => taker.bytes.length === 2 * bytes.length);
  assert.equal(taker.largest > readBytes && taker.largest <= largeReadBytes, true, String(taker.largest));
  taker.isTakingLarge = false;
  taker.largest = 0;
  // The read after the change may still be a large one.
  client.write('x');
  await waitUntil(() => taker.bytes.length === 2 * bytes.length + 1);
  taker.largest = 0;
  client.write(bytes);
  await waitUntil(() => taker.bytes.length === 3 * bytes.length + 1);
  assert.equal(taker.largest, readBytes);
});

test('a socket that is paused is not read, and what was put back comes first', async () => {
  const [pair] = await connect(1);
  const { client, server, taker } = pair ?? assert.fail();
  let calls = 0;
  taker.onTaken = () => {
    calls++;
    if (calls !== 1) return;
    server.pause();
    // All but the first byte was not acted on.
    const last = taker.got.pop() ?? assert.fail();
    taker.got.push(last.subarray(0, 1));
    server.unshift(last.subarray(1));
  };
  client.write('abc');
  await waitUntil(() => calls === 1);
  client.end('def');
  await once(client, 'finish');
  for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve));
  assert.equal(calls, 1);
  assert.equal(pair?.isEnded, false);
  server.resume();
  await waitUntil(() => pair?.isEnded === true);
  assert.equal(taker.bytes.toString(), 'abcdef');
});

test('a connection that is destroyed while it takes gets nothing more', async () => {
  const [pair] = await connect(1);
  const { client, server, taker } = pair ?? assert.fail();
  taker.onTaken = () => server.destroy();
  client.on('error', () => {});
  client.write(Buffer.alloc(1024 * 1024));
  await once(server, 'close');
  assert.equal(taker.got.length, 1);
});

test('what is no plain socket is left as it is', () => {
  const taker = new Taker();
  assert.equal(shareInput({}, taker), false);
  const socket = new net.Socket();
  open.push(socket);
  // Without a handle there is nothing to be read.
  assert.equal(shareInput(socket, taker), false);
  assert.equal(shareInput(Object.assign(new net.Socket(), { encrypted: true }), taker), false);
});
