// What every exchange type has to do, whatever its rule. Played in a virtual host, since that is where types live.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FieldTable } from '../../src/base/field-table.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { CoreBroker, type TestMessage } from '../support/core-broker.ts';

export interface ExchangeTypeContract {
  /** The type's name. */
  readonly type: string;
  readonly arguments?: FieldTable;
  /** A binding that messages made by `message` fit; the i-th of any number of different ones. */
  binding(i: number): { readonly key: string; readonly arguments?: FieldTable };
  /** A message that fits every binding of `binding`; the i-th of any number of different ones. */
  message(i: number): Omit<TestMessage, 'exchange' | 'body'>;
  /** Whether every queue with a fitting binding gets the message, or one of them. */
  readonly fansOut: boolean;
  /** Tests that the type cannot pass, with the reason. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

export function run(contract: ExchangeTypeContract): void {
  const make = (): {
    broker: CoreBroker;
    queues: Queue[];
    bind: (queue: Queue, i: number) => void;
    unbind: (queue: Queue, i: number) => void;
  } => {
    const broker = new CoreBroker();
    broker.exchange('x', contract.type, contract.arguments);
    const queues = ['q0', 'q1', 'q2'].map(name => broker.queue(name));
    const call = (what: 'bind' | 'unbind') => (queue: Queue, i: number) => {
      const { key, arguments: args } = contract.binding(i);
      broker[what]('x', queue, key, args);
    };
    return { broker, queues, bind: call('bind'), unbind: call('unbind') };
  };
  const publish = (broker: CoreBroker, i = 0): number => broker.publish({ exchange: 'x', body: String(i), ...contract.message(i) });
  const [first, second] = [0, 1] as const;

  const tests: Record<string, () => void> = {
    'without bindings nothing is routed'() {
      const { broker } = make();
      assert.equal(publish(broker), 0);
    },

    'a bound queue gets the message, once, as long as it is bound'() {
      const { broker, queues, bind, unbind } = make();
      const queue = queues[0] as Queue;
      bind(queue, first);
      assert.equal(publish(broker, 1), 1);
      assert.equal(publish(broker, 2), 1);
      assert.deepEqual(broker.take(queue), ['1', '2']);
      unbind(queue, first);
      assert.equal(publish(broker, 3), 0);
      assert.deepEqual(broker.take(queue), []);
    },

    'two bindings to a queue make no two messages, and each holds without the other'() {
      const { broker, queues, bind, unbind } = make();
      const queue = queues[0] as Queue;
      bind(queue, first);
      bind(queue, second);
      assert.equal(publish(broker, 1), 1);
      unbind(queue, first);
      assert.equal(publish(broker, 2), 1);
      unbind(queue, second);
      assert.equal(publish(broker, 3), 0);
      assert.deepEqual(broker.take(queue), ['1', '2']);
    },

    'of several queues all get the message, or one, as the type has it'() {
      const { broker, queues, bind } = make();
      for (const queue of queues) bind(queue, first);
      for (let i = 0; i < 20; i++) assert.equal(publish(broker, i), contract.fansOut ? 3 : 1);
      assert.equal(queues.flatMap(queue => broker.take(queue)).length, contract.fansOut ? 60 : 20);
    },

    'what was never bound can be unbound'() {
      const { broker, queues, bind, unbind } = make();
      bind(queues[0] as Queue, first);
      const { routes } = broker.vhost.exchanges.get('x') ?? assert.fail();
      const { key, arguments: args = new Map() } = contract.binding(first);
      routes.unbind(queues[1] as Queue, key, args);
      unbind(queues[1] as Queue, first);
      assert.equal(publish(broker), 1);
    },

    'a queue that is deleted is forgotten'() {
      const { broker, queues, bind } = make();
      bind(queues[0] as Queue, first);
      broker.vhost.removeQueue(queues[0] as Queue);
      assert.equal(publish(broker), 0);
      assert.equal(broker.vhost.exchanges.get('x')?.bindings.size, 0);
    },

    'a message with several routing keys reaches each queue once'() {
      const { broker, queues, bind } = make();
      for (const queue of queues) bind(queue, first);
      const { key = '' } = contract.message(0);
      broker.publish({ exchange: 'x', ...contract.message(0), copies: [key, key], body: 'b' });
      for (const queue of queues) assert.ok(broker.take(queue).length <= 1);
    },

    'an exchange can be bound, and passes on'() {
      const { broker, queues } = make();
      const next = broker.exchange('next', 'fanout');
      const { key, arguments: args } = contract.binding(first);
      broker.bind('x', next, key, args);
      broker.bind('next', queues[0] as Queue);
      assert.equal(publish(broker, 7), 1);
      assert.deepEqual(broker.take(queues[0] as Queue), ['7']);
      broker.vhost.removeExchange(next);
      assert.equal(publish(broker), 0);
    },

    'a message comes by another exchange as well'() {
      const { broker, queues, bind } = make();
      broker.exchange('before', 'fanout');
      broker.bind('before', broker.vhost.exchanges.get('x') ?? assert.fail());
      bind(queues[0] as Queue, first);
      assert.equal(broker.publish({ ...contract.message(0), exchange: 'before', body: 'a' }), 1);
      assert.deepEqual(broker.take(queues[0] as Queue), ['a']);
    },

    'a circle of exchanges ends'() {
      const { broker, queues, bind } = make();
      const next = broker.exchange('next', 'fanout');
      const { key, arguments: args } = contract.binding(first);
      broker.bind('x', next, key, args);
      broker.bind('next', broker.vhost.exchanges.get('x') ?? assert.fail());
      broker.bind('next', queues[0] as Queue);
      bind(queues[1] as Queue, first);
      const routed = publish(broker);
      assert.ok(routed >= (contract.fansOut ? 2 : 0) && routed <= 2);
    },

    'the alternate exchange gets what is not routed, and nothing else'() {
      const { broker, queues, bind } = make();
      broker.exchange('ae', 'fanout');
      broker.bind('ae', queues[1] as Queue);
      const exchange = broker.vhost.exchanges.get('x') ?? assert.fail();
      exchange.alternate = 'ae';
      assert.equal(publish(broker, 1), 1);
      bind(queues[0] as Queue, first);
      assert.equal(publish(broker, 2), 1);
      assert.deepEqual(broker.take(queues[1] as Queue), ['1']);
      assert.deepEqual(broker.take(queues[0] as Queue), ['2']);
    },

    'a route by key is remembered until a binding changes; others are not'() {
      const { broker, queues, bind, unbind } = make();
      const exchange = broker.vhost.exchanges.get('x') ?? assert.fail();
      const { key = '' } = contract.message(0);
      bind(queues[0] as Queue, first);
      const before = broker.vhost.router.remembered(exchange, key);
      if (exchange.routes.dependsOn === 'message' || exchange.stages.length > 0) {
        assert.equal(before, null);
        return;
      }
      assert.deepEqual(before?.queues, [queues[0]]);
      assert.equal(broker.vhost.router.remembered(exchange, key), before);
      unbind(queues[0] as Queue, first);
      assert.deepEqual(broker.vhost.router.remembered(exchange, key)?.queues, []);
    },

    'hundreds of bindings come and go without a trace'() {
      const { broker, queues, bind, unbind } = make();
      for (let i = 0; i < 300; i++) bind(queues[i % 3] as Queue, i);
      assert.ok(publish(broker) >= 1);
      for (let i = 299; i >= 0; i--) unbind(queues[i % 3] as Queue, i);
      assert.equal(publish(broker), 0);
    },

    'strange routing keys and headers harm nobody'() {
      const { broker, queues, bind } = make();
      bind(queues[0] as Queue, first);
      const keys = ['', '.', '..', '#', '*', '#.#.#.#.x', 'a'.repeat(255), '\u0000', '\u{1F407}', '__proto__', 'constructor', '*.#.'];
      for (const key of keys) {
        const headers: FieldTable = new Map([
          ['__proto__', { type: 'V', value: null }],
          ['x-delay', { type: 'V', value: null }],
        ]);
        assert.doesNotThrow(() => broker.publish({ exchange: 'x', key, properties: { headers } }));
        assert.doesNotThrow(() => broker.publish({ exchange: 'x', key }));
      }
    },
  };

  describe(`exchange type ${contract.type}`, () => {
    for (const [name, body] of Object.entries(tests)) {
      const skipped = contract.skip?.find(each => each.tests.includes(name));
      test(name, { skip: skipped?.reason ?? false }, body);
    }
    test('skips name tests that exist', () => {
      for (const { tests: names } of contract.skip ?? []) for (const name of names) assert.ok(Object.hasOwn(tests, name), name);
    });
  });
}
