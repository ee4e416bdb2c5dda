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

/** A client's own part of QoS 2, which outlives its connections: what MQTT asks of it and no more. [MQTT 5.0 4.3.3] */
class ExactlyOnceSender {
  /** Published, by packet id: the number within, and whether PUBREC came. */
  readonly underWay = new Map<number, { readonly number: number; isReceived: boolean }>();
  sentCount = 0;
  doneCount = 0;
  #lastId = 0;

  /** Sends again what the connection before had left open, in its order. */
  resume(client: MqttDriver): void {
    for (const [packetId, { number, isReceived }] of this.underWay)
      if (isReceived) client.ack('pubrel', packetId);
      else client.publish('once/x', String(number), { qos: 2, packetId, isDuplicate: true });
  }

  /** Publishes while fewer than `windowMax` are open and the numbers last. */
  fill(client: MqttDriver, windowMax: number, numbersMax: number): void {
    while (this.underWay.size < windowMax && this.sentCount < numbersMax) {
      // Few ids, used again and again: one that the broker still holds would swallow a message.
      do this.#lastId = (this.#lastId % (windowMax + 3)) + 1;
      while (this.underWay.has(this.#lastId));
      this.underWay.set(this.#lastId, { number: ++this.sentCount, isReceived: false });
      client.publish('once/x', String(this.sentCount), { qos: 2, packetId: this.#lastId });
    }
  }

  take(client: MqttDriver): void {
    for (const packet of client.inbox.splice(0)) {
      if (packet.name === 'pubrec') {
        assert(packet.reason < 0x80, `PUBREC ${packet.reason}`);
        const one = this.underWay.get(packet.packetId);
        if (one !== undefined) one.isReceived = true;
        client.ack('pubrel', packet.packetId);
      } else if (packet.name === 'pubcomp' && this.underWay.get(packet.packetId)?.isReceived === true) {
        this.underWay.delete(packet.packetId);
        this.doneCount++;
      }
    }
  }
}

class ExactlyOnceReceiver {
  /** Received and not released. */
  readonly #ids = new Set<number>();
  readonly numbers: number[] = [];

  take(client: MqttDriver): void {
    for (const packet of client.inbox.splice(0)) {
      if (packet.name === 'publish') {
        assert.equal(packet.qos, 2);
        if (!this.#ids.has(packet.packetId)) this.numbers.push(Number(packet.payload.toString()));
        this.#ids.add(packet.packetId);
        client.ack('pubrec', packet.packetId);
      } else if (packet.name === 'pubrel') {
        this.#ids.delete(packet.packetId);
        client.ack('pubcomp', packet.packetId);
      }
    }
  }
}

for (const version of [4, 5]) {
  const spoken = version === 4 ? '3.1.1' : '5.0';
  test(`QoS 2 by MQTT ${spoken} is exactly once, from end to end, while the broker is killed again and again`, {
    timeout: 180_000,
  }, async () => {
    const data = join(directory, `once${version}`);
    const numbersMax = 3000;
    const lasting = { isCleanStart: false, version, properties: version === 4 ? {} : { sessionExpirySeconds: 3600 } };
    const sender = new ExactlyOnceSender();
    const receiver = new ExactlyOnceReceiver();
    let cycle = 0;
    for (let isFirst = true; receiver.numbers.length < numbersMax || sender.doneCount < numbersMax; isFirst = false, cycle++) {
      assert(cycle < 60, `${sender.doneCount} sent, ${receiver.numbers.length} received after ${cycle} kills`);
      const { broker, port, ended } = await start(data);
      const to = await MqttDriver.open(port, version);
      const from = await MqttDriver.open(port, version);
      const welcome = await to.login({ ...lasting, clientId: 'to' });
      const other = await from.login({ ...lasting, clientId: 'from' });
      if (isFirst) {
        await to.subscribe('once/#', 2);
        sender.fill(from, 1, numbersMax);
        await waitUntil(() => from.inbox.length > 0);
      } else {
        assert.deepEqual([welcome.isSessionPresent, other.isSessionPresent], [true, true], 'both sessions are there');
        sender.resume(from);
      }
      // At least a little gets through each time; the last round is let through.
      const enough = cycle < 8 ? receiver.numbers.length + 20 + ((cycle * 97) % 150) : Infinity;
      await waitUntil(
        () => {
          sender.take(from);
          receiver.take(to);
          sender.fill(from, 40, numbersMax);
          return receiver.numbers.length >= enough || (receiver.numbers.length >= numbersMax && sender.doneCount >= numbersMax);
        },
        { timeoutMillis: 60_000, intervalMillis: 1, message: () => `${sender.doneCount} sent, ${receiver.numbers.length} received` },
      );
      broker.kill('SIGKILL');
      await ended;
      // What had arrived counts, the answers to it are lost.
      receiver.take(to);
      sender.take(from);
      to.destroy();
      from.destroy();
    }
    assert(cycle > 5);
    const missing = Array.from({ length: numbersMax }, (_, index) => index + 1).filter(number => !receiver.numbers.includes(number));
    const twice = receiver.numbers.filter((number, index) => receiver.numbers.indexOf(number) !== index);
    assert.deepEqual({ missing, twice }, { missing: [], twice: [] });
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
