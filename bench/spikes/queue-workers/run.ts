// Spike of ADR 8: queues on worker threads behind the queue port. Everything else (codec, permissions, routing, delivery, confirms) is the
// broker's own, in one process, without sockets; clients are byte strings. Each line is a process of its own.
//   node bench/spikes/queue-workers/run.ts [--seconds 3] [--only A,D16,I,G]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { longstr } from '../../../src/base/field-table.ts';
import { InternalBackend } from '../../../src/auth/internal-backend.ts';
import { hashPassword } from '../../../src/auth/password.ts';
import { defaultHashingAlgorithm, noUserLimits } from '../../../src/core/access/user.ts';
import { BrokerCore } from '../../../src/core/broker.ts';
import type { Logger } from '../../../src/core/ports/logger.ts';
import { Link } from '../../../src/net/link.ts';
import { FrontEnd } from '../../../src/protocols/amqp091/front-end.ts';
import { exchangeTypes, messageFormats, queueTypes } from '../../../src/server/registry.ts';
import { JournalStore } from '../../../src/store/journal/journal-store.ts';
import { NodeFiles } from '../../../src/store/journal/node-files.ts';
import { encodeContentHeaderFrame } from '../../../src/wire/amqp091/content-header.ts';
import { encodeBodyFrames } from '../../../src/wire/amqp091/frame.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../../src/wire/amqp091/properties.ts';
import {
  basicAck,
  basicConsume,
  basicQos,
  confirmSelect,
  exchangeDeclare,
  queueBind,
  queueDeclare,
} from '../../../test/support/amqp-requests.ts';
import { Sink } from '../../micro/sink.ts';
import { QueueWorkers, remoteQueueType } from './remote-queue.ts';

interface Scenario {
  readonly what: string;
  readonly queues: number;
  readonly isFanout: boolean;
  readonly isDurable: boolean;
}

const scenarios: Record<string, Scenario> = {
  A: { what: '1 queue, 16 B, auto-ack', queues: 1, isFanout: false, isDurable: false },
  D16: { what: '1 queue, 16 B, persistent, 1,000 confirms open, ack each', queues: 1, isFanout: false, isDurable: true },
  I: { what: '100 publishers, 100 queues, 16 B', queues: 100, isFanout: false, isDurable: false },
  G: { what: 'fanout 1 to 10, 16 B, deliveries', queues: 10, isFanout: true, isDurable: false },
};

/** Clients' messages at a time. */
const perInput = 250;
/** As many may be on their way; with confirms, not confirmed. */
const windowMessages = 20_000;
const confirmsOpen = 1000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    scenario: { type: 'string' },
    workers: { type: 'string', default: '0' },
  },
});
if (values.scenario === undefined) all();
else await one(scenarios[values.scenario] as Scenario, Number(values.workers), Number(values.seconds) * 1000);

function all(): void {
  const names = values.only === '' ? Object.keys(scenarios) : values.only.split(',');
  console.log('| scenario | workers | messages/s | main thread, ns/message | workers, ns/message | alone: p50 / p99 µs |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const name of names)
    for (const workers of [0, 1, 2, 4])
      spawnSync(
        process.execPath,
        [fileURLToPath(import.meta.url), '--scenario', name, '--workers', String(workers), '--seconds', values.seconds],
        { stdio: 'inherit' },
      );
}

async function one(scenario: Scenario, workerCount: number, millis: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-spike-'));
  const workers = workerCount === 0 ? null : new QueueWorkers(workerCount, scenario.isDurable ? directory : null);
  const fatal = (error: Error): void => {
    throw error;
  };
  const store = workers === null && scenario.isDurable ? new JournalStore(new NodeFiles(directory), { onFatal: fatal }) : null;
  const origin = performance.now();
  const clock = {
    nowMillis: 1,
    wallMillis: Date.now(),
    refresh(): void {
      clock.nowMillis = 1 + Math.floor(performance.now() - origin);
      clock.wallMillis = Date.now();
    },
    readMillis: () => performance.now(),
  };
  const silent = (): void => {};
  const logger: Logger = { debug: silent, info: silent, warning: silent, error: (_category, text, error) => console.error(text, error) };
  const core = new BrokerCore({
    exchangeTypes,
    queueTypes: workers === null ? queueTypes : [...queueTypes, remoteQueueType(workers)],
    formats: messageFormats,
    clock,
    scheduler: { armTurn: run => void setImmediate(run), armTimer: (due, run) => void setTimeout(run, due - clock.nowMillis).unref() },
    logger,
    ...(store === null ? {} : { durability: store.journal }),
    ...(workers === null ? {} : { log: workers }),
  });
  if (store !== null) {
    store.recover(core);
    await new Promise<void>((resolve, reject) => store.begin(core, error => (error === null ? resolve() : reject(error))));
  }
  if (workers !== null) workers.onArrival = () => core.turn.begin();
  core.addVhost({ name: '/', description: '', tags: [], defaultQueueType: null });
  core.access.addUser({
    name: 'guest',
    passwordHash: hashPassword('guest', defaultHashingAlgorithm),
    hashingAlgorithm: defaultHashingAlgorithm,
    tags: [],
    limits: noUserLimits,
  });
  core.access.putPermission({ user: 'guest', vhost: '/', configure: '.*', write: '.*', read: '.*' });
  const frontEnd = new FrontEnd(core, new InternalBackend(core.access, []), {});
  const sinks: Sink[] = [];
  const turn = async (): Promise<void> => {
    await new Promise(resolve => setImmediate(resolve));
    for (const sink of sinks) sink.tick();
  };
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) await new Promise(resolve => setTimeout(resolve, 1)).then(turn);
  };
  const connect = async (): Promise<Sink> => {
    const sink = new Sink();
    sinks.push(sink);
    const facts = {
      peerHost: '127.0.0.1',
      peerPort: sinks.length,
      host: '127.0.0.1',
      port: 5672,
      isTls: false,
      isWebSocket: false,
      tls: null,
      peerCertificate: null,
    };
    frontEnd.accept(new Link(sink, facts, 1024 * 1024));
    const none = new Map();
    for (const bytes of [
      Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
      methods.encodeConnectionStartOk(0, {
        clientProperties: none,
        mechanism: 'PLAIN',
        response: Buffer.from('\0guest\0guest'),
        locale: 'en_US',
      }),
      methods.encodeConnectionTuneOk(0, { channelMax: 2047, frameMax: 131_072, heartbeat: 0 }),
      methods.encodeConnectionOpen(0, { virtualHost: '/' }),
      methods.encodeChannelOpen(1),
    ]) {
      sink.onData(bytes);
      for (let i = 0; i < 8; i++) await turn();
    }
    return sink;
  };

  const { isDurable, isFanout, queues } = scenario;
  const control = await connect();
  if (isFanout) control.onData(exchangeDeclare(1, { exchange: 'x', type: 'fanout' }));
  for (let i = 0; i < queues; i++) {
    const args = new Map(workers === null ? [] : [['x-queue-type', longstr('remote')]]);
    control.onData(queueDeclare(1, { queue: `q${i}`, durable: isDurable, arguments: args }));
    if (isFanout) control.onData(queueBind(1, { queue: `q${i}`, exchange: 'x' }));
  }
  await settled();
  const consumers: Sink[] = [];
  for (let i = 0; i < queues; i++) {
    const consumer = await connect();
    if (isDurable) consumer.onData(basicQos(1, 1000));
    consumer.onData(basicConsume(1, { queue: `q${i}`, noAck: !isDurable }));
    consumers.push(consumer);
  }
  await settled();
  const properties = encodeProperties({ deliveryMode: isDurable ? 2 : 1 });
  const publish = (queue: number): Buffer =>
    Buffer.concat([
      methods.encodeBasicPublish(1, {
        exchange: isFanout ? 'x' : '',
        routingKey: isFanout ? '' : `q${queue}`,
        mandatory: false,
        immediate: false,
      }),
      encodeContentHeaderFrame(1, 16, properties),
      ...encodeBodyFrames(1, Buffer.alloc(16, 97), 131_072),
    ]);
  const publishers: { sink: Sink; one: Buffer; many: Buffer }[] = [];
  for (let i = 0; i < (isFanout ? 1 : queues); i++) {
    const sink = await connect();
    if (isDurable) sink.onData(confirmSelect(1));
    const single = publish(i);
    publishers.push({ sink, one: single, many: Buffer.concat(Array.from({ length: perInput }, () => single)) });
  }
  await settled();

  const vhost = core.vhosts.get('/');
  const held = Array.from({ length: queues }, (_, i) => vhost?.queues.get(`q${i}`));
  const delivered = (): number =>
    held.reduce((sum, queue) => sum + (queue === undefined ? 0 : queue.counters.delivered + queue.counters.deliveredNoAck), 0);
  let published = 0;
  let acked = 0;
  let confirmed = 0;
  if (isDurable) (publishers[0] as { sink: Sink }).sink.onWrite = bytes => (confirmed = lastAck(bytes, confirmed));
  const acknowledge = (): void => {
    const now = delivered();
    if (!isDurable || now === acked) return;
    (consumers[0] as Sink).onData(Buffer.concat(Array.from({ length: now - acked }, (_, i) => basicAck(1, acked + 1 + i))));
    acked = now;
  };
  const factor = isFanout ? queues : 1;
  let turnOf = 0;
  // Turns in which nothing came or went are waiting: for workers or the disk.
  let idleMicros = 0;
  const play = async (until: number): Promise<void> => {
    while (performance.now() < until) {
      const usageBefore = process.threadCpuUsage();
      const [publishedBefore, deliveredBefore, confirmedBefore] = [published, delivered(), confirmed];
      for (let i = 0; i < 4; i++) {
        const isOpen = isDurable ? published - confirmed <= confirmsOpen - perInput : published * factor - delivered() < windowMessages;
        if (!isOpen) break;
        const publisher = publishers[turnOf++ % publishers.length] as { sink: Sink; many: Buffer };
        publisher.sink.onData(publisher.many);
        published += perInput;
      }
      acknowledge();
      await turn();
      if (published !== publishedBefore || delivered() !== deliveredBefore || confirmed !== confirmedBefore) continue;
      const { user, system } = process.threadCpuUsage(usageBefore);
      idleMicros += user + system;
    }
  };
  await play(performance.now() + 1500);
  const usageBefore = workers === null ? [] : await workers.usage();
  const before = delivered();
  idleMicros = 0;
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  await play(start + millis);
  const elapsed = performance.now() - start;
  const { user, system } = process.threadCpuUsage(cpu);
  const count = delivered() - before;
  const usage = workers === null ? [] : await workers.usage();
  const workerMicros = usage.reduce((sum, micros, i) => sum + micros - (usageBefore[i] as number), 0);

  // Latency of a message with nothing else about: until it is delivered, and with confirms until it is confirmed.
  const drained = async (): Promise<void> => {
    while (delivered() < published * factor || (isDurable && confirmed < published)) {
      acknowledge();
      await turn();
    }
  };
  await drained();
  const latencies: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const publisher = publishers[i % publishers.length] as { sink: Sink; one: Buffer };
    const sent = performance.now();
    publisher.sink.onData(publisher.one);
    published++;
    await drained();
    latencies.push((performance.now() - sent) * 1000);
  }
  latencies.sort((a, b) => a - b);
  const name = `${values.scenario}: ${scenario.what}`;
  console.log(
    `| ${name} | ${workerCount === 0 ? 'none' : workerCount} | ${Math.round((count / elapsed) * 1000).toLocaleString('en-US')} | ${(((user + system - idleMicros) * 1000) / count).toFixed(0)} | ${workers === null ? '' : ((workerMicros * 1000) / count).toFixed(0)} | ${(latencies[1000] as number).toFixed(0)} / ${(latencies[1980] as number).toFixed(0)} |`,
  );
  await workers?.close();
  rmSync(directory, { recursive: true, force: true });
  process.exit(0);
}

/** The last publish that basic.ack frames say is confirmed. */
function lastAck(bytes: Buffer, before: number): number {
  let last = before;
  for (let at = 0; at + 8 <= bytes.length; ) {
    const payload = bytes.readUInt32BE(at + 3);
    if (bytes[at] === 1 && bytes.readUInt32BE(at + 7) === 0x003c_0050) last = Math.max(last, Number(bytes.readBigUInt64BE(at + 11)));
    at += 8 + payload;
  }
  return last;
}
