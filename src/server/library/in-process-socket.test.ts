import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { InProcessSocket } from './in-process-socket.ts';

test('what is written arrives later, and is a copy', async () => {
  const [client, server] = InProcessSocket.pair(1);
  const bytes = Buffer.from('first');
  let hasArrived = false;
  const data = once(server, 'data').then(([chunk]) => {
    hasArrived = true;
    return String(chunk);
  });
  client.write(bytes);
  bytes.write('other');
  assert.ok(!hasArrived);
  assert.equal(await data, 'first');
  assert.deepEqual([client.bytesWritten, server.bytesRead], [5, 5]);
});

test('a reader that does not read holds the writer up, for as long as it does not', async () => {
  const [client, server] = InProcessSocket.pair(1);
  const chunk = Buffer.alloc(100_000);
  let doneCount = 0;
  for (let count = 0; count < 10; count++) client.write(chunk, () => doneCount++);
  await new Promise(resolve => setImmediate(() => setImmediate(resolve)));
  assert.ok(client.writableLength >= 800_000, `${client.writableLength} bytes wait`);
  server.on('data', () => {});
  while (client.writableLength > 0) await new Promise(resolve => setImmediate(resolve));
  assert.equal(server.bytesRead, 1_000_000);
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(doneCount, 10);
});

test('when one end is gone the other ends, and writing fails', async () => {
  const [client, server] = InProcessSocket.pair(1);
  client.resume();
  const ended = once(client, 'end');
  server.destroy();
  const failed = new Promise<Error | null | undefined>(resolve => client.write('x', resolve));
  assert.equal(((await failed) as NodeJS.ErrnoException).code, 'EPIPE');
  await ended.catch((error: unknown) => assert.match(String(error), /EPIPE/));

  const [other, its] = InProcessSocket.pair(2);
  its.resume();
  other.resume();
  other.end('bye');
  await Promise.all([once(other, 'close'), once(its, 'close')]);
  assert.equal(its.bytesRead, 3);
});

test('silence is told, and ends with the socket', async () => {
  const [client] = InProcessSocket.pair(1);
  let count = 0;
  client.setTimeout(1, () => count++);
  // Its own timer does not keep the process: this one does.
  const keeper = setTimeout(() => {}, 5000);
  await once(client, 'timeout');
  clearTimeout(keeper);
  assert.equal(count, 1);
  client.setTimeout(60_000);
  client.destroy();
  assert.equal(client.setTimeout(60_000).timeout, 60_000);
});
