import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bool, type Field, type FieldTable, int, long, longstr, sameField, voidField } from '../../src/base/field-table.ts';
import { brokerActor } from '../../src/core/actor.ts';
import type { Exchange } from '../../src/core/exchanges/exchange.ts';
import { limits } from '../../src/core/limits.ts';
import { Publication } from '../../src/core/messages/publication.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import type { Topology } from '../../src/core/topology/topology.ts';
import type { Vhost } from '../../src/core/vhost.ts';
import { assertLinear } from '../support/growth.ts';
import { forSeeds, type Random } from '../support/random.ts';
import { SimBroker } from '../support/sim-broker.ts';

const none: FieldTable = new Map();

class World {
  readonly broker = new SimBroker();
  readonly vhost: Vhost = this.broker.core.vhosts.get('/') as Vhost;
  readonly topology: Topology = this.broker.core.topology;

  queue(name: string): Queue {
    return this.topology.declareQueue(
      this.vhost,
      { name, isDurable: false, owner: null, isAutoDelete: false, arguments: none },
      brokerActor,
    );
  }

  exchange(name: string, type: string, alternate?: string, isAutoDelete = false): Exchange {
    const args = alternate === undefined ? none : new Map([['alternate-exchange', longstr(alternate)]]);
    return this.topology.declareExchange(
      this.vhost,
      type,
      { name, isDurable: false, isAutoDelete, isInternal: false, arguments: args },
      brokerActor,
    );
  }

  bind(source: string, kind: 'queue' | 'exchange', destination: string, key: string, args: FieldTable = none): void {
    this.topology.bind(this.vhost, source, kind, destination, key, args, brokerActor);
  }

  unbind(source: string, kind: 'queue' | 'exchange', destination: string, key: string, args: FieldTable = none): void {
    this.topology.unbind(this.vhost, source, kind, destination, key, args, brokerActor);
  }

  route(exchange: string, key: string, headers: FieldTable | null = null): string[] {
    const route = this.vhost.router.route(this.vhost.exchanges.get(exchange) as Exchange, [key], new Publication(), headers);
    const names = route.queues.map(queue => queue.name);
    assert.equal(new Set(names).size, names.length, 'a queue is in the route twice');
    return names.sort();
  }
}

/** The specification, word by word: `*` is one word, `#` any number of them. */
function topicFits(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === '#') return topicFits(rest, words) || (words.length > 0 && topicFits(pattern, words.slice(1)));
  return words.length > 0 && (first === '*' || first === words[0]) && topicFits(rest, words.slice(1));
}

const wordsOf = (key: string): string[] => (key === '' ? [] : key.split('.'));

function someKey(random: Random, words: readonly string[]): string {
  return Array.from({ length: random.between(0, 6) }, () => random.pick(words)).join('.');
}

test('a topic exchange matches as the specification says, word by word', () => {
  forSeeds(80, random => {
    const world = new World();
    const bindings = new Map<string, Set<string>>();
    const queues = Array.from({ length: 6 }, (_, i) => world.queue(`q${i}`).name);
    for (const queue of queues) bindings.set(queue, new Set());
    for (let step = 0; step < 60; step++) {
      const queue = random.pick(queues);
      const pattern = someKey(random, ['a', 'b', 'c', '*', '#', '#', '']);
      const own = bindings.get(queue) as Set<string>;
      if (random.chance(0.75)) {
        world.bind('amq.topic', 'queue', queue, pattern);
        own.add(pattern);
      } else {
        const gone = own.size > 0 && random.chance(0.8) ? random.pick([...own]) : pattern;
        world.unbind('amq.topic', 'queue', queue, gone);
        own.delete(gone);
      }
      for (let i = 0; i < 6; i++) {
        const key = someKey(random, ['a', 'b', 'c', 'd', '', '#', '*']);
        const expected = queues.filter(each =>
          [...(bindings.get(each) as Set<string>)].some(each => topicFits(wordsOf(each), wordsOf(key))),
        );
        assert.deepEqual(world.route('amq.topic', key), expected.sort(), `key '${key}'`);
      }
    }
    for (const [queue, patterns] of bindings) for (const pattern of patterns) world.unbind('amq.topic', 'queue', queue, pattern);
    assert.deepEqual(world.route('amq.topic', 'a.b'), []);
  });
});

test('binding keys made to be slow cost no more than their length times the key’s', () => {
  const world = new World();
  world.queue('q');
  const hashes = Array.from({ length: 60 }, () => '#');
  world.bind('amq.topic', 'queue', 'q', [...hashes, 'x'].join('.'));
  world.bind('amq.topic', 'queue', 'q', Array.from({ length: 60 }, () => '#.*').join('.'));
  world.bind('amq.topic', 'queue', 'q', `${Array.from({ length: 60 }, () => '*.#').join('.')}.x`);
  for (let i = 0; i < 1000; i++) world.bind('amq.topic', 'queue', 'q', `#.a.#.${i % 7}.#.b.*.${i}`);
  const keyOf = (words: number): string => Array.from({ length: words }, (_, i) => (i % 2 === 0 ? 'a' : 'b')).join('.');
  const key = keyOf(127);
  assertLinear('words of the key', 127, words => {
    for (let i = 0; i < 20; i++) world.route('amq.topic', `${keyOf(words)}.${i}`);
  });
  assert.deepEqual(world.route('amq.topic', `${key}.x`), ['q']);
});

const matchTable: readonly [name: string, args: [string, Field][], headers: [string, Field][], fits: boolean][] = [
  ['all is the default', [['a', int(1)]], [['a', int(1)]], true],
  [
    'all with one missing',
    [
      ['x-match', longstr('all')],
      ['a', int(1)],
      ['b', int(2)],
    ],
    [['a', int(1)]],
    false,
  ],
  [
    'all with another value',
    [
      ['x-match', longstr('all')],
      ['a', int(1)],
    ],
    [['a', int(2)]],
    false,
  ],
  [
    'all with more headers than asked',
    [
      ['x-match', longstr('all')],
      ['a', int(1)],
    ],
    [
      ['a', int(1)],
      ['z', int(9)],
    ],
    true,
  ],
  ['all of nothing', [['x-match', longstr('all')]], [], true],
  ['any of nothing', [['x-match', longstr('any')]], [['a', int(1)]], false],
  [
    'any with one of two',
    [
      ['x-match', longstr('any')],
      ['a', int(1)],
      ['b', int(2)],
    ],
    [['b', int(2)]],
    true,
  ],
  [
    'any with none',
    [
      ['x-match', longstr('any')],
      ['a', int(1)],
    ],
    [['b', int(1)]],
    false,
  ],
  [
    'all passes over x- headers',
    [
      ['x-match', longstr('all')],
      ['x-a', int(1)],
      ['b', int(2)],
    ],
    [['b', int(2)]],
    true,
  ],
  [
    'any passes over x- headers',
    [
      ['x-match', longstr('any')],
      ['x-a', int(1)],
    ],
    [['x-a', int(1)]],
    false,
  ],
  [
    'all-with-x asks for x- headers',
    [
      ['x-match', longstr('all-with-x')],
      ['x-a', int(1)],
    ],
    [],
    false,
  ],
  [
    'all-with-x finds x- headers',
    [
      ['x-match', longstr('all-with-x')],
      ['x-a', int(1)],
    ],
    [['x-a', int(1)]],
    true,
  ],
  [
    'any-with-x finds x- headers',
    [
      ['x-match', longstr('any-with-x')],
      ['x-a', int(1)],
      ['b', int(3)],
    ],
    [['x-a', int(1)]],
    true,
  ],
  ['any-with-x never means x-match itself', [['x-match', longstr('any-with-x')]], [['x-match', longstr('any-with-x')]], false],
  ['a void asks for presence only', [['a', voidField]], [['a', longstr('whatever')]], true],
  ['a void and nothing there', [['a', voidField]], [['b', int(1)]], false],
  ['integers of different widths are equal', [['a', int(5)]], [['a', long(5)]], true],
  ['a number is no text', [['a', int(5)]], [['a', longstr('5')]], false],
  ['a truth is no number', [['a', bool(true)]], [['a', int(1)]], false],
  ['a name from every object is only a name', [['__proto__', int(1)]], [], false],
  ['no headers at all', [['constructor', voidField]], [], false],
];

test('a headers exchange matches as x-match says', () => {
  for (const [name, args, headers, fits] of matchTable) {
    const world = new World();
    world.queue('q');
    world.bind('amq.headers', 'queue', 'q', '', new Map(args));
    assert.deepEqual(world.route('amq.headers', 'k', new Map(headers)), fits ? ['q'] : [], name);
    world.unbind('amq.headers', 'queue', 'q', '', new Map(args));
    assert.deepEqual(world.route('amq.headers', 'k', new Map(headers)), [], `${name}, unbound`);
  }
});

interface ModelBinding {
  readonly source: string;
  readonly kind: 'queue' | 'exchange';
  readonly destination: string;
  readonly key: string;
  readonly args: FieldTable;
}

/** Routing as one would do it by hand: follow everything, look at each exchange once. */
function naiveRoute(
  exchanges: ReadonlyMap<string, { type: string; alternate: string | null }>,
  bindings: readonly ModelBinding[],
  start: string,
  key: string,
  headers: FieldTable,
): string[] {
  const queues = new Set<string>();
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const exchange = exchanges.get(name);
    if (exchange === undefined || seen.has(name)) return;
    seen.add(name);
    const fitting = bindings.filter(binding => {
      if (binding.source !== name) return false;
      if (exchange.type === 'direct') return binding.key === key;
      if (exchange.type === 'topic') return topicFits(wordsOf(binding.key), wordsOf(key));
      if (exchange.type === 'fanout') return true;
      return [...binding.args].every(([field, value]) => {
        const header = headers.get(field);
        return header !== undefined && sameField(value, header);
      });
    });
    for (const { kind, destination } of fitting) {
      if (kind === 'queue') queues.add(destination);
      else visit(destination);
    }
    if (fitting.length === 0 && exchange.alternate !== null) visit(exchange.alternate);
  };
  visit(start);
  return [...queues].sort();
}

test('bindings between exchanges, cycles, alternate exchanges and remembered routes: as by hand, while the topology changes', () => {
  forSeeds(120, random => {
    const world = new World();
    const names = ['e0', 'e1', 'e2', 'e3', 'e4'];
    const exchanges = new Map<string, { type: string; alternate: string | null }>();
    for (const name of names) {
      const alternate = random.chance(0.4) ? random.pick([...names, 'missing']) : null;
      exchanges.set(name, { type: random.pick(['direct', 'fanout', 'topic', 'headers']), alternate });
      world.exchange(name, exchanges.get(name)?.type as string, alternate ?? undefined);
    }
    const queues = ['q0', 'q1', 'q2', 'q3'];
    for (const queue of queues) world.queue(queue);
    let bindings: ModelBinding[] = [];
    const same = (a: ModelBinding, b: ModelBinding): boolean =>
      a.source === b.source && a.kind === b.kind && a.destination === b.destination && a.key === b.key && a.args.size === b.args.size;
    for (let step = 0; step < 80; step++) {
      const action = random.weighted({ bind: 6, unbind: 3, deleteQueue: 1, deleteExchange: 0.2 * 5, route: 6 });
      if (action === 'bind') {
        const kind = random.pick(['queue', 'queue', 'exchange'] as const);
        const args: FieldTable = random.chance(0.3) ? new Map([['h', int(1)]]) : none;
        const binding = {
          source: random.pick(names),
          kind,
          destination: random.pick(kind === 'queue' ? queues : names),
          key: random.pick(['', 'a', 'b', 'a.b', '#']),
          args,
        };
        const isThere = exchanges.has(binding.source) && (kind === 'queue' ? world.vhost.queues : exchanges).has(binding.destination);
        if (!isThere) {
          assert.throws(() => world.bind(binding.source, kind, binding.destination, binding.key, args), /NOT_FOUND/);
        } else {
          world.bind(binding.source, kind, binding.destination, binding.key, args);
          if (!bindings.some(each => same(each, binding))) bindings.push(binding);
        }
      } else if (action === 'unbind' && bindings.length > 0) {
        const gone = random.pick(bindings);
        world.unbind(gone.source, gone.kind, gone.destination, gone.key, gone.args);
        bindings = bindings.filter(each => each !== gone);
      } else if (action === 'deleteQueue') {
        const queue = random.pick(queues);
        world.topology.deleteQueue(world.vhost, queue, { ifUnused: false, ifEmpty: false }, brokerActor);
        bindings = bindings.filter(each => each.kind !== 'queue' || each.destination !== queue);
        if (random.chance(0.7)) world.queue(queue);
      } else if (action === 'deleteExchange' && exchanges.size > 2) {
        const name = random.pick([...exchanges.keys()]);
        world.topology.deleteExchange(world.vhost, name, false, brokerActor);
        exchanges.delete(name);
        bindings = bindings.filter(each => each.source !== name && (each.kind !== 'exchange' || each.destination !== name));
      }
      for (let i = 0; i < 4; i++) {
        const start = random.pick([...exchanges.keys()]);
        const key = random.pick(['', 'a', 'b', 'a.b', 'c']);
        const headers: FieldTable = random.chance(0.5) ? new Map([['h', int(1)]]) : none;
        assert.deepEqual(world.route(start, key, headers), naiveRoute(exchanges, bindings, start, key, headers));
      }
      const incoming = [...exchanges.keys()].reduce((sum, name) => sum + (world.vhost.exchanges.get(name)?.bindings.size ?? 0), 0);
      assert.equal(incoming, bindings.length);
    }
  });
});

test('names that contain what separates them elsewhere stay apart', () => {
  const world = new World();
  world.queue('a');
  world.queue('a\0b');
  world.bind('amq.direct', 'queue', 'a\0b', 'c');
  world.bind('amq.direct', 'queue', 'a', 'b\0c');
  assert.deepEqual(world.route('amq.direct', 'c'), ['a\0b']);
  assert.deepEqual(world.route('amq.direct', 'b\0c'), ['a']);
  world.unbind('amq.direct', 'queue', 'a', 'b\0c');
  assert.deepEqual(world.route('amq.direct', 'c'), ['a\0b']);
});

test('a chain of 30,000 auto-delete exchanges goes with the queue at its end', () => {
  const world = new World();
  const count = 30_000;
  world.queue('q');
  for (let i = 0; i < count; i++) world.exchange(`e${i}`, 'fanout', undefined, true);
  for (let i = 0; i + 1 < count; i++) world.bind(`e${i}`, 'exchange', `e${i + 1}`, '');
  world.bind(`e${count - 1}`, 'queue', 'q', '');
  // A message stops on the way, after as many exchanges as one may pass.
  assert.deepEqual(world.route(`e${count - limits.routeHopsMax}`, ''), ['q']);
  assert.deepEqual(world.route(`e${count - limits.routeHopsMax - 1}`, ''), []);
  world.topology.deleteQueue(world.vhost, 'q', { ifUnused: false, ifEmpty: false }, brokerActor);
  assert.equal([...world.vhost.exchanges.keys()].filter(name => name.startsWith('e')).length, 0);
});

test('an exchange remembers a limited number of routes', () => {
  const world = new World();
  world.queue('q');
  world.bind('amq.topic', 'queue', 'q', '#');
  for (let i = 0; i < limits.routeCacheMax * 2; i++) assert.deepEqual(world.route('amq.topic', `key.${i}`), ['q']);
  assert.ok((world.vhost.exchanges.get('amq.topic') as Exchange).cache.size <= limits.routeCacheMax);
});
