// What connections, channels, queues and waiting messages cost: scenarios K, L and M.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchClient } from './client.ts';
import { longstr, method, publish, shortstr, u16, u32, u8 } from './frames.ts';
import { type Broker, processorOf } from './own-broker.ts';

/** A figure of a broker, with its unit; the higher the better, or not. */
export interface Cost {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  /** It is not a broker's: a figure to see those of brokers beside. */
  readonly isYardstick?: boolean;
  measure(broker: Broker, seconds: number): Promise<number | Rate>;
}

/** `processorMicros` is the broker's processor time for each, null where its pid is not known. */
export interface Rate {
  readonly perSecond: number;
  readonly processorMicros: number | null;
}

/** Rate and processor time of `act`, which says how often it did what is counted. */
async function rateOf(broker: Broker, act: () => Promise<number>): Promise<Rate> {
  const [before, start] = [processorOf(broker), performance.now()];
  const count = await act();
  const [after, end] = [processorOf(broker), performance.now()];
  const processorMicros = before === null || after === null ? null : ((after - before) * 1e6) / count;
  return { perSecond: (count / (end - start)) * 1000, processorMicros };
}

/** V8 gives memory back when it has been idle for a while. */
const settleMillis = 6000;
const wait = (millis: number): Promise<void> => new Promise(resolve => setTimeout(resolve, millis));

function residentBytes(broker: Broker): number {
  if (broker.pid === null) throw new Error('memory is measured of a process whose pid is known (--pid, --peer-pid)');
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${broker.pid}/status`, 'utf8'));
  return Number(match?.[1]) * 1024;
}

const batches = 4;
const bareServer = join(dirname(fileURLToPath(import.meta.url)), 'bare-server.ts');

/**
 * Resident memory that `act` added, for each of `count`, in KiB; what it made is taken away again by what it returns. It is done several times,
 * and the first does not count: it has code that is compiled and a heap that grows to its working size.
 */
async function kibibytesEach(broker: Broker, count: number, act: (batch: number) => Promise<() => Promise<void>>): Promise<number> {
  const undo: (() => Promise<void>)[] = [];
  let before = 0;
  for (let batch = 0; batch < batches; batch++) {
    undo.push(await act(batch));
    if (batch === 0 || batch === batches - 1) await wait(settleMillis);
    if (batch === 0) before = residentBytes(broker);
  }
  const each = (residentBytes(broker) - before) / (count * (batches - 1)) / 1024;
  for (const take of undo) await take();
  return each;
}

export const costs: readonly Cost[] = [
  {
    name: 'K',
    what: 'connections opened and closed, 8 at once',
    unit: '/s',
    measure: churned,
  },
  {
    name: 'K0',
    what: 'the same with a server on bare Node that gives canned answers',
    unit: '/s',
    isYardstick: true,
    async measure(_broker, seconds) {
      const child = spawn(process.execPath, [bareServer], { stdio: ['ignore', 'pipe', 'inherit'] });
      process.on('exit', () => child.kill('SIGKILL'));
      const [port] = (await once(child.stdout, 'data')) as [Buffer];
      const rate = await churned({ name: 'bare', port: Number(port.toString()), pid: child.pid ?? null }, seconds);
      child.kill('SIGKILL');
      return rate;
    },
  },
  {
    name: 'L1',
    what: 'an idle connection with a channel',
    unit: 'KiB',
    measure: broker =>
      kibibytesEach(broker, 2000, async () => {
        const clients: BenchClient[] = [];
        for (let i = 0; i < 2000; i++) clients.push(await BenchClient.open(broker.port));
        return async () => {
          for (const client of clients) client.socket.destroy();
        };
      }),
  },
  {
    name: 'L2',
    what: 'an idle channel',
    unit: 'KiB',
    measure: broker =>
      kibibytesEach(broker, 10_000, async () => {
        const clients: BenchClient[] = [];
        for (let i = 0; i < 10; i++) {
          const client = await BenchClient.open(broker.port);
          for (let channel = 2; channel <= 1001; channel++) await client.call(method(channel, 20, 10, shortstr('')), 20, 11);
          clients.push(client);
        }
        return async () => {
          for (const client of clients) client.socket.destroy();
        };
      }),
  },
  {
    name: 'L3',
    what: 'an empty durable queue',
    unit: 'KiB',
    measure: broker =>
      kibibytesEach(broker, 10_000, async batch => {
        const client = await BenchClient.open(broker.port);
        for (let i = 0; i < 10_000; i++) await client.declareQueue(`warren-bench-cost-${batch}-${i}`, true);
        return async () => {
          for (let i = 0; i < 10_000; i++) await client.deleteQueue(`warren-bench-cost-${batch}-${i}`);
          client.socket.destroy();
        };
      }),
  },
  {
    name: 'L4',
    what: 'a transient message of 1 KiB that waits, 50,000 of them',
    unit: 'KiB',
    measure: broker =>
      kibibytesEach(broker, 50_000, async number => {
        const client = await BenchClient.open(broker.port);
        await client.declareQueue(`warren-bench-cost-${number}`, false);
        const batch = Buffer.concat(
          Array.from({ length: 50 }, () => publish('', `warren-bench-cost-${number}`, Buffer.alloc(1024, 97), false, 131_072)),
        );
        for (let i = 0; i < 1000; i++) if (!client.socket.write(batch)) await new Promise(resolve => client.socket.once('drain', resolve));
        await client.declareQueue(`warren-bench-cost-${number}`, false);
        return async () => {
          await client.deleteQueue(`warren-bench-cost-${number}`);
          client.socket.destroy();
        };
      }),
  },
  {
    name: 'M',
    what: 'durable queues declared, 100 in flight',
    unit: '/s',
    async measure(broker) {
      const client = await BenchClient.open(broker.port);
      const count = 10_000;
      const inFlight = 100;
      const declare = (i: number): Buffer => method(1, 50, 10, u16(0), shortstr(`warren-bench-m-${i}`), u8(2), u32(0));
      let sent = 0;
      let answered = 0;
      const rate = await rateOf(broker, async () => {
        await new Promise<void>(done => {
          client.start({
            onMethod: () => {
              answered++;
              if (sent < count) client.socket.write(declare(sent++));
              if (answered === count) done();
            },
            onBody: () => {},
          });
          while (sent < inFlight) client.socket.write(declare(sent++));
        });
        return count;
      });
      for (let i = 0; i < count; i++) await client.deleteQueue(`warren-bench-m-${i}`);
      client.socket.destroy();
      return rate;
    },
  },
];

/** What the client says in the life of a connection, each after an answer: handshake, a channel, an orderly end. */
const life: readonly Buffer[] = [
  Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
  method(0, 10, 11, u32(0), shortstr('PLAIN'), longstr(Buffer.from('\0guest\0guest')), shortstr('en_US')),
  Buffer.concat([method(0, 10, 31, u16(2047), u32(131_072), u16(0)), method(0, 10, 40, shortstr('/'), shortstr(''), u8(0))]),
  method(1, 20, 10, shortstr('')),
  method(0, 10, 50, u16(200), shortstr(''), u16(0), u16(0)),
];

async function churned(broker: Broker, seconds: number): Promise<Rate> {
  // Thousands of connections until the code is compiled.
  await churn(broker.port, 2);
  return rateOf(broker, () => churn(broker.port, seconds));
}

async function churn(port: number, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let count = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (performance.now() < end) if (await openAndClose(port)) count++;
    }),
  );
  return count;
}

/** False when it failed: a broker that is still busy with the load before may refuse some. */
function openAndClose(port: number): Promise<boolean> {
  return new Promise(resolve => {
    let said = 0;
    let isDone = false;
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(life[said++] as Buffer));
    let carry = Buffer.alloc(0);
    socket.on('data', chunk => {
      carry = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
      while (carry.length >= 8 && carry.length >= 8 + carry.readUInt32BE(3)) {
        carry = carry.subarray(8 + carry.readUInt32BE(3));
        isDone = said === life.length;
        if (isDone) socket.end();
        else socket.write(life[said++] as Buffer);
      }
    });
    socket.on('error', () => {});
    // Some brokers end it with a reset once all is said.
    socket.on('close', () => resolve(isDone));
  });
}
