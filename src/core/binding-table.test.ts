import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { longstr } from '../base/field-table.ts';
import { CoreBroker } from '../../test/support/core-broker.ts';
import { brokerActor } from './actor.ts';
import type { Exchange } from './exchanges/exchange.ts';
import { MetadataReplay } from './topology-replay.ts';

/** So many bindings take more than one step, to a queue and from an exchange. */
const manyIn = 3000;
const manyOut = 20_000;
const unconditionally = { ifUnused: false, ifEmpty: false };

class World extends CoreBroker {
  readonly told: string[] = [];

  constructor() {
    super();
    this.core.events.observe({
      isInterested: true,
      happened: ({ name, facts }) => {
        if (/^(queue|exchange|binding)\./.test(name)) this.told.push(`${name} ${String(facts['name'] ?? facts['routing_key'])}`);
      },
    });
  }

  deleteQueue(name: string): void {
    this.core.topology.deleteQueue(this.vhost, name, unconditionally, brokerActor);
  }

  deleteExchange(name: string): void {
    this.core.topology.deleteExchange(this.vhost, name, false, brokerActor);
  }

  /** A queue with very many bindings, deleted, and some of them still there. */
  leavingQueue(name = 'leaving', type = 'topic'): Exchange {
    const exchange = this.exchange(`from-${name}`, type);
    const queue = this.queue(name);
    for (let i = 0; i < manyIn; i++) this.bind(exchange.name, queue, `${i + 1}`);
    this.told.length = 0;
    this.deleteQueue(name);
    assert.ok(this.vhost.departures.of('queue', name) !== null, 'its bindings are taken away in steps');
    assert.ok(exchange.bindings.size > 0 && exchange.bindings.size < manyIn);
    return exchange;
  }

  finish(): void {
    while (this.scheduler.runTurn());
    assert.equal(this.core.works.count, 0);
  }
}

describe('a queue with very many bindings that is deleted', () => {
  for (const type of ['direct', 'topic', 'fanout', 'headers', 'x-random', 'x-modulus-hash', 'x-consistent-hash', 'x-recent-history']) {
    test(`gets nothing more by a ${type} exchange, before its bindings are gone`, () => {
      const world = new World();
      const exchange = world.leavingQueue('leaving', type);
      const other = world.queue('other');
      // The last key is among those that are still there.
      world.bind(exchange.name, other, `${manyIn}`);
      for (let i = 0; i < 20; i++) {
        const p = world.publication({ exchange: exchange.name, key: `${manyIn}` });
        assert.deepEqual(world.vhost.router.route(exchange, [`${manyIn}`], p).queues, [other]);
      }
      world.finish();
      assert.equal(exchange.bindings.size, 1);
      assert.equal(world.vhost.bindingCount, 1);
      assert.deepEqual(world.vhost.router.route(exchange, [`${manyIn}`], world.publication({})).queues, [other]);
    });
  }

  test('leaves what is published to the alternate exchange at once', () => {
    const world = new World();
    world.exchange('alternate', 'fanout');
    const last = world.queue('last');
    world.bind('alternate', last);
    const exchange = world.exchange('main', 'direct', new Map([['alternate-exchange', longstr('alternate')]]));
    const queue = world.queue('leaving');
    for (let i = 0; i < manyIn; i++) world.bind('main', queue, `${i}`);
    world.deleteQueue('leaving');
    assert.ok(exchange.bindings.size > 0);
    assert.equal(world.publish({ exchange: 'main', key: `${manyIn - 1}`, body: 'm' }), 1);
    assert.deepEqual(world.take(last), ['m']);
  });

  test('is told of when the last binding is', () => {
    const world = new World();
    world.leavingQueue();
    world.finish();
    assert.equal(world.told.filter(line => line.startsWith('binding.deleted')).length, manyIn);
    assert.equal(world.told.at(-1), 'queue.deleted leaving');
    assert.equal(world.vhost.departures.of('queue', 'leaving'), null, 'nobody has to wait any more');
  });

  test('is quite gone as soon as another has its name, whose bindings are its own', () => {
    const world = new World();
    const exchange = world.leavingQueue();
    const again = world.queue('leaving');
    assert.deepEqual(world.told.slice(-2), ['queue.deleted leaving', 'queue.created leaving']);
    assert.equal(exchange.bindings.size, 0);
    world.bind(exchange.name, again, `${manyIn}`);
    world.finish();
    assert.equal(world.publish({ exchange: exchange.name, key: `${manyIn}` }), 1);
    assert.equal(world.publish({ exchange: exchange.name, key: '7' }), 0);
    assert.deepEqual([world.vhost.bindingCount, again.incoming?.size], [1, 1]);
  });

  test('takes the auto-delete exchanges with it at once that have no other binding', () => {
    const world = new World();
    const declaration = { isDurable: true, isAutoDelete: true, isInternal: false, arguments: new Map() };
    for (const name of ['alone', 'shared'])
      world.core.topology.declareExchange(world.vhost, 'direct', { ...declaration, name }, brokerActor);
    const queue = world.queue('leaving');
    const other = world.queue('other');
    for (let i = 0; i < manyIn; i++) world.bind('amq.topic', queue, `${i}`);
    world.bind('alone', queue);
    world.bind('shared', queue);
    world.bind('shared', other);
    world.deleteQueue('leaving');
    assert.ok(world.vhost.departures.of('queue', 'leaving') !== null);
    assert.deepEqual([world.vhost.exchanges.has('alone'), world.vhost.exchanges.has('shared')], [false, true]);
    world.finish();
    assert.equal(world.vhost.exchanges.get('shared')?.bindings.size, 1);
  });

  test('goes with the exchange that is deleted meanwhile', () => {
    const world = new World();
    const exchange = world.leavingQueue();
    const other = world.queue('other');
    for (let i = 0; i < manyOut; i++) world.bind(exchange.name, other, `other.${i}`);
    world.deleteExchange(exchange.name);
    assert.ok(world.vhost.departures.of('exchange', exchange.name) !== null);
    world.finish();
    assert.deepEqual([world.vhost.bindingCount, other.incoming?.size], [0, 0]);
    assert.equal(world.told.filter(line => line.startsWith('binding.deleted')).length, manyIn + manyOut);
  });

  test('does not keep an exchange from being deleted if it is unused', () => {
    const world = new World();
    const exchange = world.leavingQueue();
    world.core.topology.deleteExchange(world.vhost, exchange.name, true, brokerActor);
    assert.equal(world.vhost.exchanges.has(exchange.name), false);
  });

  test('is not in what the journal puts down, nor are its bindings, and a restart in between knows none of them', () => {
    const world = new World();
    const exchange = world.leavingQueue();
    const kept = world.queue('kept');
    world.bind(exchange.name, kept, 'kept');
    const restarted = new CoreBroker();
    const replay = new MetadataReplay(restarted.core);
    for (const change of world.core.metadataSnapshot()) replay.apply(change);
    replay.end();
    assert.equal(replay.skipped, 0);
    assert.equal(restarted.vhost.bindingCount, 1);
    assert.deepEqual([...restarted.vhost.queues.keys()], ['kept']);
  });

  test('is gone when recovery has read its deletion', () => {
    const world = new World();
    const exchange = world.exchange('e', 'topic');
    const queue = world.queue('leaving');
    for (let i = 0; i < manyIn; i++) world.bind('e', queue, `${i}`);
    const replay = new MetadataReplay(world.core);
    replay.apply({ kind: 'queue.delete', vhost: '/', name: 'leaving', id: queue.id } as { kind: string });
    assert.deepEqual([world.vhost.bindingCount, exchange.bindings.size], [0, 0]);
  });

  test('goes with all else when its virtual host is deleted', () => {
    const world = new World();
    world.leavingQueue();
    let isDone = false;
    world.core.deleteVhost('/', () => (isDone = true));
    world.finish();
    assert.ok(isDone);
    assert.equal(world.vhost.bindingCount, 0);
  });
});

describe('an exchange with very many bindings that is deleted', () => {
  test('routes nothing, is told of when its bindings are gone, and leaves nothing at the queues', () => {
    const world = new World();
    const exchange = world.exchange('leaving', 'topic');
    const before = world.exchange('before', 'fanout');
    const queue = world.queue('q');
    for (let i = 0; i < manyOut; i++) world.bind('leaving', queue, `${i}`);
    world.bind('before', exchange);
    world.bind('before', queue);
    world.told.length = 0;
    world.deleteExchange('leaving');
    assert.ok(world.vhost.departures.of('exchange', 'leaving') !== null);
    assert.deepEqual(world.vhost.router.route(before, [`${manyOut - 1}`], world.publication({})).queues, [queue]);
    assert.equal(world.vhost.exchanges.has('leaving'), false);
    world.finish();
    assert.deepEqual([queue.incoming?.size, before.bindings.size, world.vhost.bindingCount], [1, 1, 1]);
    assert.equal(world.told.at(-1), 'exchange.deleted leaving');
    assert.equal(world.told.filter(line => line.startsWith('binding.deleted')).length, manyOut + 1);
  });

  test('is quite gone as soon as another has its name', () => {
    const world = new World();
    world.exchange('leaving', 'direct');
    const queue = world.queue('q');
    for (let i = 0; i < manyOut; i++) world.bind('leaving', queue, `${i}`);
    world.deleteExchange('leaving');
    assert.ok((queue.incoming?.size ?? 0) > 0);
    world.exchange('leaving', 'fanout');
    assert.deepEqual(world.told.slice(-2), ['exchange.deleted leaving', 'exchange.created leaving']);
    world.bind('leaving', queue, 'a');
    world.finish();
    assert.deepEqual([queue.incoming?.size, world.vhost.bindingCount], [1, 1]);
    assert.equal(world.publish({ exchange: 'leaving', key: 'x' }), 1);
  });

  test('leaves a queue that is deleted meanwhile nothing either', () => {
    const world = new World();
    world.exchange('leaving', 'direct');
    const queue = world.queue('q');
    for (let i = 0; i < manyOut; i++) world.bind('leaving', queue, `${i}`);
    world.deleteExchange('leaving');
    world.deleteQueue('q');
    world.finish();
    assert.equal(world.vhost.bindingCount, 0);
    assert.equal(world.told.filter(line => line.startsWith('binding.deleted')).length, manyOut);
  });
});
