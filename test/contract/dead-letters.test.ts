import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queueDeclare } from '../support/amqp-requests.ts';
import type { Delivery } from '../support/amqp-inbox.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { SimClient } from '../support/sim-client.ts';
import { basicGet, basicNack, queueBind, queuePurge } from '../support/amqp-requests.ts';
import { encodeFrame } from '../../src/wire/amqp091/frame.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import type { Properties } from '../../src/wire/amqp091/properties.ts';
import { array, type Field, type FieldTable, int, long, longstr, table, tableToJson, voidField } from '../../src/base/field-table.ts';

class Bench {
  readonly broker = new SimBroker();
  readonly client = SimClient.connect(this.broker);

  constructor() {
    this.client.openChannel(1);
  }

  declare(queue: string, args: Readonly<Record<string, Field>> = {}): void {
    this.client.call(queueDeclare(1, { queue, arguments: new Map(Object.entries(args)) }), methods.QueueDeclareOk);
  }

  /** A queue whose dead letters go to the queue of that name. */
  declareDying(queue: string, deadLetterQueue: string, args: Readonly<Record<string, Field>> = {}): void {
    this.declare(queue, { 'x-dead-letter-exchange': longstr(''), 'x-dead-letter-routing-key': longstr(deadLetterQueue), ...args });
  }

  publish(routingKey: string, properties: Properties = {}, body = 'x'): void {
    this.client.publish(1, { routingKey, properties, body });
  }

  get(queue: string): Delivery | null {
    this.client.send(basicGet(1, queue, true));
    return this.client.takeDelivery(1) ?? (this.client.expect(methods.BasicGetEmpty, 1) && null);
  }

  /** Gets a message and refuses it for good. */
  reject(queue: string): void {
    this.client.send(basicGet(1, queue));
    const delivery = this.client.takeDelivery(1);
    assert.ok(delivery?.kind === 'get-ok', `nothing in ${queue}`);
    this.client.send(basicNack(1, delivery.args.deliveryTag, { requeue: false }));
  }

  count(queue: string): number {
    return this.broker.core.vhosts.get('/')?.queues.get(queue)?.readyCount ?? -1;
  }
}

const headersOf = (delivery: Delivery | null): FieldTable => delivery?.properties.headers ?? new Map();

function deathsOf(delivery: Delivery | null): FieldTable[] {
  const field = headersOf(delivery).get('x-death') as Field;
  return (field.value as Field[]).map(each => each.value as FieldTable);
}

test('a rejected message tells in x-death where, why and when it died', () => {
  const bench = new Bench();
  bench.declare('dead');
  bench.declareDying('q', 'dead');
  bench.publish('q', { expiration: '60000', headers: new Map([['CC', array([longstr('other')])]]), correlationId: 'c1' });
  bench.reject('q');
  const dead = bench.get('dead');
  assert.equal(dead?.properties.correlationId, 'c1');
  assert.equal(dead?.properties.expiration, undefined);
  assert.deepEqual(tableToJson(headersOf(dead)), {
    'x-death': [
      {
        count: 1,
        reason: 'rejected',
        queue: 'q',
        time: Math.floor(bench.broker.clock.wallMillis / 1000),
        exchange: '',
        'routing-keys': ['q', 'other'],
        'original-expiration': '60000',
      },
    ],
    'x-first-death-exchange': '',
    'x-first-death-queue': 'q',
    'x-first-death-reason': 'rejected',
    'x-last-death-exchange': '',
    'x-last-death-queue': 'q',
    'x-last-death-reason': 'rejected',
  });
});

test('deaths are counted by queue and reason, the newest first', () => {
  const bench = new Bench();
  bench.declareDying('a', 'b');
  bench.declareDying('b', 'a');
  bench.publish('a');
  for (let round = 0; round < 3; round++) {
    bench.reject('a');
    bench.reject('b');
  }
  const message = bench.get('a');
  assert.deepEqual(
    deathsOf(message).map(death => [death.get('queue')?.value, death.get('count')?.value]),
    [
      ['b', 3],
      ['a', 3],
    ],
  );
  assert.equal(headersOf(message).get('x-first-death-queue')?.value, 'a');
  assert.equal(headersOf(message).get('x-last-death-queue')?.value, 'b');
});

test('a message does not go round by itself: the third queue of a circle of expiries drops it', () => {
  const bench = new Bench();
  const ttl = { 'x-message-ttl': int(10) };
  bench.declareDying('a', 'b', ttl);
  bench.declareDying('b', 'c', ttl);
  bench.declareDying('c', 'a', ttl);
  bench.publish('a');
  bench.broker.advance(100);
  assert.deepEqual([bench.count('a'), bench.count('b'), bench.count('c')], [0, 0, 0]);
  assert.equal(bench.broker.core.store.liveCount, 0);
});

test('a circle with a rejection in it goes on', () => {
  const bench = new Bench();
  bench.declareDying('work', 'wait');
  bench.declareDying('wait', 'work', { 'x-message-ttl': int(10) });
  bench.publish('work');
  for (let round = 0; round < 5; round++) {
    bench.reject('work');
    assert.equal(bench.count('wait'), 1);
    bench.broker.advance(20);
    assert.equal(bench.count('work'), 1);
  }
  assert.equal(
    deathsOf(bench.get('work'))
      .find(death => death.get('queue')?.value === 'work')
      ?.get('count')?.value,
    5,
  );
});

test('a chain of 500 queues that expire at once is no recursion', () => {
  const bench = new Bench();
  for (let i = 0; i < 500; i++) bench.declareDying(`q${i}`, `q${i + 1}`, { 'x-message-ttl': int(0) });
  bench.declare('q500');
  bench.publish('q0');
  const last = bench.get('q500');
  assert.equal(deathsOf(last).length, 500);
});

test('a dead letter keeps its priority, though the queue it comes from has none', () => {
  const bench = new Bench();
  bench.declare('dead', { 'x-max-priority': int(9) });
  bench.declareDying('q', 'dead');
  bench.publish('q', { priority: 1 }, 'low');
  bench.publish('q', { priority: 7 }, 'high');
  bench.reject('q');
  bench.reject('q');
  assert.equal(bench.get('dead')?.body.toString(), 'high');
});

test('a message that a full queue refuses keeps its priority, too', () => {
  const bench = new Bench();
  bench.declare('dead', { 'x-max-priority': int(9) });
  bench.declareDying('q', 'dead', { 'x-max-length': int(0), 'x-overflow': longstr('reject-publish-dlx') });
  bench.publish('q', { priority: 1 }, 'low');
  bench.publish('q', { priority: 7 }, 'high');
  assert.equal(bench.get('dead')?.body.toString(), 'high');
});

test('whatever a client has put into x-death, a dead letter is made of it', () => {
  const hostile: [string, Field][] = [
    [
      'count as text',
      table(
        new Map([
          ['queue', longstr('q')],
          ['reason', longstr('rejected')],
          ['count', longstr('many')],
        ]),
      ),
    ],
    [
      'count as table',
      table(
        new Map([
          ['queue', longstr('q')],
          ['reason', longstr('rejected')],
          ['count', table(new Map())],
        ]),
      ),
    ],
    [
      'no count',
      table(
        new Map([
          ['queue', longstr('q')],
          ['reason', longstr('rejected')],
        ]),
      ),
    ],
    [
      'count at its end',
      table(
        new Map([
          ['queue', longstr('q')],
          ['reason', longstr('rejected')],
          ['count', long(2n ** 63n - 1n)],
        ]),
      ),
    ],
    [
      'count not a number',
      table(
        new Map([
          ['queue', longstr('q')],
          ['reason', longstr('rejected')],
          ['count', { type: 'd', value: NaN }],
        ]),
      ),
    ],
    [
      'queue no text',
      table(
        new Map([
          ['queue', int(7)],
          ['reason', voidField],
          ['count', long(1)],
        ]),
      ),
    ],
    ['no table', longstr('death')],
    ['an array', array([array([])])],
  ];
  for (const [name, death] of hostile) {
    for (const field of [array([death]), death, table(new Map([['x', death]]))]) {
      const bench = new Bench();
      bench.declare('dead');
      bench.declareDying('q', 'dead');
      bench.publish('q', { headers: new Map([['x-death', field]]) });
      bench.reject('q');
      const dead = bench.get('dead');
      assert.ok(dead !== null, name);
      const [first] = deathsOf(dead);
      assert.equal(first?.get('queue')?.value, 'q', name);
      assert.equal(first?.get('count')?.type, 'l', name);
      assert.ok(Number(first?.get('count')?.value) >= 1, name);
      assert.equal(bench.broker.core.store.liveCount, 0);
    }
  }
});

test('a routing key of any bytes comes through dead-lettering as it was', () => {
  const bench = new Bench();
  bench.declare('dead');
  bench.declare('q', { 'x-dead-letter-exchange': longstr('amq.fanout') });
  bench.client.call(queueBind(1, { queue: 'dead', exchange: 'amq.fanout' }), methods.QueueBindOk);
  bench.client.call(queueBind(1, { queue: 'q', exchange: 'amq.topic', routingKey: '#' }), methods.QueueBindOk);
  const key = Buffer.alloc(255, 0xff);
  const publish = methods.encodeBasicPublish(1, { exchange: 'amq.topic', routingKey: 'k'.repeat(255), mandatory: false, immediate: false });
  key.copy(publish, publish.indexOf('kkk'));
  bench.client.send(Buffer.concat([publish, encodeFrame(2, 1, Buffer.from('003c0000000000000000000000000000'.slice(0, 28), 'hex'))]));
  bench.reject('q');
  bench.client.send(basicGet(1, 'dead', true));
  const frame = bench.client.takeAll().find(each => each.method === methods.BasicGetOk);
  assert.ok(frame !== undefined);
  assert.ok(frame.payload.includes(key), 'the key has changed on the way');
});

test('a dead letter routing key that is longer than a key can be does no harm', () => {
  const bench = new Bench();
  const args = { 'x-dead-letter-exchange': longstr('amq.fanout'), 'x-dead-letter-routing-key': longstr('k'.repeat(300)) };
  bench.declare('dead');
  bench.client.call(queueBind(1, { queue: 'dead', exchange: 'amq.fanout' }), methods.QueueBindOk);
  bench.declare('q', args);
  bench.publish('q');
  bench.reject('q');
  assert.equal(bench.count('dead'), 0);
  assert.equal(bench.broker.core.store.liveCount, 0);
  bench.publish('dead');
  assert.equal(bench.get('dead')?.body.toString(), 'x');
});

test('a message whose headers grow too large on the way is dropped, and the rest goes on', () => {
  const bench = new Bench();
  const keys = Array.from({ length: 9000 }, (_, i) => longstr(`key-${i}`));
  bench.declare('end');
  for (let i = 0; i < 4; i++) bench.declare(`q${i}`, { 'x-dead-letter-exchange': longstr(`x${i}`), 'x-message-ttl': int(0) });
  for (let i = 0; i < 4; i++) {
    const declaration = {
      exchange: `x${i}`,
      type: 'fanout',
      passive: false,
      durable: false,
      autoDelete: false,
      internal: false,
      nowait: false,
    };
    bench.client.call(methods.encodeExchangeDeclare(1, { ...declaration, arguments: new Map() }), methods.ExchangeDeclareOk);
    const queue = i === 3 ? 'end' : `q${i + 1}`;
    bench.client.call(queueBind(1, { queue, exchange: `x${i}` }), methods.QueueBindOk);
  }
  bench.publish('q0', { headers: new Map([['CC', array(keys)]]) });
  bench.publish('q0', {}, 'small');
  assert.equal(bench.get('end')?.body.toString(), 'small');
  assert.equal(bench.broker.core.store.liveCount, 0);
});

test('dead letters without end are worked off with a list that does not grow', () => {
  const bench = new Bench();
  bench.declare('dead');
  bench.declareDying('q', 'dead', { 'x-max-length': int(1) });
  for (let i = 0; i < 3000; i++) bench.publish('q');
  assert.equal(bench.count('dead'), 2999);
  bench.client.call(queuePurge(1, { queue: 'dead' }), methods.QueuePurgeOk);
  assert.equal(bench.broker.core.store.liveCount, 1);
});

test('a persistent message that died in a transient queue is persistent in a durable one', () => {
  const bench = new Bench();
  bench.declare('dead');
  bench.declareDying('q', 'dead');
  let isPersistent = false;
  const { publisher } = bench.broker.core;
  const publish = publisher.publish.bind(publisher);
  publisher.publish = (vhost, exchange, route, p) => {
    isPersistent = p.isPersistent;
    return publish(vhost, exchange, route, p);
  };
  bench.publish('q', { deliveryMode: 2 });
  bench.reject('q');
  assert.equal(isPersistent, true);
});
