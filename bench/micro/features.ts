// What features cost, in process: priorities beside a plain queue, a million messages that expire, a fanout to ten thousand queues.
//   npm run bench:features
import { long } from '../../src/base/field-table.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { encodeBodyFrames } from '../../src/wire/amqp091/frame.ts';
import { encodeProperties, type Properties } from '../../src/wire/amqp091/properties.ts';
import { basicAck, basicConsume, basicQos, exchangeDeclare, queueBind, queueDeclare } from '../../test/support/amqp-requests.ts';
import { broker, connect, turn } from './in-process.ts';

const control = connect();

function message(routingKey: string, properties: Properties, exchange = ''): Buffer {
  return Buffer.concat([
    methods.encodeBasicPublish(1, { exchange, routingKey, mandatory: false, immediate: false }),
    encodeContentHeaderFrame(1, 16, encodeProperties(properties)),
    ...encodeBodyFrames(1, Buffer.alloc(16, 97), 131_072),
  ]);
}

function rate(queue: string, priorityMax: number | null, levels: number): number {
  const args = priorityMax === null ? new Map() : new Map([['x-max-priority', long(priorityMax)]]);
  control.onData(queueDeclare(1, { queue, arguments: args }));
  const reader = connect();
  reader.onData(basicQos(1, 500));
  reader.onData(basicConsume(1, { queue }));
  turn();
  const input = Buffer.concat(Array.from({ length: 500 }, (_, i) => message(queue, { priority: levels === 0 ? 0 : i % levels })));
  let tag = 0;
  const play = (rounds: number): void => {
    for (let round = 0; round < rounds; round++) {
      control.onData(input);
      turn();
      tag += 500;
      reader.onData(basicAck(1, tag, true));
      turn();
    }
  };
  play(400);
  const cpu = process.cpuUsage();
  play(1000);
  const { user, system } = process.cpuUsage(cpu);
  return ((user + system) * 1000) / 500_000;
}

for (let round = 0; round < 2; round++) {
  const plain = rate(`plain${round}`, null, 0);
  const same = rate(`same${round}`, 10, 0);
  const mixed = rate(`mixed${round}`, 10, 10);
  console.log(
    `plain queue ${plain.toFixed(0)} ns a message; x-max-priority 10: one level ${same.toFixed(0)} ns (${percent(same, plain)}), ten levels mixed ${mixed.toFixed(0)} ns (${percent(mixed, plain)})`,
  );
}

function percent(one: number, other: number): string {
  return `${one >= other ? '+' : ''}${((one / other - 1) * 100).toFixed(0)} %`;
}

// A million messages that expire within ten seconds, a hundred thousand of them each second.
control.onData(queueDeclare(1, { queue: 'ttl' }));
turn();
for (let block = 0; block < 2000; block++) {
  const input = Buffer.concat(
    Array.from({ length: 500 }, (_, i) => message('ttl', { expiration: String(1000 + Math.floor((block * 500 + i) / 100)) })),
  );
  control.onData(input);
  turn();
}
const queue = broker.core.vhosts.get('/')?.queues.get('ttl');
let longest = 0;
let latest = 0;
for (let millis = 0; millis < 12_000; millis += 20) {
  broker.clock.advance(20);
  const began = performance.now();
  // The machine's timer: it is late by what the turn takes.
  while (broker.scheduler.runTimer(broker.clock.millis) || broker.scheduler.runTurn());
  longest = Math.max(longest, performance.now() - began);
  const due = Math.min(1_000_000, Math.max(0, (millis + 20 - 1000) * 100));
  const left = queue?.readyCount ?? 0;
  latest = Math.max(latest, (left - (1_000_000 - due)) / 100);
}
console.log(
  `1,000,000 messages expire at 100,000/s: ${queue?.readyCount ?? 0} left, at most ${latest.toFixed(0)} ms behind, longest pause ${longest.toFixed(1)} ms`,
);

control.onData(exchangeDeclare(1, { exchange: 'all', type: 'fanout' }));
for (let i = 0; i < 10_000; i++) {
  control.onData(queueDeclare(1, { queue: `f${i}`, nowait: true }));
  control.onData(queueBind(1, { queue: `f${i}`, exchange: 'all', nowait: true }));
  if (i % 500 === 0) turn();
}
turn();
const { store } = broker.core;
const [before, beforeMemory] = [store.liveCount, process.memoryUsage()];
const began = performance.now();
control.onData(message('', {}, 'all'));
turn();
const millis = performance.now() - began;
const after = process.memoryUsage();
const grown = (after.heapUsed + after.external - beforeMemory.heapUsed - beforeMemory.external) / 10_000;
console.log(
  `one message to 10,000 queues: ${store.liveCount - before} body stored, ${millis.toFixed(1)} ms, ${grown.toFixed(0)} B a queue for its first entry`,
);
