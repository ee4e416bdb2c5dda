// A queue that is too long to be changed in one turn: what happens meanwhile.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Field, type FieldTable, int, longstr } from '../../../src/base/field-table.ts';
import type { BrokerCore } from '../../../src/core/broker.ts';
import type { Queue } from '../../../src/core/queues/queue.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import type { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, basicGet, confirmSelect, queueDeclare, queueDelete } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withClient } from '../../support/with-broker.ts';

/** More than a step takes, several times. */
const count = 20_000;
const migrate = { 'x-on-conflict': longstr('migrate') };
const quorum = { 'x-queue-type': longstr('quorum') };

function declare(channel: number, more: Record<string, Field>): Buffer {
  return queueDeclare(channel, { queue: 'q', durable: true, arguments: new Map(Object.entries(more)) as FieldTable });
}

function queueOf(core: BrokerCore): Queue {
  return core.vhosts.get('/')?.queues.get('q') ?? assert.fail();
}

async function fill(client: AmqpDriver, core: BrokerCore, headersOf: (i: number) => FieldTable | null = () => null): Promise<void> {
  for (let i = 0; i < count; i++) {
    const headers = headersOf(i);
    client.publish(1, {
      routingKey: 'q',
      body: String(i),
      properties: { deliveryMode: 1 + (i % 2), ...(headers === null ? {} : { headers }) },
    });
  }
  await waitUntil(() => queueOf(core).readyCount === count);
}

async function drain(client: AmqpDriver, expected: number): Promise<number[]> {
  await client.call(basicConsume(1, { queue: 'q', consumerTag: 'drain', noAck: true }), methods.BasicConsumeOk);
  const bodies: number[] = [];
  while (bodies.length < expected) bodies.push(Number(String((await client.nextDelivery()).body)));
  return bodies;
}

const all = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

test('what is published, got and declared meanwhile has its turn, and all is in order and durable in the end', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'warren-long-'));
  try {
    await withClient(
      async (client, { core }) => {
        await client.call(declare(1, {}), methods.QueueDeclareOk);
        await client.openChannel(2);
        await client.openChannel(3);
        await client.openChannel(4);
        await fill(client, core);
        client.send(declare(1, { ...migrate, ...quorum }));
        await waitUntil(() => queueOf(core).change !== null);
        // The same wish waits for the same change, another one is refused, and who gets waits.
        client.send(declare(2, { ...migrate, ...quorum }));
        client.send(declare(3, { ...migrate, 'x-max-length': int(7) }));
        client.send(basicGet(4, 'q', true));
        for (let i = count; i < count + 10; i++) client.publish(1, { routingKey: 'q', body: String(i) });
        assert.match((await client.expectChannelClose(3)).replyText, /another change of it is under way/);
        for (const channel of [1, 2]) await client.expect(methods.QueueDeclareOk, channel);
        assert.equal(String((await client.nextDelivery(4)).body), '0');
        assert.equal(queueOf(core).change, null);
        assert.equal(queueOf(core).type.name, 'quorum');
        await waitUntil(() => queueOf(core).readyCount === count + 9);
      },
      { dataDir },
    );
    await withClient(
      async (client, { core }) => {
        assert.equal(queueOf(core).type.name, 'quorum');
        assert.deepEqual(await drain(client, count + 9), all(count + 10).slice(1));
        assert.equal(core.store.liveCount, 0);
      },
      { dataDir },
    );
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('a queue that is deleted meanwhile fails the change, and nothing of it stays', async () => {
  await withClient(async (client, { core }) => {
    await client.call(declare(1, {}), methods.QueueDeclareOk);
    await fill(client, core);
    await client.openChannel(2);
    client.send(declare(2, { ...migrate, 'x-max-priority': int(5) }));
    client.send(queueDelete(1, { queue: 'q' }));
    assert.match(
      (await client.expectChannelClose(2)).replyText,
      /^PRECONDITION_FAILED - cannot change queue 'q' in vhost '\/': it was deleted/,
    );
    const { messageCount } = (await client.expect(methods.QueueDeleteOk, 1)) as { messageCount: number };
    assert.equal(messageCount, count);
    await waitUntil(() => core.store.liveCount === 0);
  });
});

test('a queue that begins to know duplicates knows those of the messages it has, over a restart too', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'warren-long-'));
  const byId = { 'x-message-deduplication': { type: 't', value: true } as const, 'x-deduplication-header': longstr('id') };
  const headers = (i: number): FieldTable => new Map([['id', int(i)]]);
  const offer = async (client: AmqpDriver, core: BrokerCore, numbers: readonly number[]): Promise<void> => {
    const before = queueOf(core).counters.published + (queueOf(core).deduplication?.droppedCount ?? 0);
    for (const i of numbers) client.publish(1, { routingKey: 'q', body: String(i), properties: { deliveryMode: 2, headers: headers(i) } });
    await waitUntil(() => queueOf(core).counters.published + (queueOf(core).deduplication?.droppedCount ?? 0) === before + numbers.length);
  };
  try {
    await withClient(
      async (client, { core }) => {
        await client.call(confirmSelect(1), methods.ConfirmSelectOk);
        await client.call(declare(1, {}), methods.QueueDeclareOk);
        await fill(client, core, headers);
        // One is with a client: the queue has it still.
        await client.openChannel(2);
        client.send(basicGet(2, 'q'));
        await client.nextDelivery(2);
        await client.call(declare(1, { ...migrate, ...quorum, ...byId }), methods.QueueDeclareOk);
        await offer(client, core, [0, 1, 12_345, count - 1]);
        assert.equal(queueOf(core).messageCount, count);
        await offer(client, core, [count]);
        assert.equal(queueOf(core).messageCount, count + 1);
      },
      { dataDir },
    );
    await withClient(
      async (client, { core }) => {
        await offer(client, core, [0, 1, 12_345, count]);
        assert.equal(queueOf(core).messageCount, count + 1);
        // By another header nothing is known any more but what is there has none; and by none everything is taken.
        await client.call(
          declare(1, { ...migrate, ...quorum, ...byId, 'x-deduplication-header': longstr('other') }),
          methods.QueueDeclareOk,
        );
        await offer(client, core, [1, 2]);
        assert.equal(queueOf(core).messageCount, count + 3);
        await client.call(declare(1, { ...migrate, ...quorum }), methods.QueueDeclareOk);
        assert.equal(queueOf(core).deduplication, null);
        await offer(client, core, [1, 2]);
        assert.equal(queueOf(core).messageCount, count + 5);
      },
      { dataDir },
    );
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('values that a queue remembers of messages that are gone are kept when only their number or time changes', async () => {
  await withClient(async (client, { core }) => {
    const known = (size: number): Record<string, Field> => ({
      'x-message-deduplication': { type: 't', value: true },
      'x-cache-size': int(size),
    });
    const publish = (value: string): void =>
      client.publish(1, { routingKey: 'q', body: '1', properties: { headers: new Map([['x-deduplication-header', longstr(value)]]) } });
    await client.call(declare(1, known(3)), methods.QueueDeclareOk);
    for (const value of ['a', 'b', 'c']) publish(value);
    assert.equal((await drain(client, 3)).length, 3);
    await client.call(declare(1, { ...known(5), ...migrate }), methods.QueueDeclareOk);
    for (const value of ['d', 'e', 'a', 'b', 'c']) publish(value);
    await waitUntil(() => queueOf(core).deduplication?.droppedCount === 3);
    assert.equal(queueOf(core).counters.published, 5);
    // Fewer: the oldest are forgotten.
    await client.call(declare(1, { ...known(1), ...migrate }), methods.QueueDeclareOk);
    for (const value of ['e', 'a']) publish(value);
    await waitUntil(() => queueOf(core).counters.published === 6);
  });
});
