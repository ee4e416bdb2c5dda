import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Entry } from '../../src/core/queues/entry.ts';
import { IndexPager } from '../../src/core/queues/index-pager.ts';
import { PriorityLists } from '../../src/core/queues/priority-lists.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { ReadyList } from '../../src/core/queues/ready-list.ts';
import { ReturnedHeap } from '../../src/core/queues/returned-heap.ts';
import { forSeeds, type Random } from '../support/random.ts';

/** Only handed on to whoever renames references. */
const queue = {} as Queue;
const inMemory = new IndexPager(null, Infinity, null);

interface Item {
  sequence: number;
  ref: number;
  meta: number;
  bytes: number;
  expiryMillis: number;
}

const plain = (entry: Entry): Item => ({
  sequence: entry.sequence,
  ref: entry.ref,
  meta: entry.meta,
  bytes: entry.bytes,
  expiryMillis: entry.expiryMillis,
});

const entryOf = (item: Item): Entry => Object.assign(new Entry(), item);

/** The whole list as `forEach` shows it. */
function contents(list: { forEach(into: Entry, visit: (entry: Entry) => boolean): void }): Item[] {
  const items: Item[] = [];
  list.forEach(new Entry(), entry => {
    items.push(plain(entry));
    return true;
  });
  return items;
}

const newItem = (random: Random, ref: number): Omit<Item, 'sequence'> => ({
  ref,
  meta: random.uint32(),
  bytes: random.uint32(),
  expiryMillis: random.chance(0.3) ? random.between(1, 100) + 0.5 : 0,
});

test('a ready list does what an array sorted by place does, with puts back, removals and growth', () => {
  forSeeds(120, random => {
    const list = new ReadyList(inMemory);
    const entry = new Entry();
    let model: Item[] = [];
    const out: Item[] = [];
    let lastRef = 0;
    // Seeds lean one way or the other, so that some lists grow large and wrap around and others keep running empty.
    const weights = {
      push: random.between(2, 8),
      shift: random.between(2, 6),
      putBack: random.between(0, 3),
      remove: random.between(0, 2),
      burst: random.chance(0.2) ? 1 : 0,
      drain: random.chance(0.2) ? 1 : 0,
      limit: random.chance(0.2) ? 1 : 0,
      relocate: random.chance(0.2) ? 1 : 0,
    };
    const push = (): void => {
      const item = newItem(random, ++lastRef);
      const sequence = list.push(item.ref, item.meta, item.bytes, item.expiryMillis);
      model.push({ ...item, sequence });
    };
    const shift = (): void => {
      list.peek(entry);
      const peeked = plain(entry);
      list.shift(entry);
      const item = model.shift() as Item;
      assert.deepEqual(plain(entry), item);
      assert.deepEqual(peeked, item);
      out.push(item);
    };
    for (let step = 0; step < 250; step++) {
      const action = random.weighted(weights);
      if (action === 'push') push();
      else if (action === 'burst') for (let i = random.below(300); i > 0; i--) push();
      else if (action === 'shift' && model.length > 0) shift();
      else if (action === 'drain') while (model.length > 0) shift();
      else if (action === 'putBack' && out.length > 0) {
        const item = out.splice(random.below(out.length), 1)[0] as Item;
        list.putBack(entryOf(item));
        model.push(item);
        model.sort((a, b) => a.sequence - b.sequence);
      } else if (action === 'remove') {
        const sequence = random.chance(0.8) && model.length > 0 ? random.pick(model).sequence : random.between(0, lastRef + 2);
        const index = model.findIndex(item => item.sequence === sequence);
        assert.equal(list.remove(sequence, entry), index >= 0);
        if (index >= 0) {
          assert.deepEqual(plain(entry), model[index]);
          out.push(...model.splice(index, 1));
        }
      } else if (action === 'limit') {
        const limit = random.between(1, 120);
        list.limitExpiries(limit);
        for (const item of model) if (item.expiryMillis === 0 || item.expiryMillis > limit) item.expiryMillis = limit;
      } else if (action === 'relocate') {
        const offset = 1 + step;
        list.relocate(ref => ref + offset, queue, null);
        model = model.map(item => ({ ...item, ref: item.ref + offset }));
      }
      assert.equal(list.length, model.length);
      assert.equal(list.isEmpty, model.length === 0);
      if (step % 10 === 0) assert.deepEqual(contents(list), model);
    }
    assert.deepEqual(contents(list), model);
    while (model.length > 0) shift();
    assert.equal(list.isEmpty, true);
  });
});

test('forEach of a ready list stops when it is told', () => {
  forSeeds(20, random => {
    const list = new ReadyList(inMemory);
    const count = random.between(2, 50);
    for (let i = 1; i <= count; i++) list.push(i, 0, 0, 0);
    const entry = new Entry();
    list.shift(entry);
    list.putBack(entry);
    const stopAt = random.between(1, count);
    const seen: number[] = [];
    list.forEach(new Entry(), item => {
      seen.push(item.ref);
      return item.ref !== stopAt;
    });
    assert.deepEqual(
      seen,
      Array.from({ length: stopAt }, (_, i) => i + 1),
    );
  });
});

test('priority lists give the highest priority first and keep the order within one', () => {
  forSeeds(120, random => {
    const priorityMax = random.pick([0, 1, 4, 9, 255]);
    const lists = new PriorityLists(priorityMax, inMemory);
    const model: (Item & { level: number })[] = [];
    const out: (Item & { level: number })[] = [];
    const entry = new Entry();
    let lastRef = 0;
    let order = 0;
    const sorted = (): typeof model => model.sort((a, b) => b.level - a.level || a.sequence - b.sequence);
    for (let step = 0; step < 300; step++) {
      const action = random.weighted({ push: 5, shift: 4, putBack: 2, remove: 1 });
      if (action === 'push') {
        const priority = random.between(0, Math.min(255, priorityMax + 3));
        const item = newItem(random, ++lastRef);
        const meta = random.below(16);
        lists.push(item.ref, meta, item.bytes, item.expiryMillis, priority);
        const level = Math.min(priority, priorityMax);
        const sequence = ++order;
        model.push({ ...item, meta, sequence, level });
      } else if (action === 'shift' && model.length > 0) {
        lists.shift(entry);
        const item = sorted().shift() as Item & { level: number };
        assert.equal(entry.ref, item.ref);
        assert.equal(entry.sequence, item.sequence);
        assert.equal(entry.meta & 0xff, item.meta);
        out.push({ ...item, meta: entry.meta });
      } else if (action === 'putBack' && out.length > 0) {
        const item = out.splice(random.below(out.length), 1)[0] as Item & { level: number };
        lists.putBack(entryOf(item));
        model.push({ ...item, meta: item.meta & 0xff });
      } else if (action === 'remove' && model.length > 0) {
        const index = random.below(model.length);
        const item = model[index] as Item & { level: number };
        assert.equal(lists.remove(item.level, item.sequence, entry), true);
        assert.equal(entry.ref, item.ref);
        model.splice(index, 1);
        assert.equal(lists.remove(item.level, item.sequence, entry), false);
      }
      assert.equal(lists.length, model.length);
      assert.equal(lists.isEmpty, model.length === 0);
      if (model.some(item => item.expiryMillis !== 0)) assert.equal(lists.hasExpiries, true);
    }
    assert.deepEqual(
      contents(lists).map(item => item.ref),
      sorted().map(item => item.ref),
    );
    lists.limitExpiries(7);
    for (const item of contents(lists)) assert.ok(item.expiryMillis > 0 && item.expiryMillis <= 7);
    assert.ok(order >= model.length);
  });
});

test('a message keeps its own priority though its queue has fewer', () => {
  const lists = new PriorityLists(2, inMemory);
  lists.push(1, 0, 0, 0, 200);
  lists.push(2, 0, 0, 0, 2);
  const entry = new Entry();
  lists.shift(entry);
  assert.equal((entry.meta >> 8) & 0xff, 200);
  lists.putBack(entry);
  lists.shift(entry);
  assert.equal(entry.ref, 1);
});

test('the heap of returned messages gives the lowest place first', () => {
  forSeeds(60, random => {
    const heap = new ReturnedHeap();
    const model: Item[] = [];
    const entry = new Entry();
    const unused = random.shuffled(Array.from({ length: 200 }, (_, i) => i + 1));
    for (let step = 0; step < 200; step++) {
      const action = random.weighted({ push: 4, shift: 2, remove: 1, limit: 1 });
      if (action === 'push') {
        const item = { ...newItem(random, step + 1), sequence: unused.pop() as number };
        heap.push(entryOf(item));
        model.push(item);
        model.sort((a, b) => a.sequence - b.sequence);
      } else if (action === 'shift' && model.length > 0) {
        heap.peek(entry);
        assert.deepEqual(plain(entry), model[0]);
        heap.shift(entry);
        assert.deepEqual(plain(entry), model.shift());
      } else if (action === 'remove' && model.length > 0) {
        const item = random.pick(model);
        assert.equal(heap.remove(item.sequence, entry), true);
        assert.deepEqual(plain(entry), item);
        model.splice(model.indexOf(item), 1);
        assert.equal(heap.remove(item.sequence, entry), false);
      } else if (action === 'limit') {
        const limit = random.between(1, 100);
        heap.limitExpiries(limit);
        for (const item of model) if (item.expiryMillis === 0 || item.expiryMillis > limit) item.expiryMillis = limit;
      }
      assert.equal(heap.length, model.length);
    }
    const seen: Item[] = [];
    for (const item of heap.sorted()) seen.push(plain(Object.assign(new Entry(), item)));
    assert.deepEqual(seen, model);
    for (const item of model) {
      heap.shift(entry);
      assert.deepEqual(plain(entry), item);
    }
  });
});

test('messages that are restored in any order are in the order of their places, and new ones come behind them', () => {
  forSeeds(120, random => {
    const lists = new PriorityLists(random.pick([0, 3]), inMemory);
    const model: (Item & { level: number })[] = [];
    const entry = new Entry();
    const used = new Set<string>();
    for (let ref = 1; ref <= random.between(1, 120); ref++) {
      const level = random.between(0, lists.priorityMax);
      const sequence = random.chance(0.8) ? random.between(50, 120) : random.between(1, 3000);
      if (used.has(`${level} ${sequence}`)) continue;
      used.add(`${level} ${sequence}`);
      const item = { ...newItem(random, ref), sequence, level, meta: 0 };
      lists.restore(level, sequence, ref, 0, item.bytes, item.expiryMillis);
      model.push(item);
      if (!random.chance(0.2)) continue;
      // Settled later in the log.
      const settled = model.splice(random.below(model.length), 1)[0] as Item & { level: number };
      assert.equal(lists.remove(settled.level, settled.sequence, entry), true);
      assert.equal(entry.ref, settled.ref);
    }
    const last = (level: number): number => Math.max(0, ...model.filter(item => item.level === level).map(item => item.sequence));
    for (let i = 0; i < 5; i++) {
      const level = random.between(0, lists.priorityMax);
      const sequence = lists.push(1000 + i, 0, 1, 0, level);
      assert.ok(sequence > last(level), 'a new message came before an old one');
      model.push({ ref: 1000 + i, meta: 0, bytes: 1, expiryMillis: 0, sequence, level });
    }
    model.sort((a, b) => b.level - a.level || a.sequence - b.sequence);
    assert.equal(lists.length, model.length);
    for (const item of model) {
      lists.peek(entry);
      assert.equal(entry.ref, item.ref);
      lists.shift(entry);
      assert.deepEqual(
        [entry.ref, entry.sequence, entry.bytes, entry.expiryMillis],
        [item.ref, item.sequence, item.bytes, item.expiryMillis],
      );
    }
    assert.equal(lists.isEmpty, true);
  });
});
