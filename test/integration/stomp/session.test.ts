import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { actionsMax, transactionsMax } from '../../../src/protocols/stomp/transactions.ts';
import type { Queue } from '../../../src/core/queues/queue.ts';
import type { Broker } from '../../../src/index.ts';
import type { StompDriver } from '../../support/stomp-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withStomp } from '../../support/with-stomp.ts';

const destination = '/queue/q';

const queueOf = (broker: Broker, name = 'q'): Queue => broker.core.vhosts.get('/')?.queues.get(name) as Queue;

/** The next messages, whose bodies are these. Returns what they are acknowledged by. */
async function expectMessages(client: StompDriver, ...bodies: string[]): Promise<string[]> {
  const acks: string[] = [];
  for (const body of bodies) {
    const message = await client.expect('MESSAGE');
    assert.equal(message.body, body);
    acks.push(message.headers.ack ?? message.headers['message-id'] ?? '');
  }
  return acks;
}

test('ack auto: a message is gone with its delivery', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    await client.request('SUBSCRIBE', { id: '0', destination });
    client.send('SEND', { destination }, 'a');
    await expectMessages(client, 'a');
    assert.equal(queueOf(broker).messageCount, 0);
  });
});

test('ack client-individual: each message is acknowledged by itself; what was not comes back, marked as redelivered', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    await client.request('SUBSCRIBE', { id: '0', destination, ack: 'client-individual' });
    for (const body of ['a', 'b', 'c']) client.send('SEND', { destination }, body);
    const [, second] = await expectMessages(client, 'a', 'b', 'c');
    await client.request('ACK', { id: second ?? '' });
    assert.equal(queueOf(broker).unackedCount, 2);
    client.destroy();
    await waitUntil(() => queueOf(broker).readyCount === 2);
    const other = await open();
    await other.request('SUBSCRIBE', { id: '0', destination, ack: 'client' });
    const again = await other.expect('MESSAGE');
    assert.deepEqual([again.body, again.headers.redelivered], ['a', 'true']);
  });
});

test('ack client: a message and all before it of the same subscription, and of no other', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open({ 'accept-version': '1.1' });
    await client.request('SUBSCRIBE', { id: '0', destination, ack: 'client' });
    await client.request('SUBSCRIBE', { id: '1', destination: '/queue/other', ack: 'client' });
    client.send('SEND', { destination: '/queue/other' }, 'x');
    await expectMessages(client, 'x');
    for (const body of ['a', 'b', 'c']) client.send('SEND', { destination }, body);
    const [, second] = await expectMessages(client, 'a', 'b', 'c');
    await client.request('ACK', { subscription: '0', 'message-id': second ?? '' });
    assert.equal(queueOf(broker).unackedCount, 1);
    assert.equal(queueOf(broker, 'other').unackedCount, 1);
  });
});

test('NACK requeues unless it says otherwise; then the message is dead-lettered', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    await client.request('SEND', { destination: '/queue/dead' }, 'first');
    const args = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };
    await client.request('SUBSCRIBE', { id: '0', destination, ack: 'client-individual', ...args });
    client.send('SEND', { destination, ...args }, 'a');
    const [first] = await expectMessages(client, 'a');
    client.send('NACK', { id: first ?? '' });
    const [second] = await expectMessages(client, 'a');
    await client.request('NACK', { id: second ?? '', requeue: 'false' });
    await waitUntil(() => queueOf(broker, 'dead').readyCount === 2);
    assert.equal(queueOf(broker).messageCount, 0);
  });
  await withStomp(
    async ({ open, broker }) => {
      const client = await open();
      await client.request('SUBSCRIBE', { id: '0', destination, ack: 'client-individual' });
      client.send('SEND', { destination }, 'a');
      const [first] = await expectMessages(client, 'a');
      await client.request('NACK', { id: first ?? '' });
      assert.equal(queueOf(broker).messageCount, 0);
    },
    { stomp: { defaultNackRequeue: false } },
  );
});

test('a delivery can be acknowledged after its subscription has ended, and a new subscription of the same id is another', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    await client.request('SUBSCRIBE', { id: '0', destination, ack: 'client-individual' });
    client.send('SEND', { destination }, 'a');
    const [old] = await expectMessages(client, 'a');
    await client.request('UNSUBSCRIBE', { id: '0' });
    await client.request('SUBSCRIBE', { id: '0', destination, ack: 'client-individual' });
    client.send('SEND', { destination }, 'b');
    const [fresh] = await expectMessages(client, 'b');
    assert.notEqual(old, fresh);
    await client.request('ACK', { id: old ?? '' });
    assert.equal(queueOf(broker).unackedCount, 1);
    await client.request('ACK', { id: fresh ?? '' });
    assert.equal(queueOf(broker).unackedCount, 0);
    client.send('ACK', { id: fresh ?? '' });
    assert.match(await client.expectError('Message not found'), /^unknown delivery tag 2\n$/);
  });
});

test('prefetch-count limits what waits for an acknowledgement', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    for (const body of ['a', 'b', 'c']) await client.request('SEND', { destination }, body);
    await client.request('SUBSCRIBE', { id: '0', destination, ack: 'client-individual', 'prefetch-count': '2' });
    const [first] = await expectMessages(client, 'a', 'b');
    assert.equal(queueOf(broker).readyCount, 1);
    client.send('ACK', { id: first ?? '' });
    await expectMessages(client, 'c');
  });
});

test('a transaction is acted on at its COMMIT, in order, and forgotten with ABORT', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    await client.request('SUBSCRIBE', { id: '0', destination, ack: 'client-individual' });
    client.send('SEND', { destination }, 'a');
    const [ack] = await expectMessages(client, 'a');
    await client.request('BEGIN', { transaction: 'tx' });
    client.send('SEND', { destination: '/queue/out', transaction: 'tx', receipt: 'sent' }, 'b');
    await client.request('ACK', { id: ack ?? '', transaction: 'tx' });
    assert.equal(queueOf(broker).unackedCount, 1);
    assert.equal(queueOf(broker, 'out'), undefined);
    client.send('COMMIT', { transaction: 'tx', receipt: 'committed' });
    await client.receipt('sent');
    await client.receipt('committed');
    assert.equal(queueOf(broker).unackedCount, 0);
    assert.equal(queueOf(broker, 'out').readyCount, 1);
    await client.request('BEGIN', { transaction: 'tx' });
    client.send('SEND', { destination: '/queue/out', transaction: 'tx' }, 'c');
    await client.request('ABORT', { transaction: 'tx' });
    assert.equal(queueOf(broker, 'out').readyCount, 1);
    client.send('COMMIT', { transaction: 'tx' });
    assert.equal(await client.expectError('Bad transaction'), 'Invalid transaction identifier: <<"tx">>\n');
  });
});

test('transactions have limits: sixteen of them, 1024 frames each', async () => {
  await withStomp(async ({ open }) => {
    const client = await open();
    for (let i = 0; i < transactionsMax; i++) client.send('BEGIN', { transaction: String(i) });
    await client.request('ABORT', { transaction: '0' });
    client.send('BEGIN', { transaction: '0' });
    client.send('BEGIN', { transaction: 'one too many' });
    assert.equal(await client.expectError('Transaction limit exceeded'), 'Too many concurrent transactions (limit 16)');
    for (let i = 0; i < actionsMax; i++) client.send('SEND', { destination, transaction: '1' }, 'x');
    await client.request('ABORT', { transaction: '2' });
    client.send('SEND', { destination, transaction: '1' }, 'x');
    assert.equal(await client.expectError('Transaction too large'), 'Too many actions in transaction (limit 1024)');
  });
});

test('DISCONNECT is acknowledged, gives back what was not acknowledged, and closes', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    await client.request('SUBSCRIBE', { id: '0', destination, ack: 'client' });
    client.send('SEND', { destination }, 'a');
    await expectMessages(client, 'a');
    client.send('SEND', { destination: '/queue/other', receipt: 'sent' }, 'b');
    client.send('DISCONNECT', { receipt: 'bye' });
    await client.receipt('sent');
    await client.receipt('bye');
    await client.closed();
    assert.equal(queueOf(broker).readyCount, 1);
    await waitUntil(() => broker.core.connections.size === 0);
  });
});

test('a subscription whose queue is deleted is told of, and the connection goes on', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    await client.request('SUBSCRIBE', { id: '0', destination });
    broker.core.vhosts.get('/')?.removeQueue(queueOf(broker));
    const frame = await client.expect('ERROR');
    assert.deepEqual(
      { ...frame.headers },
      {
        message: 'Server cancelled subscription',
        'content-type': 'text/plain',
        version: '1.0,1.1,1.2',
        subscription: '0',
        'content-length': String(Buffer.byteLength(frame.body)),
      },
    );
    assert.equal(frame.body, 'The server has canceled a subscription.\nNo more messages will be delivered for <<"id=\'0\'">>.\n');
    await client.request('SUBSCRIBE', { id: '0', destination });
  });
});

test('a message that a queue does not take has no receipt but an error', async () => {
  await withStomp(async ({ open }) => {
    const client = await open();
    const args = { 'x-max-length': '1', 'x-overflow': 'reject-publish' };
    await client.request('SEND', { destination, ...args }, 'a');
    client.send('SEND', { destination, receipt: 'r' }, 'b');
    const frame = await client.expect('ERROR');
    assert.deepEqual([frame.headers.message, frame.headers['receipt-id']], ['Message rejected', 'r']);
    await client.request('SEND', { destination: '/queue/other' }, 'c');
  });
});

test('heart-beats go both ways; a client that keeps silent is disconnected', async () => {
  await withStomp(async ({ open, raw }) => {
    const client = raw();
    client.send('CONNECT', { 'accept-version': '1.2', host: '/', login: 'guest', passcode: 'guest', 'heart-beat': '1500,900' });
    const connected = await client.expect('CONNECTED');
    // Whole seconds, one at least: what we send, and what we expect.
    assert.equal(connected.headers['heart-beat'], '1000,1000');
    await waitUntil(() => client.heartBeats >= 2);
    await client.closed();
    const lively = await open({ 'heart-beat': '1000,0' });
    const timer = setInterval(() => lively.raw('\n'), 300);
    const until = performance.now() + 2600;
    await waitUntil(() => performance.now() > until || lively.isClosed);
    clearInterval(timer);
    assert.equal(lively.isClosed, false);
  });
});

test('a publisher that met an alarm is not read until the alarm is over', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    broker.core.alarms.set('memory');
    client.send('SEND', { destination }, 'a');
    client.send('SEND', { destination, receipt: 'late' }, 'b');
    await waitUntil(() => [...broker.core.connections][0]?.describe().state === 'blocked');
    assert.ok(!client.frames.some(({ command }) => command === 'RECEIPT'));
    broker.core.alarms.clear('memory');
    await client.receipt('late');
    assert.equal(queueOf(broker).readyCount, 2);
  });
});

test('connections, channels and consumers are listed as those of AMQP', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    await client.request('SUBSCRIBE', { id: '0', destination, ack: 'client', 'prefetch-count': '5' });
    const [connection] = broker.core.connections;
    const description = connection?.describe();
    assert.deepEqual(
      [description?.protocol, description?.user, description?.vhost, description?.state, description?.channelCount],
      ['STOMP 1.2', 'guest', '/', 'running', 1],
    );
    const [channel] = connection?.channelInfos() ?? [];
    assert.deepEqual([channel?.number, channel?.describe().consumerCount], [1, 1]);
    assert.deepEqual(
      [...(channel?.consumerList() ?? [])].map(({ tag, prefetchCount }) => [tag, prefetchCount]),
      [['T_0', 5]],
    );
    connection?.close('CONNECTION_FORCED', 'Closed via management plugin');
    assert.equal(await client.expectError('connection_forced'), 'Closed via management plugin');
    await client.closed();
  });
});

test('a stream is read from where the subscription says, and nothing of it is given back', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'warren-stomp-stream-'));
  try {
    await withStomp(
      async ({ open }) => {
        const client = await open();
        const stream = { destination: '/queue/log', 'x-queue-type': 'stream' };
        for (const body of ['a', 'b', 'c']) await client.request('SEND', stream, body);
        client.send('SUBSCRIBE', { ...stream, id: '0', ack: 'client', 'prefetch-count': '10', 'x-stream-offset': 'offset=1' });
        const first = await client.expect('MESSAGE');
        assert.deepEqual([first.body, first.headers['x-stream-offset']], ['b', '1']);
        const second = await client.expect('MESSAGE');
        assert.equal(second.body, 'c');
        await client.request('ACK', { id: first.headers.ack ?? '' });
        client.send('NACK', { id: second.headers.ack ?? '' });
        assert.match(await client.expectError('not_implemented'), /not supported by stream queues/);
      },
      { dataDir },
    );
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('a quorum queue tells how often a message came back', async () => {
  await withStomp(async ({ open }) => {
    const client = await open();
    const quorum = { destination: '/queue/quorum', 'x-queue-type': 'quorum' };
    await client.request('SEND', quorum, 'a');
    client.send('SUBSCRIBE', { ...quorum, id: '0', ack: 'client-individual' });
    const first = await client.expect('MESSAGE');
    client.send('NACK', { id: first.headers.ack ?? '' });
    const second = await client.expect('MESSAGE');
    assert.deepEqual([first.headers['x-delivery-count'], second.headers['x-delivery-count']], [undefined, '1']);
  });
});
