import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreBroker } from '../../../test/support/core-broker.ts';

function spread(type: string, keys: Record<string, readonly string[]>): Record<string, number> {
  const broker = new CoreBroker();
  broker.exchange('x', type);
  for (const [name, bindings] of Object.entries(keys)) for (const key of bindings) broker.bind('x', broker.queue(name), key);
  for (let i = 0; i < 4000; i++) assert.equal(broker.publish({ exchange: 'x', key: `k${i}` }), 1);
  return Object.fromEntries(Object.keys(keys).map(name => [name, broker.vhost.queues.get(name)?.readyCount ?? 0]));
}

/** Within five standard deviations. */
function assertAbout(actual: number | undefined, expected: number): void {
  assert.ok(Math.abs((actual ?? 0) - expected) < 5 * Math.sqrt(expected), `${actual} of about ${expected}`);
}

test('x-random picks among the bindings evenly, so that two bindings to a queue count twice', () => {
  const counts = spread('x-random', { a: ['k'], b: ['l'], c: ['m', 'n'] });
  assertAbout(counts.a, 1000);
  assertAbout(counts.b, 1000);
  assertAbout(counts.c, 2000);
});

test('x-modulus-hash spreads keys over the bindings and keeps equal keys together', () => {
  const counts = spread('x-modulus-hash', { a: [''], b: [''], c: ['', 'x'] });
  assertAbout(counts.a, 1000);
  assertAbout(counts.b, 1000);
  assertAbout(counts.c, 2000);
  const broker = new CoreBroker();
  const exchange = broker.exchange('x', 'x-modulus-hash');
  const other = broker.exchange('y', 'x-modulus-hash');
  for (const name of ['a', 'b', 'c']) broker.bind('x', broker.queue(name));
  for (const name of ['c', 'a', 'b']) broker.bind('y', broker.queue(name));
  for (let i = 0; i < 200; i++) {
    const { router } = broker.vhost;
    assert.equal(
      router.remembered(exchange, `k${i}`)?.queues[0],
      router.remembered(other, `k${i}`)?.queues[0],
      'whatever the order of bindings',
    );
  }
});

test('x-local-random picks one of its queues, and binds with an empty key only', () => {
  const counts = spread('x-local-random', { a: [''], b: [''] });
  assertAbout(counts.a, 2000);
  assertAbout(counts.b, 2000);
  const broker = new CoreBroker();
  broker.exchange('x', 'x-local-random');
  assert.throws(() => broker.bind('x', broker.queue('q'), 'k'), {
    code: 'PRECONDITION_FAILED',
    text: "Non empty binding 'k' key not permitted",
  });
  assert.throws(() => broker.bind('x', broker.exchange('y', 'fanout')), { text: 'Destination not found' });
});
