// kill -9 while STOMP clients send and acknowledge with receipts: what a receipt was given for is so after the restart. (See kill.test.ts for
// what such a kill can prove.)
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { StompDriver } from '../support/stomp-driver.ts';
import { waitUntil } from '../support/wait-until.ts';

const data = mkdtempSync(join(tmpdir(), 'warren-stomp-crash-'));
const child = join(dirname(fileURLToPath(import.meta.url)), 'stomp-child.ts');
const running = new Set<ChildProcess>();
after(() => {
  for (const broker of running) broker.kill('SIGKILL');
  rmSync(data, { recursive: true, force: true });
});

const destination = '/queue/crash';
/** How many messages may wait for their receipt. */
const openMax = 100;

async function start(): Promise<{ kill: () => Promise<void>; port: number }> {
  const broker = spawn(process.execPath, [child, data], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(broker);
  const ended = once(broker, 'close').then(() => void running.delete(broker));
  const [line] = (await Promise.race([once(broker.stdout, 'data'), ended.then(() => ['0'])])) as [Buffer | string];
  const port = Number(String(line).trim());
  assert.ok(port > 0, 'the broker ended before it was ready');
  return {
    port,
    kill: async () => {
      broker.kill('SIGKILL');
      await ended;
    },
  };
}

/** The receipts that came, taken out of the client's inbox. */
function takeReceipts(client: StompDriver): string[] {
  const receipts = client.frames.filter(({ command }) => command === 'RECEIPT').map(({ headers }) => headers['receipt-id'] ?? '');
  client.frames.splice(0, client.frames.length, ...client.frames.filter(({ command }) => command !== 'RECEIPT'));
  return receipts;
}

test('messages with a receipt are there after kill -9, acknowledgements with a receipt are not undone, four times over', {
  timeout: 120_000,
}, async () => {
  const received = new Set<string>();
  const acknowledged = new Set<string>();
  /** Those that an ACK was sent for, told or not. */
  const settled = new Set<string>();
  let next = 1;
  for (let cycle = 0; cycle < 4; cycle++) {
    const { port, kill } = await start();
    const [sender, reader] = [await StompDriver.connect(port), await StompDriver.connect(port)];
    reader.send('SUBSCRIBE', { id: '0', destination, ack: 'client-individual', 'prefetch-count': '50' });
    const killed = new Promise<void>(resolve => setTimeout(() => void kill().then(resolve), 150 + cycle * 70));
    let isOver = false;
    void killed.then(() => void (isOver = true));
    let open = 0;
    const pending = new Map<string, string>();
    const work = (): boolean => {
      for (const receipt of takeReceipts(sender)) {
        received.add(receipt);
        open--;
      }
      for (; open < openMax && !isOver; open++) {
        const number = String(next++);
        sender.send('SEND', { destination, persistent: 'true', receipt: number }, `${number}:${'x'.repeat((next * 7) % 600)}`);
      }
      for (const receipt of takeReceipts(reader)) acknowledged.add(pending.get(receipt) ?? '');
      for (const message of reader.frames.splice(0)) {
        const number = message.body.split(':')[0] as string;
        // Every second one is acknowledged, and told so.
        if (Number(number) % 2 === 0) continue;
        const ack = message.headers.ack ?? '';
        pending.set(ack, number);
        settled.add(number);
        reader.send('ACK', { id: ack, receipt: ack });
      }
      return isOver;
    };
    await waitUntil(work, { timeoutMillis: 20_000, intervalMillis: 1 });
    work();
    sender.destroy();
    reader.destroy();
  }
  assert.ok(received.size > 300, `only ${received.size} receipts came`);
  assert.ok(acknowledged.size > 20, `only ${acknowledged.size} acknowledgements were told`);
  const { port, kill } = await start();
  const client = await StompDriver.connect(port);
  client.send('SUBSCRIBE', { id: '0', destination, ack: 'client' });
  const found = new Set<string>();
  const isThere = (): boolean => {
    for (const message of client.frames.splice(0)) {
      assert.equal(message.command, 'MESSAGE');
      found.add(message.body.split(':')[0] as string);
    }
    return [...received].every(number => found.has(number) || settled.has(number));
  };
  await waitUntil(isThere, { timeoutMillis: 20_000 });
  // Whatever was not acknowledged for certain is there, and nothing that was.
  assert.deepEqual(
    [...acknowledged].filter(number => found.has(number)),
    [],
  );
  client.destroy();
  await kill();
});
