// Every feature in every type of queue: it works, or is refused in these words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Field, type FieldTable, int, longstr } from '../../../src/base/field-table.ts';
import type { Queue } from '../../../src/core/queues/queue.ts';
import type { Vhost } from '../../../src/core/vhost.ts';
import type { Properties } from '../../../src/wire/amqp091/properties.ts';
import * as m from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import type { Frame, MethodFrame } from '../../support/amqp-frames.ts';
import {
  basicAck,
  basicConsume,
  basicGet,
  basicNack,
  basicQos,
  confirmSelect,
  queueDeclare,
  queuePurge,
} from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type ManagedBroker, withManagement } from '../management/with-management.ts';

const types = ['classic', 'quorum', 'stream'] as const;
type Type = (typeof types)[number];

/** What a test of a feature has: a queue of the type, and how to use it. */
interface Use {
  readonly type: Type;
  readonly name: string;
  readonly queue: Queue;
  readonly client: AmqpDriver;
  readonly managed: ManagedBroker;
  /** Publishes to the queue, or another, and waits for the confirm. */
  send(body: string, properties?: Properties, queue?: string): Promise<'ack' | 'nack'>;
  get(queue?: string): Promise<{ readonly body: string; readonly tag: number; readonly headers: FieldTable }>;
  /** Bodies of what is ready, by the HTTP API. */
  bodies(query?: string): Promise<string[]>;
  /** Answer to a request on the queue. */
  ask(
    method: 'post' | 'delete',
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly reason: unknown; readonly json: unknown }>;
}

type Works = (use: Use) => Promise<void>;

interface Feature {
  readonly arguments?: Readonly<Record<string, Field>>;
  /** What shows that it works, or what the declaration is refused with. */
  readonly cells: Readonly<Record<Type, Works | RegExp>>;
}

const flag: Field = { type: 't', value: true };
const dead = { 'x-dead-letter-exchange': longstr(''), 'x-dead-letter-routing-key': longstr('dead') };
const notFor = (type: Type, argument: string): RegExp =>
  new RegExp(`^PRECONDITION_FAILED - invalid arg '${argument}' for queue '[^']*' in vhost '/' of queue type rabbit_${type}_queue$`);

/** Works in classic and quorum queues, and is refused by streams when the queue is declared. */
function notInStreams(args: Readonly<Record<string, Field>>, works: Works): Feature {
  return { arguments: args, cells: { ...inTwo(works), stream: notFor('stream', Object.keys(args)[0] as string) } };
}

function inTwo(works: Works): Pick<Feature['cells'], 'classic' | 'quorum'> {
  return { classic: works, quorum: works };
}

function inAll(works: Works): Feature {
  return { cells: { ...inTwo(works), stream: works } };
}

function butStreams(works: Works, inStream: Works): Feature {
  return { cells: { ...inTwo(works), stream: inStream } };
}

const noSingles = 'single messages cannot be taken out of a queue of type stream';

function vhostOf({ broker }: ManagedBroker): Vhost {
  return broker.core.vhosts.get('/') ?? assert.fail();
}

function queueNamed(managed: ManagedBroker, name: string): Queue {
  return vhostOf(managed).queues.get(name) ?? assert.fail(`no queue ${name}`);
}

const features: Readonly<Record<string, Feature>> = {
  'retry with delays': notInStreams(
    { 'x-retry-delays': longstr('20,20'), ...dead },
    async ({ client, get, send, bodies, queue, managed }) => {
      await send('again');
      for (let count = 0; count < 3; count++) {
        await waitUntil(() => queue.readyCount === 1);
        const { headers, tag } = await get();
        assert.equal(headers.get('x-retry-count')?.value, count === 0 ? undefined : count);
        client.send(basicNack(1, tag, { requeue: false }));
      }
      await waitUntil(() => queueNamed(managed, 'dead').readyCount === 1);
      assert.deepEqual(await bodies(), []);
      queueNamed(managed, 'dead').purge();
    },
  ),

  'message groups': notInStreams({ 'x-group-header': longstr('key') }, async ({ get, send }) => {
    for (const body of ['a1', 'a2', 'b1']) await send(body, { headers: new Map([['key', longstr(body[0] as string)]]) });
    // Who gets single messages has the group of what it got.
    assert.deepEqual([(await get()).body, (await get()).body], ['a1', 'a2']);
  }),

  'parked groups': notInStreams(
    { 'x-group-park-after': int(1), 'x-group-header': longstr('key') },
    async ({ client, get, send, queue }) => {
      for (const body of ['a1', 'a2', 'b1']) await send(body, { headers: new Map([['key', longstr(body[0] as string)]]) });
      client.send(basicNack(1, (await get()).tag));
      assert.equal((await get()).body, 'b1');
      assert.deepEqual([...(queue.groups?.table.parkedKeys() ?? [])], ['a']);
    },
  ),

  'de-duplication with a cache': {
    arguments: { 'x-message-deduplication': flag, 'x-cache-size': int(10) },
    ...inAll(async ({ send, bodies }) => {
      for (const body of ['1', '2', '3'])
        assert.equal(await send(body, { headers: new Map([['x-deduplication-header', longstr(body === '3' ? 'other' : 'same')]]) }), 'ack');
      await waitUntil(async () => (await bodies()).join() === '1,3');
    }),
  },

  'de-duplication of what is there': {
    arguments: { 'x-message-deduplication': flag },
    cells: {
      ...inTwo(async ({ client, send, get, bodies }) => {
        const properties = { headers: new Map([['x-deduplication-header', longstr('same')]]) };
        for (const body of ['1', '2']) await send(body, properties);
        assert.deepEqual(await bodies(), ['1']);
        client.send(basicAck(1, (await get()).tag));
        await send('3', properties);
        assert.deepEqual(await bodies(), ['3']);
      }),
      stream: /invalid arg 'x-message-deduplication' for queue '[^']*' in vhost '\/': a stream needs x-cache-size or x-cache-ttl$/,
    },
  },

  'delayed messages': inAll(async ({ send, bodies, managed }) => {
    const sentMillis = performance.now();
    await send('later', { headers: new Map([['x-delay', int(100)]]) });
    await send('now');
    assert.equal(vhostOf(managed).exchanges.get('')?.delay?.held.count, 1);
    await waitUntil(async () => (await bodies()).join() === 'now,later');
    assert.ok(performance.now() - sentMillis >= 100);
  }),

  'time to live of a queue': notInStreams({ 'x-message-ttl': int(20), ...dead }, async ({ send, queue, managed }) => {
    await send('old');
    await waitUntil(() => queueNamed(managed, 'dead').readyCount === 1);
    assert.equal(queue.readyCount, 0);
    queueNamed(managed, 'dead').purge();
  }),

  'time to live of a message': butStreams(
    async ({ send, queue }) => {
      await send('old', { expiration: '20' });
      await waitUntil(() => queue.readyCount === 0);
    },
    async ({ send, bodies }) => {
      await send('old', { expiration: '0' });
      await waitUntil(async () => (await bodies()).join() === 'old');
    },
  ),

  'expiry of the queue': notInStreams({ 'x-expires': int(30) }, ({ queue }) => waitUntil(() => queue.isDeleted).then(() => {})),

  'length limit': notInStreams({ 'x-max-length': int(2) }, async ({ send, bodies }) => {
    for (const body of ['1', '2', '3']) await send(body);
    assert.deepEqual(await bodies(), ['2', '3']);
  }),

  'limit in bytes': {
    arguments: { 'x-max-length-bytes': int(2) },
    ...butStreams(
      async ({ send, bodies }) => {
        for (const body of ['1', '2', '3']) await send(body);
        assert.deepEqual(await bodies(), ['2', '3']);
      },
      // By whole segments: the one that is written stays.
      async ({ send, bodies }) => {
        for (const body of ['1', '2', '3']) await send(body);
        await waitUntil(async () => (await bodies()).join() === '1,2,3');
      },
    ),
  },

  'refusal when full': notInStreams({ 'x-overflow': longstr('reject-publish'), 'x-max-length': int(1) }, async ({ send, bodies }) => {
    assert.deepEqual([await send('1'), await send('2')], ['ack', 'nack']);
    assert.deepEqual(await bodies(), ['1']);
  }),

  'dead letters': notInStreams(dead, async ({ client, get, send, managed }) => {
    await send('dies');
    client.send(basicNack(1, (await get()).tag, { requeue: false }));
    await waitUntil(() => queueNamed(managed, 'dead').readyCount === 1);
    queueNamed(managed, 'dead').purge();
  }),

  'delivery limit': notInStreams({ 'x-delivery-limit': int(1) }, async ({ client, get, send, queue }) => {
    await send('poison');
    for (let i = 0; i < 2; i++) client.send(basicNack(1, (await get()).tag));
    await waitUntil(() => queue.messageCount === 0);
  }),

  'many priorities': {
    arguments: { 'x-max-priority': int(9) },
    cells: {
      classic: async ({ send, bodies }) => {
        for (const priority of [1, 3, 2]) await send(String(priority), { priority });
        assert.deepEqual(await bodies(), ['3', '2', '1']);
      },
      quorum: notFor('quorum', 'x-max-priority'),
      stream: notFor('stream', 'x-max-priority'),
    },
  },

  'single active consumer': notInStreams({ 'x-single-active-consumer': flag }, async ({ client, name, queue }) => {
    for (const consumerTag of ['c1', 'c2']) await client.call(basicConsume(1, { queue: name, consumerTag }), m.BasicConsumeOk);
    assert.deepEqual(
      [...queue.consumers()].map(({ isActive }) => isActive),
      [true, false],
    );
  }),

  'consumer priorities': butStreams(
    async ({ client, name, queue, send }) => {
      for (const priority of [1, 7]) {
        const options = {
          queue: name,
          consumerTag: `${name}-${priority}`,
          noAck: true,
          arguments: new Map([['x-priority', int(priority)]]),
        };
        await client.call(basicConsume(1, options), m.BasicConsumeOk);
      }
      assert.equal(queue.consumerCount, 2);
      await send('first');
      const { args } = await client.nextDelivery();
      assert.equal((args as { consumerTag: string }).consumerTag, `${name}-7`);
    },
    async ({ client, name }) => {
      await client.call(basicQos(1, 10), m.BasicQosOk);
      client.send(basicConsume(1, { queue: name, arguments: new Map([['x-priority', int(1)]]) }));
      const { replyText } = await client.expectChannelClose(1);
      assert.match(
        replyText,
        /^PRECONDITION_FAILED - invalid arg 'x-priority' for queue '[^']*' in vhost '\/' of queue type rabbit_stream_queue$/,
      );
    },
  ),

  'getting single messages': butStreams(
    async ({ send, get }) => {
      await send('1');
      assert.equal((await get()).body, '1');
    },
    async ({ client, name }) => {
      client.send(basicGet(1, name));
      const { replyCode, replyText } = await client.expectConnectionClose();
      assert.equal(replyCode, 540);
      assert.match(replyText, /^NOT_IMPLEMENTED - basic\.get not supported by stream queues queue '[^']*' in vhost '\/'$/);
    },
  ),

  purging: butStreams(
    async ({ client, name, send }) => {
      await send('1');
      assert.equal((await client.call(queuePurge(1, { queue: name }), m.QueuePurgeOk)).messageCount, 1);
    },
    async ({ client, name }) => {
      client.send(queuePurge(1, { queue: name }));
      const { replyCode, replyText } = await client.expectConnectionClose();
      assert.equal(replyCode, 540);
      assert.match(replyText, /^NOT_IMPLEMENTED - queue\.purge not supported by stream queues queue '[^']*' in vhost '\/'$/);
    },
  ),

  'browsing and searching': inAll(async ({ send, bodies, queue }) => {
    await send('one');
    await send('two', { headers: new Map([['colour', longstr('green')]]) });
    await waitUntil(async () => (await bodies()).join() === 'one,two');
    assert.deepEqual(await bodies('?search=green'), ['two']);
    assert.deepEqual(await bodies('?offset=1&count=1'), ['two']);
    assert.equal(queue.readyCount, 2);
  }),

  'deleting one message': butStreams(
    async ({ send, ask, bodies, managed, name }) => {
      for (const body of ['1', '2']) await send(body);
      const list = (await managed.http.get(`/api/queues/%2F/${name}/messages`)).json as { id: string }[];
      assert.equal((await ask('delete', `messages/${list[0]?.id}`)).status, 204);
      assert.deepEqual(await bodies(), ['2']);
    },
    async ({ ask }) => {
      const { status, reason } = await ask('delete', 'messages/0');
      assert.deepEqual([status, reason], [400, noSingles]);
    },
  ),

  'moving out': butStreams(
    async ({ send, ask, bodies, managed }) => {
      await send('1');
      assert.deepEqual((await ask('post', 'move', { destination: 'sink' })).json, { moved: 1 });
      assert.deepEqual([await bodies(), queueNamed(managed, 'sink').purge()], [[], 1]);
    },
    async ({ ask }) => {
      const { status, reason } = await ask('post', 'move', { destination: 'sink' });
      assert.deepEqual([status, reason], [400, noSingles]);
    },
  ),

  'moving in': inAll(async ({ name, bodies, managed }) => {
    const publish = { properties: {}, routing_key: 'sink', payload: 'moved', payload_encoding: 'string' };
    await managed.http.post('/api/exchanges/%2F/amq.default/publish', publish);
    assert.deepEqual((await managed.http.post('/api/queues/%2F/sink/move', { destination: name })).json, { moved: 1 });
    await waitUntil(async () => (await bodies()).join() === 'moved');
    assert.equal(queueNamed(managed, 'sink').readyCount, 0);
  }),

  'change of shape': inAll(async ({ type, send, ask, bodies, managed, name }) => {
    for (const body of ['1', '2']) await send(body);
    for (const next of [...types, type]) {
      const { status, json } = await ask('post', 'shape', { arguments: { 'x-queue-type': next } });
      assert.deepEqual([status, (json as { type: string }).type, queueNamed(managed, name).type.name], [200, next, next]);
      assert.deepEqual(await bodies(), ['1', '2']);
    }
  }),

  'redriving dead letters': {
    ...butStreams(
      async ({ client, send, get, ask, managed, name }) => {
        // A queue that the messages of this one came from.
        const args = new Map([...Object.entries(dead), ['x-dead-letter-routing-key', longstr(name)] as const]);
        await client.call(queueDeclare(1, { queue: `from-${name}`, durable: true, arguments: args }), m.QueueDeclareOk);
        await send('dies', {}, `from-${name}`);
        client.send(basicNack(1, (await get(`from-${name}`)).tag, { requeue: false }));
        await waitUntil(() => queueNamed(managed, name).readyCount === 1);
        assert.deepEqual((await ask('post', 'redrive', {})).json, { moved: 1, skipped: 0, queues: { [`from-${name}`]: 1 } });
        assert.equal(queueNamed(managed, `from-${name}`).readyCount, 1);
      },
      async ({ ask }) => {
        const { status, reason } = await ask('post', 'redrive', {});
        assert.deepEqual([status, reason], [400, noSingles]);
      },
    ),
  },
};

/** Runs `run` with the queue of a cell, and a client of its own. */
async function use(managed: ManagedBroker, feature: string, type: Type, args: Feature['arguments'], run: Works | RegExp): Promise<void> {
  const name = `${feature} ${type}`.replaceAll(' ', '-');
  const client = await AmqpDriver.connect({ port: managed.broker.port });
  await client.openChannel(1);
  const declaration = queueDeclare(1, {
    queue: name,
    durable: true,
    arguments: new Map([...Object.entries(args ?? {}), ['x-queue-type', longstr(type)] as const]),
  });
  try {
    if (run instanceof RegExp) {
      client.send(declaration);
      const { replyCode, replyText } = await client.expectChannelClose(1);
      assert.equal(replyCode, 406);
      assert.match(replyText, run);
      assert.equal(vhostOf(managed).queues.get(name), undefined);
      return;
    }
    await client.call(declaration, m.QueueDeclareOk);
    await client.call(confirmSelect(1), m.ConfirmSelectOk);
    const path = `/api/queues/%2F/${name}`;
    await run({
      type,
      name,
      queue: queueNamed(managed, name),
      client,
      managed,
      send: async (body, properties = {}, routingKey = name) => {
        client.publish(1, { routingKey, body, properties: { deliveryMode: 2, ...properties } });
        const isConfirm = (frame: Frame): boolean => frame.method === m.BasicAck || frame.method === m.BasicNack;
        const confirm = (await waitUntil(() => client.pending.find(isConfirm))) as MethodFrame;
        await client.expect(confirm.method as typeof m.BasicAck, 1);
        return confirm.method === m.BasicAck ? 'ack' : 'nack';
      },
      get: async (queue = name) => {
        client.send(basicGet(1, queue));
        const { args: delivered, body, properties } = await client.nextDelivery();
        return { body: String(body), tag: (delivered as { deliveryTag: number }).deliveryTag, headers: properties.headers ?? new Map() };
      },
      bodies: async (query = '') => {
        const { json } = await managed.http.get(`${path}/messages${query}`);
        return (json as { payload: string }[]).map(({ payload }) => payload);
      },
      ask: async (method, rest, body) => {
        const { status, json } =
          method === 'post' ? await managed.http.post(`${path}/${rest}`, body) : await managed.http.delete(`${path}/${rest}`);
        return { status, json, reason: (json as { reason?: unknown } | null)?.reason };
      },
    });
  } finally {
    client.destroy();
    const queue = vhostOf(managed).queues.get(name);
    if (queue !== undefined) vhostOf(managed).removeQueue(queue);
  }
}

test('every feature works in every type of queue, or is refused in so many words', async t => {
  await withManagement({}, async managed => {
    managed.broker.core.parameters.put('/', 'scheduled-delivery', 'settings', { enabled: true });
    for (const name of ['dead', 'sink']) await managed.http.put(`/api/queues/%2F/${name}`, { durable: true });
    for (const [feature, { arguments: args, cells }] of Object.entries(features)) {
      for (const type of types) {
        const run = cells[type];
        await t.test(`${feature}: ${type}${run instanceof RegExp ? ', refused' : ''}`, () => use(managed, feature, type, args, run));
      }
    }
  });
});
