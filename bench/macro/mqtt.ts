// MQTT side by side with Debian's mosquitto, in alternating runs: one publisher, one subscriber, 16 bytes, QoS 0 and 1; memory of idle
// connections; a fan-out; retained messages by a wildcard.
//   npm run bench:mqtt -- [--seconds 4] [--reps 3] [--only qos0,qos1,idle,fanout,retained] [--connections 10000]
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    reps: { type: 'string', default: '3' },
    only: { type: 'string', default: 'qos0,qos1,idle,fanout,retained' },
    connections: { type: 'string', default: '10000' },
  },
});
const wanted = new Set(values.only.split(','));
const window = 1000;

interface Server {
  readonly name: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly user: string;
}

const directory = mkdtempSync(join(tmpdir(), 'warren-mqtt-bench-'));
const servers: Server[] = [];

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

async function isUp(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const ok = await new Promise<boolean>(resolve => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (ok) return;
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  throw new Error(`nothing on port ${port}`);
}

async function startWarren(): Promise<Server> {
  const [amqp, mqtt, management, prometheus] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const config = join(directory, 'warren.conf');
  writeFileSync(
    config,
    [
      `listeners.tcp.default = 127.0.0.1:${amqp}`,
      `mqtt.listeners.tcp.default = 127.0.0.1:${mqtt}`,
      `mqtt.prefetch = ${window}`,
      `management.tcp.ip = 127.0.0.1`,
      `management.tcp.port = ${management}`,
      `prometheus.tcp.ip = 127.0.0.1`,
      `prometheus.tcp.port = ${prometheus}`,
      'connection_max = 20000',
      'warren.connections_per_ip_max = 20000',
      'log.console.level = error',
    ].join('\n'),
  );
  const child = spawn(process.execPath, [join(root, 'bin', 'warren'), '--config', config, '--data-dir', join(directory, 'data')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await isUp(mqtt);
  return { name: 'WarrenMQ', port: mqtt, child, user: 'guest' };
}

async function startMosquitto(): Promise<Server | null> {
  const found = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto'].find(path => spawnSync(path, ['-h']).error === undefined);
  if (found === undefined) return null;
  const port = await freePort();
  const config = join(directory, 'mosquitto.conf');
  writeFileSync(
    config,
    `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages ${window}\nmax_queued_messages 0\nlog_type error\npersistence false\n`,
  );
  const child = spawn(found, ['-c', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  await isUp(port);
  return { name: 'mosquitto', port, child, user: '' };
}

async function load(server: Server, role: string, qos: number): Promise<number> {
  const args = [join(here, 'mqtt-load.ts'), '--role', role, '--port', String(server.port), '--qos', String(qos), '--user', server.user];
  const child = spawn(process.execPath, [...args, '--window', String(window), '--seconds', values.seconds], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', chunk => (output += chunk));
  return new Promise(resolve =>
    child.on('close', () => resolve(output === '' ? 0 : (JSON.parse(output) as { perSecond: number }).perSecond)),
  );
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const show = (value: number): string => Math.round(value).toLocaleString('en-US');

async function throughput(qos: number): Promise<void> {
  const rates = new Map<Server, number[]>(servers.map(server => [server, []]));
  const published = new Map<Server, number[]>(servers.map(server => [server, []]));
  for (let rep = 0; rep < Number(values.reps); rep++) {
    for (const server of servers) {
      const subscriber = load(server, 'subscriber', qos);
      await new Promise(resolve => setTimeout(resolve, 150));
      const [received, sent] = await Promise.all([subscriber, load(server, 'publisher', qos)]);
      rates.get(server)?.push(received);
      published.get(server)?.push(sent);
    }
  }
  const cells = servers.map(server => {
    const runs = rates.get(server) ?? [];
    return `${server.name} ${show(median(runs))}/s (${show(Math.min(...runs))} to ${show(Math.max(...runs))}; published ${show(median(published.get(server) ?? []))}/s)`;
  });
  const [own, peer] = servers.map(server => median(rates.get(server) ?? []));
  console.log(`QoS ${qos}, 16 B, 1 to 1: ${cells.join(', ')}${peer === undefined ? '' : `: ${((own ?? 0) / peer).toFixed(1)} times`}`);
}

function rssBytes({ child }: Server): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}

/** Processor time that a server has taken, in milliseconds: what does not depend on who else uses the machine. */
function busyMillis({ child }: Server): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Connections of their own in one process, each with a subscription. */
let crowds = 0;

class Crowd {
  readonly #number = ++crowds;
  readonly sockets: net.Socket[] = [];
  received = 0;
  onReceived: () => void = () => {};

  async grow(server: Server, count: number, filter: string | null, expectedBytes = Infinity): Promise<void> {
    for (let at = 0; at < count; at += 200) {
      await Promise.all(Array.from({ length: Math.min(200, count - at) }, (_, i) => this.#one(server, at + i, filter, expectedBytes)));
    }
  }

  #one(server: Server, number: number, filter: string | null, expectedBytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(server.port, '127.0.0.1');
      this.sockets.push(socket);
      const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
      const login = server.user === '' ? [] : [text(server.user), text(server.user)];
      const body = Buffer.concat([
        text('MQTT'),
        Buffer.from([4, server.user === '' ? 2 : 0xc2, 0, 0]),
        text(`crowd-${this.#number}-${number}`),
        ...login,
      ]);
      socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
      socket.on('error', reject);
      let state = 0;
      let bytes = 0;
      socket.on('data', chunk => {
        if (state === 0) {
          state = 1;
          if (filter === null) {
            state = 2;
            resolve();
            return;
          }
          const subscribe = Buffer.concat([Buffer.from([0, 1]), text(filter), Buffer.from([0])]);
          socket.write(Buffer.concat([Buffer.from([0x82, subscribe.length]), subscribe]));
        } else if (state === 1) {
          state = 2;
          resolve();
        } else {
          bytes += chunk.length;
          if (bytes < expectedBytes) return;
          bytes -= expectedBytes;
          this.received++;
          this.onReceived();
        }
      });
    });
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

async function idle(): Promise<void> {
  const count = Number(values.connections);
  for (const server of servers) {
    const before = rssBytes(server);
    const crowd = new Crowd();
    await crowd.grow(server, count, null);
    let most = 0;
    for (let second = 0; second < 20; second++) {
      await new Promise(resolve => setTimeout(resolve, 1000));
      most = Math.max(most, rssBytes(server));
    }
    const after = rssBytes(server);
    const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
    console.log(
      `${count} idle connections: ${server.name} ${megabytes(after)} resident in all after 20 s (at most ${megabytes(most)}), ` +
        `${megabytes(before)} before: ${((after - before) / count / 1000).toFixed(1)} kB each`,
    );
    crowd.close();
    await new Promise(resolve => setTimeout(resolve, 1000));
  }
}

async function fanout(): Promise<void> {
  const count = Number(values.connections);
  for (const server of servers) {
    const crowd = new Crowd();
    const topicName = 'fan';
    const packet = Buffer.concat([
      Buffer.from([0x30, 2 + topicName.length + 16, 0, topicName.length]),
      Buffer.from(topicName),
      Buffer.alloc(16),
    ]);
    await crowd.grow(server, count, topicName, packet.length);
    const publisher = new Crowd();
    await publisher.grow(server, 1, null);
    const times: number[] = [];
    const messages = 10;
    const busyBefore = busyMillis(server);
    for (let rep = 0; rep < messages; rep++) {
      crowd.received = 0;
      const began = performance.now();
      await new Promise<void>(resolve => {
        crowd.onReceived = () => {
          if (crowd.received === count) resolve();
        };
        publisher.sockets[0]?.write(packet);
      });
      times.push(performance.now() - began);
    }
    console.log(
      `one message to ${count} subscribers: ${server.name} ${median(times).toFixed(0)} ms until the last has it (${times.map(each => each.toFixed(0)).join(', ')}), ` +
        `${((busyMillis(server) - busyBefore) / messages).toFixed(0)} ms of processor time each`,
    );
    crowd.close();
    publisher.close();
    await new Promise(resolve => setTimeout(resolve, 1000));
  }
}

async function retained(): Promise<void> {
  const count = 100_000;
  for (const server of servers) {
    const publisher = new Crowd();
    await publisher.grow(server, 1, null);
    const socket = publisher.sockets[0] as net.Socket;
    const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
    for (let i = 0; i < count; i += 1000) {
      const packets: Buffer[] = [];
      for (let j = i; j < i + 1000; j++) {
        const body = Buffer.concat([text(`r/${j % 100}/${String(j).padStart(6, '0')}`), Buffer.alloc(16)]);
        packets.push(Buffer.from([0x31, body.length]), body);
      }
      if (!socket.write(Buffer.concat(packets))) await new Promise(resolve => socket.once('drain', resolve));
    }
    await new Promise(resolve => setTimeout(resolve, 2000));
    // Pings of another client show how long the loop is held.
    const pinger = new Crowd();
    await pinger.grow(server, 1, null);
    const ping = pinger.sockets[0] as net.Socket;
    let asked = performance.now();
    const waits: number[] = [];
    ping.on('data', () => {
      waits.push(performance.now() - asked);
      setTimeout(() => {
        asked = performance.now();
        ping.write(Buffer.from([0xc0, 0]));
      }, 1);
    });
    ping.write(Buffer.from([0xc0, 0]));
    const reader = new Crowd();
    const began = performance.now();
    const bytes = await new Promise<number>(resolve => {
      let total = 0;
      let last = performance.now();
      void reader
        .grow(server, 1, 'r/#')
        .then(() => reader.sockets[0]?.on('data', chunk => ((total += chunk.length), (last = performance.now()))));
      const timer = setInterval(() => {
        if (performance.now() - last < 1500) return;
        clearInterval(timer);
        resolve(total);
      }, 100);
    });
    waits.sort((a, b) => a - b);
    console.log(
      `${count} retained topics by a wildcard: ${server.name} ${show(bytes / 30)} messages or so in ${(performance.now() - began - 1500).toFixed(0)} ms; ` +
        `pings of another client took ${waits[Math.floor(waits.length * 0.99)]?.toFixed(1)} ms at p99, ${waits.at(-1)?.toFixed(1)} ms at most`,
    );
    for (const each of [publisher, pinger, reader]) each.close();
  }
}

console.log(
  `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown processor'}; Node ${process.versions.node}; ${values.reps} alternating runs, median`,
);
try {
  servers.push(await startWarren());
  const mosquitto = await startMosquitto();
  if (mosquitto === null) console.log('mosquitto is not installed: apt-get install mosquitto');
  else servers.push(mosquitto);
  if (wanted.has('qos0')) await throughput(0);
  if (wanted.has('qos1')) await throughput(1);
  if (wanted.has('idle')) await idle();
  if (wanted.has('fanout')) await fanout();
  if (wanted.has('retained')) await retained();
} finally {
  for (const { child } of servers) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);
