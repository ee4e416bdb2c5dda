// «Even if some are interrupted, the system runs on»: publishers, consumers and the broker are killed, stopped and started while messages flow.
// Nothing that was confirmed is lost; a message may come twice.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BrokerUnderTest } from '../../support/broker-under-test.ts';
import { brokerFor, reasonBrokerIsFixed } from '../../support/broker-under-test.ts';
import { debianPython, ensureDebianPackages } from '../../support/debian.ts';
import { conformanceRoot, ensureNpmClients } from '../../support/install.ts';
import { outputOf, Program } from '../../support/program.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** The processes of the system, all that ever ran: what the killed ones printed counts as well. */
class System {
  readonly broker: BrokerUnderTest;
  readonly queue = uniqueName('interruptions');
  readonly publishers: Program[] = [];
  readonly consumers: Program[] = [];

  constructor(broker: BrokerUnderTest) {
    this.broker = broker;
  }

  startPublisher(): Program {
    const publisher = new Program(debianPython, ['publisher.py', this.queue, `p${this.publishers.length}`], this.#options());
    this.publishers.push(publisher);
    return publisher;
  }

  startConsumer(): Program {
    const consumer = new Program(process.execPath, ['consumer.js', this.queue], this.#options());
    this.consumers.push(consumer);
    return consumer;
  }

  get confirmed(): string[] {
    return linesOf(this.publishers, 'confirmed ');
  }

  get got(): Set<string> {
    return new Set(linesOf(this.consumers, 'got '));
  }

  /** Messages are published and consumed. */
  async flows(): Promise<void> {
    const [confirmed, got] = [this.confirmed.length, this.got.size];
    await waitUntil('messages to flow', () => this.confirmed.length > confirmed + 50 && this.got.size > got + 50);
  }

  /** Ends the publishers, lets the consumers finish, and checks that everything confirmed has arrived. */
  async check(): Promise<void> {
    await Promise.all(this.publishers.map(publisher => publisher.kill()));
    const { confirmed } = this;
    await waitUntil('everything confirmed to arrive', () => {
      const { got } = this;
      return confirmed.every(message => got.has(message));
    }).catch((cause: unknown) => {
      const { got } = this;
      const lost = confirmed.filter(message => !got.has(message));
      throw new Error(`${lost.length} of ${confirmed.length} confirmed messages are lost, such as ${lost.slice(0, 5).join(', ')}`, {
        cause,
      });
    });
    assert.ok(confirmed.length > 100, `only ${confirmed.length} messages were confirmed`);
  }

  async close(): Promise<void> {
    await Promise.all([...this.publishers, ...this.consumers].map(program => program.kill()));
    const script = `import os, pika; pika.BlockingConnection(pika.URLParameters(os.environ['BROKER_URL'])).channel().queue_delete('${this.queue}')`;
    await outputOf(debianPython, ['-c', script], this.#options());
  }

  #options() {
    return { cwd: join(conformanceRoot, 'scenarios', 'interruptions'), env: this.broker.env };
  }
}

function linesOf(programs: Program[], word: string): string[] {
  return programs.flatMap(program => program.lines.filter(line => line.startsWith(word)).map(line => line.slice(word.length)));
}

const reason = ensureDebianPackages('python3-pika');

test('publishers and consumers are killed while messages flow', { skip: reason ?? false }, async t => {
  await ensureNpmClients();
  const system = new System(await brokerFor(t));
  let publisher = system.startPublisher();
  let consumer = system.startConsumer();
  try {
    for (let round = 0; round < 3; round++) {
      await system.flows();
      await consumer.kill();
      // what is published while nobody listens waits
      const before = system.confirmed.length;
      await waitUntil('messages to pile up', () => system.confirmed.length > before + 100);
      consumer = system.startConsumer();
      await system.flows();
      await publisher.kill();
      publisher = system.startPublisher();
      const extra = system.startConsumer();
      await extra.prints('got');
      await extra.kill();
    }
    await system.check();
  } finally {
    await system.close();
  }
});

test('the broker, too, is stopped and killed while messages flow', {
  skip: reason ?? reasonBrokerIsFixed() ?? false,
}, async t => {
  await ensureNpmClients();
  const broker = await brokerFor(t);
  const system = new System(broker);
  const publisher = system.startPublisher();
  const consumer = system.startConsumer();
  try {
    for (const end of ['stop', 'kill', 'kill', 'stop'] as const) {
      await system.flows();
      await broker.process?.[end]();
      await broker.process?.start();
    }
    await system.flows();
    assert.ok(publisher.isRunning && consumer.isRunning);
    assert.ok(publisher.stdout.includes('error '), 'the publisher saw no error');
    await system.check();
  } finally {
    await system.close();
  }
});
