// Long lists of several priorities, whose messages' numbers are their own in the whole queue, beside a plain model; in memory and on a disk.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Entry } from '../../src/core/queues/entry.ts';
import { IndexPager } from '../../src/core/queues/index-pager.ts';
import { PriorityLists } from '../../src/core/queues/priority-lists.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { FakeIndexPages } from '../support/fake-index-pages.ts';
import { Random } from '../support/random.ts';

const blockPlaces = 16;
const priorityMax = 2;

interface Item {
  readonly level: number;
  readonly sequence: number;
  readonly ref: number;
  readonly expiryMillis: number;
}

const byOrder = (a: Item, b: Item): number => b.level - a.level || a.sequence - b.sequence;

for (const bytesMax of [0, Infinity]) {
  test(`long lists of several priorities do what an array does, with ${bytesMax} bytes of memory`, () => {
    let written = 0;
    for (let seed = 1; seed <= 6; seed++) {
      const random = new Random(seed);
      const pages = new FakeIndexPages(random);
      const pager = new IndexPager(bytesMax === Infinity ? null : pages, bytesMax, null, blockPlaces);
      const lists = new PriorityLists(priorityMax, pager);
      const entry = new Entry();
      let model: Item[] = [];
      const out: Item[] = [];
      let lastRef = 0;
      const isItem = (item: Item): void =>
        assert.deepEqual([entry.sequence, entry.ref, entry.expiryMillis], [item.sequence, item.ref, item.expiryMillis]);
      const take = (item: Item): void => {
        isItem(item);
        if (random.chance(0.2)) out.push(item);
      };
      for (let round = 0; round < 60; round++) {
        for (let count = random.below(600); count > 0; count--) {
          const level = random.weighted({ 0: 6, 1: 3, 2: 1 });
          const expiryMillis = random.chance(0.05) ? round + 1 : 0;
          const ref = ++lastRef;
          model.push({ level: Number(level), sequence: lists.push(ref, 0, ref, expiryMillis, Number(level)), ref, expiryMillis });
        }
        model.sort(byOrder);
        for (const item of model.splice(0, random.below(500))) {
          lists.shift(entry);
          take(item);
        }
        for (let count = random.below(20); count > 0 && model.length > 0; count--) {
          const [item] = model.splice(random.below(model.length), 1) as [Item];
          assert.equal(lists.remove(item.level, item.sequence, entry), true);
          take(item);
          assert.equal(lists.remove(item.level, item.sequence, entry), false);
        }
        if (random.chance(0.5)) {
          for (const item of out.splice(0)) {
            const { ref, sequence, expiryMillis } = item;
            lists.putBack({ ref, meta: item.level << 8, bytes: ref, sequence, expiryMillis });
            model.push(item);
          }
          model.sort(byOrder);
        }
        if (random.chance(0.2)) {
          lists.relocate(
            (ref, _owner, _meta, sequence) => {
              assert.ok(model.some(item => item.sequence === sequence && item.ref === ref) || round % 10 !== 0);
              return ref + 1_000_000;
            },
            {} as Queue,
            null,
          );
          model = model.map(item => ({ ...item, ref: item.ref + 1_000_000 }));
        }
        for (let steps = random.below(20); steps > 0; steps--) pages.step();
        assert.equal(lists.length, model.length);
        const seen: [number, number][] = [];
        lists.forEach(entry, ({ sequence, ref }) => seen.push([sequence, ref]) > 0);
        const skip = random.below(seen.length + 2);
        const behind: [number, number][] = [];
        lists.forEach(entry, ({ sequence, ref }) => behind.push([sequence, ref]) > 0, skip);
        assert.deepEqual(behind, seen.slice(skip));
        assert.deepEqual(
          seen,
          model.map(({ sequence, ref }) => [sequence, ref]),
        );
      }
      // As a change of shape does: by their numbers.
      for (const item of model.toSorted((a, b) => a.sequence - b.sequence)) {
        lists.shiftOldest(entry);
        isItem(item);
      }
      pages.settle();
      assert.equal(lists.isEmpty, true);
      assert.equal(pages.images.size, 0);
      written += pager.writtenTotal;
    }
    assert.equal(written > 500, bytesMax === 0);
  });
}
