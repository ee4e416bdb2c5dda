// The topic exchange's trie against the rule written down as plainly as it can be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteCollector } from '../../src/core/exchanges/route-collector.ts';
import { topic } from '../../src/core/exchanges/topic.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { CoreBroker } from '../support/core-broker.ts';
import { assertLinear } from '../support/growth.ts';
import { forSeeds, type Random } from '../support/random.ts';

function matches(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === '#') return matches(rest, words) || (words.length > 0 && matches(pattern, words.slice(1)));
  return words.length > 0 && (first === '*' || first === words[0]) && matches(rest, words.slice(1));
}

const split = (key: string): string[] => (key === '' ? [] : key.split('.'));

function key(random: Random, words: readonly string[]): string {
  return Array.from({ length: random.below(6) }, () => random.pick(words)).join('.');
}

const broker = new CoreBroker();
const queues = Array.from({ length: 8 }, (_, i) => broker.queue(`q${i}`));
const plainWords = ['a', 'b', 'ab', 'ba', '', 'a-long-word', 'aa', '\u00e9'];

test('a topic exchange routes as the rule says, under bindings that come and go at random', () => {
  forSeeds(200, random => {
    const routes = topic.create(new Map(), broker.vhost.home);
    assert.ok(routes.dependsOn === 'key');
    const bindings: { queue: Queue; key: string }[] = [];
    const out = new RouteCollector();
    for (let step = 0; step < 120; step++) {
      const action = random.weighted({ bind: 4, unbind: 3, route: 6 });
      if (action === 'bind') {
        const binding = { queue: random.pick(queues), key: key(random, [...plainWords, '*', '*', '#', '#']) };
        if (bindings.some(each => each.queue === binding.queue && each.key === binding.key)) continue;
        bindings.push(binding);
        routes.bind(binding.queue, binding.key, new Map());
      } else if (action === 'unbind') {
        if (bindings.length === 0) continue;
        const [binding] = bindings.splice(random.below(bindings.length), 1);
        if (binding !== undefined) routes.unbind(binding.queue, binding.key, new Map());
      } else {
        const routingKey = key(random, plainWords);
        out.reset();
        routes.route(routingKey, out);
        const routed = out.queues.slice(0, out.queueCount).map(queue => queue.name);
        const expected = bindings.filter(each => matches(split(each.key), split(routingKey))).map(each => each.queue.name);
        assert.deepEqual(
          routed.sort(),
          [...new Set(expected)].sort(),
          `${JSON.stringify(routingKey)} of ${JSON.stringify(bindings.map(each => each.key))}`,
        );
      }
    }
  });
});

test('hundreds of bindings are found among each other and leave nothing behind', () => {
  forSeeds(5, random => {
    const routes = topic.create(new Map(), broker.vhost.home);
    assert.ok(routes.dependsOn === 'key');
    const out = new RouteCollector();
    const routed = (routingKey: string): number => {
      out.reset();
      routes.route(routingKey, out);
      return out.queueCount;
    };
    const numbers = random.shuffled(Array.from({ length: 2000 }, (_, i) => i));
    for (const i of numbers) routes.bind(queues[i % 8] as Queue, `stock.*.${i}`, new Map());
    for (const i of numbers) assert.equal(routed(`stock.x.${i}`), 1);
    const [gone, kept] = [numbers.slice(0, 1500), numbers.slice(1500)];
    for (const i of gone) routes.unbind(queues[i % 8] as Queue, `stock.*.${i}`, new Map());
    for (const i of gone) assert.equal(routed(`stock.x.${i}`), 0);
    for (const i of kept) assert.equal(routed(`stock.x.${i}`), 1);
    for (const i of kept) routes.unbind(queues[i % 8] as Queue, `stock.*.${i}`, new Map());
    assert.equal(routed('stock.x.1'), 0);
  });
});

test('hostile patterns cost no more than their length times the length of the key', () => {
  const routes = topic.create(new Map(), broker.vhost.home);
  assert.ok(routes.dependsOn === 'key');
  const patterns = [
    '#.#.#.#.#.#.#.#.x',
    `${'#.a.'.repeat(40)}x`,
    `${'*.#.'.repeat(50)}x`,
    `${'#.*.'.repeat(50)}#`,
    `${'a.#.'.repeat(60)}a`,
  ];
  patterns.forEach((pattern, i) => routes.bind(queues[i] as Queue, pattern, new Map()));
  const out = new RouteCollector();
  const route = (words: number): number => {
    out.reset();
    routes.route(`${'a.'.repeat(words)}a`, out);
    return out.queueCount;
  };
  assert.equal(route(127), 2);
  assertLinear('words of the key', 127, words => {
    for (let i = 0; i < 10; i++) route(words);
  });
});
