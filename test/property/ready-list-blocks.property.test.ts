// A list that is long enough for blocks, beside a plain model: all in memory, and with hardly any memory and a disk that takes its time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Entry } from '../../src/core/queues/entry.ts';
import { IndexPager } from '../../src/core/queues/index-pager.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { ReadyList } from '../../src/core/queues/ready-list.ts';
import { FakeIndexPages } from '../support/fake-index-pages.ts';
import { Random } from '../support/random.ts';

const blockPlaces = 32;

interface Kept {
  readonly sequence: number;
  readonly ref: number;
  /** Stands for all that is known of a message and never changes. */
  readonly bytes: number;
  readonly expiryMillis: number;
}

/** Slabs as messages have them: a few in a row in each. */
const refOf = (count: number): number => (((count >> 4) % 300) + 1) * 65_536 + (count & 0xffff);

class World {
  readonly random: Random;
  readonly pages: FakeIndexPages;
  readonly pager: IndexPager;
  readonly list: ReadyList;
  /** Ready, by sequence number. */
  kept: Kept[] = [];
  readonly away: Kept[] = [];
  #count = 0;

  constructor(random: Random, pages: FakeIndexPages, pager: IndexPager) {
    this.random = random;
    this.pages = pages;
    this.pager = pager;
    this.list = new ReadyList(pager);
  }

  push(count: number): void {
    for (let i = 0; i < count; i++) {
      const ref = refOf(++this.#count);
      const expiryMillis = this.random.below(40) === 0 ? this.#count * 2 : 0;
      const sequence = this.list.push(ref, this.#count % 7, this.#count, expiryMillis);
      this.kept.push({ sequence, ref, bytes: this.#count, expiryMillis });
    }
  }

  shift(count: number): void {
    const entry = new Entry();
    for (const wanted of this.kept.splice(0, count)) {
      this.list.peek(entry);
      assert.equal(entry.sequence, wanted.sequence);
      this.list.shift(entry);
      this.#isRight(entry, wanted);
      if (this.random.below(50) === 0) this.away.push(wanted);
    }
  }

  putBack(): void {
    for (const { ref, bytes, sequence, expiryMillis } of this.away.splice(0)) {
      this.list.putBack({ ref, meta: bytes % 7, bytes, sequence, expiryMillis });
      this.kept.push({ ref, bytes, sequence, expiryMillis });
    }
    this.kept.sort((one, other) => one.sequence - other.sequence);
  }

  removeSome(count: number): void {
    const entry = new Entry();
    for (let i = 0; i < count && this.kept.length > 0; i++) {
      const [gone] = this.kept.splice(this.random.below(this.kept.length), 1) as [Kept];
      assert.ok(this.list.remove(gone.sequence, entry));
      this.#isRight(entry, gone);
      assert.equal(this.list.remove(gone.sequence, entry), false);
      if (this.random.below(3) === 0) this.away.push(gone);
    }
  }

  findSome(count: number): void {
    const entry = new Entry();
    for (let i = 0; i < count && this.kept.length > 0; i++) {
      const wanted = this.random.pick(this.kept);
      assert.ok(this.list.find(wanted.sequence, entry));
      this.#isRight(entry, wanted);
    }
  }

  limit(expiryMillis: number): void {
    this.list.limitExpiries(expiryMillis);
    this.kept = this.kept.map(each => (each.expiryMillis === 0 || each.expiryMillis > expiryMillis ? { ...each, expiryMillis } : each));
  }

  /** Moves what is in some slabs elsewhere. */
  relocate(): void {
    const slabs = new Set(Array.from({ length: 3 }, () => this.random.between(1, 300)));
    const renamed = (ref: number): number => (slabs.has(ref >>> 16) ? ref + 400 * 65_536 + 3 : ref);
    this.list.relocate(renamed, null as never, slabs);
    this.kept = this.kept.map(each => ({ ...each, ref: renamed(each.ref) }));
  }

  compare(): void {
    const plain = (each: Entry): number[] => [each.sequence, each.ref, each.meta, each.bytes, each.expiryMillis];
    const seen: number[][] = [];
    const entry = new Entry();
    this.list.forEach(entry, each => seen.push(plain(each)) > 0);
    const wanted = this.kept.map(({ sequence, ref, bytes, expiryMillis }) => [sequence, ref, bytes % 7, bytes, expiryMillis]);
    assert.deepEqual(seen, wanted);
    assert.deepEqual(Array.from(this.list.entries(entry), plain), wanted);
    for (const skip of [0, 1, wanted.length >> 1, wanted.length - 1, wanted.length, wanted.length + 1]) {
      const behind: number[][] = [];
      this.list.forEach(entry, each => behind.push(plain(each)) < 3, Math.max(0, skip));
      assert.deepEqual(behind, wanted.slice(Math.max(0, skip)).slice(0, 3));
    }
  }

  checkCounts(): void {
    assert.equal(this.list.length, this.kept.length);
    assert.equal(this.list.isEmpty, this.kept.length === 0);
  }

  #isRight(entry: Entry, wanted: Kept): void {
    assert.deepEqual(
      [entry.sequence, entry.ref, entry.meta, entry.bytes, entry.expiryMillis],
      [wanted.sequence, wanted.ref, wanted.bytes % 7, wanted.bytes, wanted.expiryMillis],
    );
  }
}

function makeWorld(seed: number, bytesMax: number, isSynchronous: boolean): World {
  const random = new Random(seed);
  const pages = new FakeIndexPages(random);
  const pager = new IndexPager(bytesMax === Infinity ? null : pages, bytesMax, null, blockPlaces);
  pager.isSynchronous = isSynchronous;
  return new World(random, pages, pager);
}

function live(world: World, rounds: number): void {
  const { random, pages } = world;
  for (let round = 0; round < rounds; round++) {
    world.push(random.below(40 * blockPlaces));
    if (random.below(2) === 0) world.removeSome(random.below(30));
    if (random.below(2) === 0) world.findSome(20);
    world.shift(random.below(40 * blockPlaces));
    if (random.below(3) === 0) world.putBack();
    if (random.below(4) === 0) world.relocate();
    if (random.below(8) === 0) world.limit(1 + random.below(100_000));
    if (random.below(6) === 0) world.shift(world.kept.length);
    for (let steps = random.below(30); steps > 0; steps--) pages.step();
    world.checkCounts();
    if (random.below(4) === 0) world.compare();
  }
  world.compare();
  world.shift(world.kept.length);
  world.checkCounts();
  pages.settle();
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`lists of several blocks keep order and content in memory (seed ${seed})`, () => live(makeWorld(seed, Infinity, false), 60));

  test(`lists of several blocks keep order and content when their middle is on disk (seed ${seed})`, () => {
    for (const isSynchronous of [false, true]) {
      const world = makeWorld(seed, seed % 2 === 0 ? 0 : 5000, isSynchronous);
      live(world, 60);
      assert.ok(world.pager.writtenTotal > 100, 'hardly anything went to disk');
      assert.ok(world.pager.readTotal > 100, 'hardly anything came back');
      assert.equal(world.pager.pagedCount, 0);
      assert.equal(world.pager.heldBytes, 0);
      assert.equal(world.pages.images.size, 0, 'something is left on disk');
    }
  });

  test(`with a disk that cannot be written any more all goes on in memory (seed ${seed})`, () => {
    const warnings: string[] = [];
    const random = new Random(seed);
    const pages = new FakeIndexPages(random);
    const logger = { debug() {}, info() {}, warning: (_category: string, text: string) => void warnings.push(text), error() {} };
    const world = new World(random, pages, new IndexPager(pages, 0, logger, blockPlaces));
    live(world, 20);
    assert.ok(world.pager.writtenTotal > 0);
    world.push(30 * blockPlaces);
    pages.writeError = new Error('no more');
    const { writtenTotal } = world.pager;
    world.push(30 * blockPlaces);
    pages.settle();
    live(world, 20);
    assert.ok(world.pager.writtenTotal <= writtenTotal);
    assert.deepEqual(warnings, ['queues keep their index in memory, for it cannot be written to disk: no more']);
  });
}

test('what is far from both ends is not in memory, and a look at it leaves it on disk', () => {
  const world = makeWorld(7, 10 * blockPlaces * 12, false);
  const { pager, pages } = world;
  for (let i = 0; i < 1000; i++) {
    world.push(blockPlaces);
    while (!pages.isIdle) pages.step();
  }
  assert.ok(pager.heldBytes <= 13 * blockPlaces * 20, `${pager.heldBytes} bytes are held`);
  assert.ok(pager.pagedCount >= 985);
  world.compare();
  world.findSome(100);
  assert.ok(pager.heldBytes <= 13 * blockPlaces * 20);
  assert.ok(pager.pagedCount >= 985);
});

test('a block is there before the head comes to it, when the disk is fast enough', () => {
  const world = makeWorld(8, 0, false);
  for (let i = 0; i < 200; i++) {
    world.push(blockPlaces);
    world.pages.settle();
  }
  const before = world.pages.readNowCount;
  while (world.kept.length > 0) {
    world.shift(blockPlaces);
    world.pages.settle();
  }
  assert.equal(world.pages.readNowCount, before);
});

test('a list whose messages are all taken out of its middle gives its places on disk back', () => {
  const world = makeWorld(9, 0, false);
  world.push(100 * blockPlaces);
  world.pages.settle();
  world.removeSome(world.kept.length);
  world.pages.settle();
  assert.equal(world.list.isEmpty, true);
  assert.equal(world.pages.images.size, 0);
  world.away.splice(0);
  live(world, 5);
});

test('a block that cannot be read is the end, not a loss in silence', () => {
  const world = makeWorld(10, 0, false);
  world.push(50 * blockPlaces);
  while (!world.pages.isIdle) world.pages.step();
  world.pages.readError = new Error('gone');
  assert.throws(() => {
    for (;;) {
      world.shift(blockPlaces);
      world.pages.settle();
    }
  }, /a part of a queue's index cannot be read: gone/);
  assert.equal(world.pages.lostErrors.length, 1);
});

test('a list that has just got its blocks shows what is changed in them, wherever it begins', () => {
  for (let first = 1; first < 5 * blockPlaces; first++) {
    const list = new ReadyList(new IndexPager(null, Infinity, null, blockPlaces));
    list.startAt(first);
    const count = 4 * blockPlaces + 1;
    for (let number = 1; number <= count; number++) list.push(number, 0, 0, 0);
    list.relocate(ref => ref + 1000, {} as Queue, null);
    const refs: number[] = [];
    list.forEach(new Entry(), ({ ref }) => refs.push(ref) > 0);
    assert.deepEqual(
      refs,
      Array.from({ length: count }, (_, index) => index + 1001),
    );
  }
});
