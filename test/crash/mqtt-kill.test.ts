// kill -9 in the middle of acknowledged publishing by MQTT, again and again on the same data: what PUBACK or PUBREC told is there.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MqttDriver } from '../support/mqtt-driver.ts';
import { waitUntil } from '../support/wait-until.ts';

const directory = mkdtempSync(join(tmpdir(), 'warren-mqtt-crash-'));
const child = join(dirname(fileURLToPath(import.meta.url)), 'mqtt-child.ts');
const running = new Set<ChildProcess>();
after(() => {
  for (const broker of running) broker.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

async function start(dataDir: string): Promise<{ broker: ChildProcess; port: number; ended: Promise<void> }> {
  const broker = spawn(process.execPath, [child, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(broker);
  const ended = new Promise<void>(resolve => broker.on('close', () => resolve()));
  void ended.then(() => running.delete(broker));
  const port = await new Promise<number>((resolve, reject) => {
    broker.stdout?.once('data', chunk => resolve(Number(String(chunk))));
    broker.once('close', () => reject(new Error('the broker ended before it was ready')));
  });
  return { broker, port, ended };
}

const session = { clientId: 'lasting', isCleanStart: false, properties: { sessionExpirySeconds: 3600 } };

for (const qos of [1, 2]) {
  test(`QoS ${qos}: what was acknowledged is delivered after kill -9, in order, five times over`, { timeout: 120_000 }, async () => {
    const data = join(directory, `qos${qos}`);
    const acknowledged = new Set<number>();
    let next = 1;
    let first = await start(data);
    const subscriber = await MqttDriver.connect(first.port, session);
    await subscriber.subscribe('crash/#', qos);
    await subscriber.disconnect();
    for (let cycle = 0; cycle < 5; cycle++) {
      const publisher = await MqttDriver.connect(first.port, { clientId: 'publisher' });
      const { broker } = first;
      setTimeout(() => broker.kill('SIGKILL'), 60 + ((cycle * 37) % 120));
      const numbers = new Map<number, number>();
      const answer = qos === 1 ? 'puback' : 'pubrec';
      try {
        while (!publisher.isClosed) {
          for (; numbers.size < 100; next++)
            numbers.set(publisher.publish('crash/x', `${next}:${'x'.repeat((next * 7) % 600)}`, { qos }), next);
          const { packetId, reason } = await publisher.next(answer);
          assert.equal(reason, 0);
          acknowledged.add(numbers.get(packetId) as number);
          numbers.delete(packetId);
          if (qos === 2) publisher.ack('pubrel', packetId);
        }
      } catch (error) {
        if (!publisher.isClosed) throw error;
      }
      // Acknowledgements that came and were not looked at count as well.
      for (const packet of publisher.inbox)
        if (packet.name === answer && 'packetId' in packet) acknowledged.add(numbers.get(packet.packetId) as number);
      publisher.destroy();
      await first.ended;
      first = await start(data);
    }
    const reader = await MqttDriver.connect(first.port, { ...session, properties: { ...session.properties, receiveMax: 65_535 } });
    const got: number[] = [];
    await waitUntil(
      () => {
        for (const packet of reader.inbox.splice(0)) {
          if (packet.name === 'pubrel') reader.ack('pubcomp', packet.packetId);
          if (packet.name !== 'publish') continue;
          const [number, padding] = packet.payload.toString().split(':') as [string, string];
          assert.match(padding, /^x*$/);
          got.push(Number(number));
          reader.ack(qos === 1 ? 'puback' : 'pubrec', packet.packetId);
        }
        return got.length >= acknowledged.size && acknowledged.size > 0 && [...acknowledged].every(number => got.includes(number));
      },
      { timeoutMillis: 20_000, intervalMillis: 50, message: () => `${acknowledged.size} acknowledged, ${got.length} delivered` },
    );
    assert.deepEqual(
      got,
      [...new Set(got)].sort((a, b) => a - b),
      'in order, and none twice',
    );
    reader.destroy();
    first.broker.kill('SIGKILL');
    await first.ended;
  });
}

test('a retained message that was acknowledged is there after kill -9, and one that was taken away is not', {
  timeout: 60_000,
}, async () => {
  const data = join(directory, 'retained');
  let broker = await start(data);
  const publisher = await MqttDriver.connect(broker.port, { clientId: 'p' });
  await publisher.publishAndWait('r/stays', 'first', { isRetained: true });
  await publisher.publishAndWait('r/stays', 'second', { isRetained: true });
  await publisher.publishAndWait('r/gone', 'x', { isRetained: true });
  await publisher.publishAndWait('r/gone', '', { isRetained: true });
  broker.broker.kill('SIGKILL');
  await broker.ended;
  publisher.destroy();
  broker = await start(data);
  const reader = await MqttDriver.connect(broker.port, { clientId: 'r' });
  await reader.subscribe('r/#', 0);
  const message = await reader.next('publish');
  assert.deepEqual([message.topic, message.payload.toString(), message.isRetained], ['r/stays', 'second', true]);
  await reader.ping();
  assert.deepEqual(reader.inbox, []);
  reader.destroy();
  broker.broker.kill('SIGKILL');
  await broker.ended;
});
