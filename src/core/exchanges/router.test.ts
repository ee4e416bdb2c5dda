import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreBroker } from '../../../test/support/core-broker.ts';
import { longstr } from '../../base/field-table.ts';
import { limits } from '../limits.ts';
import type { ExchangeType } from './exchange-type.ts';

/** Does with every message what the test says. */
function puppet(act: Parameters<typeof routesOf>[0]): ExchangeType {
  return { name: 'puppet', description: '', check() {}, create: () => routesOf(act) };
}

function routesOf(
  act: (out: { take(): void; refuse(text: string): void }, keys: readonly string[]) => void,
): ReturnType<ExchangeType['create']> {
  return { dependsOn: 'message', check() {}, bind() {}, unbind() {}, route: (message, out) => act(out, message.keys) };
}

describe('routing', () => {
  test('a route through an exchange that has to see the message is not remembered, wherever it is on the way', () => {
    const broker = new CoreBroker();
    const first = broker.exchange('first', 'fanout');
    const second = broker.exchange('second', 'headers');
    broker.bind('first', second);
    broker.bind('second', broker.queue('q'), '', new Map([['h', longstr('1')]]));
    assert.equal(broker.vhost.router.remembered(first, 'k'), null);
    assert.equal(broker.publish({ exchange: 'first', properties: { headers: new Map([['h', longstr('1')]]) } }), 1);
    assert.equal(broker.publish({ exchange: 'first' }), 0);
    broker.unbind('first', second);
    assert.deepEqual(broker.vhost.router.remembered(first, 'k')?.queues, []);
  });

  test('an exchange is asked once for a message, whatever number of keys it has', () => {
    let asked: (readonly string[])[] = [];
    const broker = new CoreBroker([puppet((_out, keys) => void asked.push([...keys]))]);
    broker.exchange('x', 'puppet');
    broker.publish({ exchange: 'x', key: 'a', copies: ['b', 'c'] });
    assert.deepEqual(asked, [['a', 'b', 'c']]);
    asked = [];
    broker.publish({ exchange: 'x', key: 'a' });
    assert.deepEqual(asked, [['a']]);
  });

  test('a message that an exchange took is not unroutable, and does not go to the alternate exchange', () => {
    const broker = new CoreBroker([puppet(out => out.take())]);
    const exchange = broker.exchange('x', 'puppet');
    broker.exchange('ae', 'fanout');
    const queue = broker.queue('q');
    broker.bind('ae', queue);
    exchange.alternate = 'ae';
    assert.equal(broker.publish({ exchange: 'x' }), 1);
    assert.equal(queue.readyCount, 0);
  });

  test('a message that one exchange refuses goes nowhere', () => {
    const broker = new CoreBroker([puppet(out => out.refuse('no'))]);
    const refusing = broker.exchange('x', 'puppet');
    const first = broker.exchange('first', 'fanout');
    const queue = broker.queue('q');
    broker.bind('first', queue);
    broker.bind('first', refusing);
    const p = broker.publication({ exchange: 'first' });
    const route = broker.vhost.router.route(first, [''], p);
    assert.equal(route.refusal, 'no');
    assert.equal(broker.core.publisher.publish(broker.vhost, first, route, p), 1);
    assert.equal(p.isRefused, true);
    assert.equal(queue.readyCount, 0);
  });

  test('routes to one queue alone are one object', () => {
    const broker = new CoreBroker();
    const exchange = broker.exchange('x', 'topic');
    broker.bind('x', broker.queue('q'), '#');
    const { router } = broker.vhost;
    assert.equal(router.remembered(exchange, 'a'), router.remembered(exchange, 'b'));
  });

  test('more keys than can be remembered are routed all the same', () => {
    const broker = new CoreBroker();
    const exchange = broker.exchange('x', 'topic');
    broker.bind('x', broker.queue('q'), 'a.*');
    for (let i = 0; i < limits.routeCacheMin * 7; i++) assert.equal(broker.vhost.router.remembered(exchange, `a.${i}`)?.queues.length, 1);
    assert.ok(exchange.cache.size <= limits.routeCacheMin);
  });
});
