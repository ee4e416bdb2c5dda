import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Consumer } from '../../src/core/consumer.ts';
import { Entry } from '../../src/core/queues/entry.ts';
import { UnackedRing } from '../../src/core/unacked-ring.ts';
import { forSeeds } from '../support/random.ts';

/** The ring only keeps the consumer; it never looks into it. */
const consumers = Array.from({ length: 3 }, (_, i) => ({ number: i }) as unknown as Consumer);

interface Item {
  readonly consumer: Consumer;
  readonly entry: Entry;
  readonly deliveredMillis: number;
}

const copyOf = (entry: Entry): Entry => Object.assign(new Entry(), entry);

function someEntry(ref: number): Entry {
  return Object.assign(new Entry(), { ref, meta: ref * 3, bytes: ref * 5, sequence: ref * 7, expiryMillis: ref / 2 });
}

function check(ring: UnackedRing, model: Map<number, Item>): void {
  const tags = [...model.keys()].sort((a, b) => a - b);
  assert.equal(ring.count, tags.length);
  assert.equal(ring.firstTag, tags[0] ?? 0);
  assert.equal(ring.oldestDeliveredMillis, tags.length === 0 ? Infinity : model.get(tags[0] as number)?.deliveredMillis);
}

function checkAll(ring: UnackedRing, model: Map<number, Item>): void {
  const seen: [number, Consumer, Entry, number][] = [];
  ring.forEach((tag, consumer, entry, deliveredMillis) => seen.push([tag, consumer, copyOf(entry), deliveredMillis]));
  const expected = [...model].sort(([a], [b]) => a - b).map(([tag, item]) => [tag, item.consumer, item.entry, item.deliveredMillis]);
  assert.deepEqual(seen, expected);
}

test('the ring of unacknowledged deliveries does what a map by tag does, with holes, stragglers and growth', () => {
  forSeeds(60, random => {
    const ring = new UnackedRing();
    const model = new Map<number, Item>();
    const taken: [number, Item][] = [];
    const into = new Entry();
    let tag = 0;
    let now = 0;
    const weights = {
      push: random.between(3, 8),
      burst: random.between(0, 2),
      hole: random.between(0, 3),
      ack: random.between(2, 6),
      through: random.between(0, 2),
      // Most of them at once but not the first: they become stragglers when more traffic comes.
      mostly: random.between(0, 1),
      restore: random.between(0, 2),
      unknown: 1,
      relocate: 1,
    };
    const push = (): void => {
      const item = { consumer: random.pick(consumers), entry: someEntry(++tag), deliveredMillis: (now += 1) };
      ring.push(tag, item.consumer, item.entry, item.deliveredMillis);
      model.set(tag, item);
    };
    const take = (wanted: number): void => {
      const item = model.get(wanted);
      assert.equal(ring.has(wanted), item !== undefined);
      const consumer = ring.take(wanted, into);
      assert.equal(consumer, item?.consumer ?? null);
      if (item === undefined) return;
      assert.deepEqual(into, item.entry);
      model.delete(wanted);
      if (taken.length < 50) taken.push([wanted, item]);
    };
    for (let step = 0; step < 150; step++) {
      const action = random.weighted(weights);
      const tags = [...model.keys()].sort((a, b) => a - b);
      if (action === 'push') push();
      else if (action === 'burst') for (let i = random.below(1500); i > 0; i--) push();
      else if (action === 'hole') tag += random.chance(0.05) ? random.below(3000) : random.below(4);
      else if (action === 'ack' && tags.length > 0) take(random.pick(tags));
      else if (action === 'through' && tags.length > 0) {
        const last = random.pick(tags);
        for (let first = ring.firstTag; first !== 0 && first <= last; first = ring.firstTag) take(first);
        assert.ok(tags.every(each => each > last || !ring.has(each)));
      } else if (action === 'mostly') {
        const kept = new Set(tags.slice(0, random.below(5)));
        for (const each of tags) if (!kept.has(each)) take(each);
      } else if (action === 'restore' && taken.length > 0) {
        const [old, item] = taken.splice(random.below(taken.length), 1)[0] as [number, Item];
        ring.restore([{ tag: old, ...item, entry: Object.assign(new Entry(), item.entry) }]);
        model.set(old, item);
      } else if (action === 'unknown') {
        const unknown = random.pick([0, -1, tag + 1, tag + 100_000, 2 ** 53, Math.max(1, tag - random.below(tag + 1))]);
        if (!model.has(unknown)) take(unknown);
      } else if (action === 'relocate') {
        ring.relocate(ref => ref + 1);
        for (const [each, item] of model)
          model.set(each, { ...item, entry: Object.assign(new Entry(), item.entry, { ref: item.entry.ref + 1 }) });
        for (const each of taken) each[1] = { ...each[1] };
      }
      check(ring, model);
    }
    checkAll(ring, model);
    for (const each of Array.from(model.keys())) take(each);
    check(ring, model);
  });
});

test('a delivery that stays while a million others come and go does not make the ring grow', () => {
  const ring = new UnackedRing();
  const consumer = consumers[0] as Consumer;
  const into = new Entry();
  ring.push(1, consumer, someEntry(1), 1);
  const before = process.memoryUsage().arrayBuffers;
  for (let tag = 2; tag <= 1_000_000; tag++) {
    ring.push(tag, consumer, someEntry(tag), tag);
    assert.equal(ring.take(tag, into), consumer);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 4_000_000, 'the ring has grown with the traffic');
  assert.equal(ring.count, 1);
  assert.equal(ring.firstTag, 1);
  assert.equal(ring.take(1, into), consumer);
  assert.equal(into.ref, 1);
});
