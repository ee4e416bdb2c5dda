// What the journal takes on disk beside what is alive, under traffic that is made to spread the living thinly. A small log in place of a large one:
// segments of 1 MiB and a slack of 4 MiB where there are 64 MiB of each. Prints the worst moment of each traffic.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicGet, queueDeclare, queueDelete, queuePurge } from '../support/amqp-requests.ts';
import { Random } from '../support/random.ts';
import { SimClient } from '../support/sim-client.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';
import { SimFiles } from '../support/sim-files.ts';

const mebibyte = 1024 * 1024;
const slackBytes = 4 * mebibyte;
/** The segment that is written, the one before it, which is looked at when it is full, and two that are kept to be used again. */
const currentBytes = 4 * mebibyte;

class Traffic {
  readonly random: Random;
  readonly broker: SimDurableBroker;
  readonly client: SimClient;
  readonly queues = ['short', 'long', 'slow', 'large'];
  /** How far above the bound the worst moment was, in bytes, and what it was. */
  worstExcess = -Infinity;
  worst = '';

  constructor(seed: number) {
    this.random = new Random(seed);
    this.broker = new SimDurableBroker(new SimFiles(new Random(seed)), {}, 8 * mebibyte, { slabsPerSegment: 1, slackBytes });
    this.client = SimClient.connect(this.broker);
    this.client.openChannel(1);
    for (const queue of this.queues) this.client.send(queueDeclare(1, { queue, durable: true }));
    this.broker.finishDisk();
    this.client.takeAll();
  }

  publish(queue: string, bodyBytes: number): void {
    this.client.publish(1, { routingKey: queue, properties: { deliveryMode: 2 }, body: Buffer.alloc(bodyBytes, queue) });
  }

  /** Takes and acknowledges so many of a queue. */
  consume(queue: string, count: number): void {
    for (let i = 0; i < count; i++) this.client.send(basicGet(1, queue, true));
    this.broker.finishDisk();
    this.client.takeAll();
  }

  diskBytes(): number {
    const { files } = this.broker;
    // A large body is written as one file and goes when it is settled; the rest is the log.
    return files.list().reduce((sum, name) => sum + (name.endsWith('.seg') || name.endsWith('.msg') ? files.sizeOf(name) : 0), 0);
  }

  /** What is alive, as it is in the log: bodies and what belongs to each. */
  liveBytes(): number {
    return this.broker.core.store.slabs.reduce((sum, slab) => sum + (slab !== null && slab.logSequence >= 0 ? slab.liveBytes : 0), 0);
  }

  /** Lets the broker clean up, and looks how much it takes. */
  look(): void {
    this.broker.advance(1000);
    for (let round = 0; round < 4; round++) this.broker.finishDisk();
    const [disk, live] = [this.diskBytes(), this.liveBytes()];
    const excess = disk - (2 * live + slackBytes + currentBytes);
    if (excess <= this.worstExcess) return;
    this.worstExcess = excess;
    const text = (bytes: number): string => `${(bytes / mebibyte).toFixed(1)} MiB`;
    this.worst = `${text(disk)} on disk, ${text(live)} alive: ${(disk / Math.max(live, 1)).toFixed(1)} times, ${text(excess)} beyond the bound`;
  }
}

const mixes: Readonly<Record<string, (traffic: Traffic, round: number) => void>> = {
  'few that stay among many that do not'(traffic) {
    for (let i = 0; i < 200; i++) {
      traffic.publish('short', 4000);
      if (i % 50 === 0) traffic.publish('long', 4000);
    }
    traffic.consume('short', 200);
  },
  'queues at different rates'(traffic, round) {
    for (let i = 0; i < 60; i++) {
      traffic.publish('short', 6000);
      traffic.publish('slow', 6000);
      traffic.publish('long', 300);
    }
    traffic.consume('short', 60);
    traffic.consume('slow', round % 7 === 0 ? 350 : 10);
    if (round % 20 === 19) traffic.consume('long', 900);
  },
  'tiny and large'(traffic) {
    for (let i = 0; i < 200; i++) traffic.publish('long', traffic.random.below(20));
    for (let i = 0; i < 3; i++) traffic.publish('large', 240_000);
    for (let i = 0; i < 20; i++) traffic.publish('short', 12_000);
    traffic.consume('short', 20);
    traffic.consume('large', 3);
    traffic.consume('long', 150);
  },
  'a backlog behind which all else comes and goes'(traffic, round) {
    for (let i = 0; i < 150; i++) traffic.publish(round < 12 ? 'long' : 'short', 7000);
    traffic.consume('short', 150);
  },
};

for (const [name, mix] of Object.entries(mixes)) {
  test(`disk used stays below twice what is alive and the slack: ${name}`, t => {
    const traffic = new Traffic(7);
    for (let round = 0; round < 50; round++) {
      mix(traffic, round);
      traffic.look();
    }
    t.diagnostic(`${name}: at worst ${traffic.worst}`);
    assert.ok(traffic.worstExcess <= 0, traffic.worst);
  });
}

for (const [what, remove] of [
  ['a purge', (queue: string) => queuePurge(1, { queue })],
  ['the deletion of a queue', (queue: string) => queueDelete(1, { queue })],
] as const) {
  test(`${what} gives the space back within two seconds`, () => {
    const traffic = new Traffic(8);
    for (let i = 0; i < 6000; i++) {
      traffic.publish('long', 5000);
      if (i % 1000 === 0) traffic.publish('slow', 5000);
      if (i % 100 === 0) traffic.broker.finishDisk();
    }
    traffic.broker.finishDisk();
    assert.ok(traffic.diskBytes() > 28 * mebibyte);
    traffic.client.send(remove('long'));
    traffic.broker.finishDisk();
    traffic.broker.advance(2000);
    for (let round = 0; round < 10; round++) traffic.broker.finishDisk();
    assert.ok(traffic.diskBytes() <= slackBytes + currentBytes, `${traffic.diskBytes() / mebibyte} MiB`);
    assert.equal(traffic.client.takeAll().filter(frame => frame.method === methods.ChannelClose).length, 0);
  });
}
