import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreBroker } from '../../../test/support/core-broker.ts';
import { long, longstr, table, timestamp, type Field, type FieldTable } from '../../base/field-table.ts';
import type { Queue } from '../queues/queue.ts';
import { hashText } from './key-hash.ts';

const keyCount = 20_000;

function make(weights: Record<string, string>, args: FieldTable = new Map()): { broker: CoreBroker; owner: (key: string) => string } {
  const broker = new CoreBroker();
  const exchange = broker.exchange('x', 'x-consistent-hash', args);
  for (const [name, weight] of Object.entries(weights)) broker.bind('x', broker.queue(name), weight);
  return {
    broker,
    owner: key =>
      broker.vhost.router
        .remembered(exchange, key)
        ?.queues.map(queue => queue.name)
        .join() ?? '',
  };
}

function shares(owner: (key: string) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < keyCount; i++) {
    const name = owner(`key-${i}`);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function assertShare(actual: number | undefined, expected: number): void {
  assert.ok(Math.abs((actual ?? 0) - expected) < 0.05 * expected + 60, `${actual} of about ${expected}`);
}

describe('x-consistent-hash', () => {
  test('equal weights get equal shares, whatever the number of queues', () => {
    for (const count of [2, 3, 7, 16]) {
      const names = Array.from({ length: count }, (_, i) => `queue.${i}`);
      const counts = shares(make(Object.fromEntries(names.map(name => [name, '1']))).owner);
      for (const name of names) assertShare(counts[name], keyCount / count);
    }
  });

  test('shares are in proportion to the weights', () => {
    const counts = shares(make({ a: '1', b: '2', c: '5' }).owner);
    assertShare(counts.a, keyCount / 8);
    assertShare(counts.b, (2 * keyCount) / 8);
    assertShare(counts.c, (5 * keyCount) / 8);
  });

  test('a weight of any size costs no more than one', () => {
    const { broker, owner } = make({ a: '1', b: '9'.repeat(255) });
    assert.equal(shares(owner).b, keyCount);
    for (const weight of ['-1', '0', '1e9', 'many', ''])
      assert.throws(() => broker.bind('x', broker.queue('d'), weight), { code: 'PRECONDITION_FAILED' }, weight);
  });

  test('a queue that comes takes keys from all, one that goes leaves its keys to all, and nothing else moves', () => {
    const { broker, owner } = make({ a: '10', b: '10', c: '10' });
    const before = Array.from({ length: 5000 }, (_, i) => owner(`k${i}`));
    broker.bind('x', broker.queue('d'), '10');
    const after = before.map((_, i) => owner(`k${i}`));
    const moved = after.filter((name, i) => name !== before[i]);
    assert.ok(moved.length > 1000 && moved.length < 1500, String(moved.length));
    assert.ok(moved.every(name => name === 'd'));
    broker.unbind('x', broker.vhost.queues.get('d') as Queue, '10');
    assert.deepEqual(
      before.map((_, i) => owner(`k${i}`)),
      before,
    );
    broker.vhost.removeQueue(broker.vhost.queues.get('a') as Queue);
    before.forEach((name, i) => assert.ok(name === 'a' || owner(`k${i}`) === name));
  });

  test('the order of bindings does not matter, so that a restart changes nothing', () => {
    const one = make({ a: '1', b: '2', c: '3' });
    const other = make({ c: '3', a: '1', b: '2' });
    for (let i = 0; i < 1000; i++) assert.equal(one.owner(`k${i}`), other.owner(`k${i}`));
  });

  test('the hash of a key is the same for ever', () => {
    const texts = ['', 'a', 'abc', 'queue\0orders', '\u{1F407}'];
    assert.deepEqual(
      texts.map(text => hashText(text)),
      [0, 721651713, 3445827480, 4230860775, 3503962380],
    );
  });

  test('of two bindings to a queue only the first counts, and when it goes the second', () => {
    const { broker, owner } = make({ a: '1', b: '1' });
    const a = broker.vhost.queues.get('a') as Queue;
    broker.bind('x', a, '9');
    assertShare(shares(owner).a, keyCount / 2);
    broker.unbind('x', a, '1');
    assertShare(shares(owner).a, (keyCount * 9) / 10);
  });

  test("binding keys are checked with RabbitMQ's texts", () => {
    const { broker } = make({});
    const queue = broker.queue('q');
    const bind = (key: string) => () => broker.bind('x', queue, key);
    assert.throws(bind('abc'), { text: 'The binding key must be an integer: <<"abc">>' });
    assert.throws(bind(''), { text: 'The binding key must be an integer: <<>>' });
    assert.throws(bind('1.5'), { text: 'The binding key must be an integer: <<"1.5">>' });
    assert.throws(bind('1 '), { text: 'The binding key must be an integer: <<"1 ">>' });
    for (const key of ['0', '-1']) assert.throws(bind(key), { text: 'The binding key must be greater than 0' });
    for (const key of ['+1', '01', '99999999999999999999']) assert.doesNotThrow(bind(key));
  });

  test("arguments are checked with RabbitMQ's texts", () => {
    const declare = (args: Record<string, Field>) => () => make({}, new Map(Object.entries(args)));
    assert.throws(declare({ 'hash-header': longstr('x'), 'hash-property': longstr('message_id') }), {
      code: 'PRECONDITION_FAILED',
      text: 'hash-header and hash-property are mutually exclusive',
    });
    assert.throws(declare({ 'hash-property': longstr('foo') }), { text: 'Unsupported property: foo' });
    assert.throws(declare({ 'hash-property': longstr('') }), { text: 'Unsupported property: ' });
    assert.throws(declare({ 'hash-property': long(1) }), { code: 'PRECONDITION_FAILED' });
    assert.throws(declare({ 'hash-header': long(1) }), { code: 'PRECONDITION_FAILED' });
    assert.doesNotThrow(declare({ 'hash-header': longstr('') }));
    for (const name of ['message_id', 'correlation_id', 'timestamp']) assert.doesNotThrow(declare({ 'hash-property': longstr(name) }));
  });

  test('a header decides, by its value whatever its type; messages without it stay together', () => {
    const { broker } = make({ a: '1', b: '1', c: '1' }, new Map([['hash-header', longstr('h')]]));
    const send = (field: Field | null, count = 1): string => {
      const headers: FieldTable = new Map(field === null ? [] : [['h', field]]);
      for (let i = 0; i < count; i++)
        assert.equal(broker.publish({ exchange: 'x', key: String(Math.random()), properties: { headers } }), 1);
      return [...broker.vhost.queues.values()]
        .filter(queue => broker.take(queue).length === count)
        .map(queue => queue.name)
        .join();
    };
    for (const field of [longstr('v'), long(5), table(new Map([['a', long(1)]]))]) assert.equal(send(field), send(field, 9));
    assert.equal(send(null), send(null, 9));
    assert.equal(send(long(5)), send({ type: 's', value: 5 }));
    const owners = new Set(Array.from({ length: 50 }, (_, i) => send(longstr(`v${i}`))));
    assert.deepEqual([...owners].sort(), ['a', 'b', 'c']);
  });

  test('a property decides', () => {
    const properties = {
      message_id: (text: string) => ({ messageId: text }),
      correlation_id: (text: string) => ({ correlationId: text }),
      timestamp: (text: string) => ({ timestamp: timestamp(Number(text)).value as number }),
    };
    for (const [name, of] of Object.entries(properties)) {
      const { broker } = make({ a: '1', b: '1', c: '1' }, new Map([['hash-property', longstr(name)]]));
      for (let i = 0; i < 300; i++)
        for (let copy = 0; copy < 2; copy++) broker.publish({ exchange: 'x', body: String(i), properties: of(String(i)) });
      const bodies = [...broker.vhost.queues.values()].map(queue => broker.take(queue));
      for (const each of bodies) {
        assert.ok(each.length > 100, name);
        assert.equal(new Set(each).size * 2, each.length, 'equal ones meet');
      }
    }
  });
});
