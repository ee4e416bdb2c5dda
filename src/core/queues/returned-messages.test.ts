import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forSeeds, type Random } from '../../../test/support/random.ts';
import { Entry } from './entry.ts';
import { ReturnedMessages } from './returned-messages.ts';

function entryOf(random: Random, sequence: number): Entry {
  const expiryMillis = random.chance(0.3) ? random.between(1, 1000) : 0;
  return Object.assign(new Entry(), {
    ref: sequence * 3 + 1,
    meta: random.below(1 << 20),
    bytes: random.below(1000),
    sequence,
    expiryMillis,
  });
}

const plain = (entry: Entry): Entry => Object.assign(new Entry(), entry);

/** Takes all out and compares. */
function drain(returned: ReturnedMessages, model: readonly Entry[]): void {
  const entry = new Entry();
  for (const expected of model) {
    returned.peek(entry);
    assert.deepEqual(entry, expected);
    returned.shift(entry);
    assert.deepEqual(entry, expected);
  }
  assert.equal(returned.length, 0);
}

test('messages come back in any order, and in the order of several clients, and go out in that of their places', () => {
  forSeeds(30, random => {
    const returned = new ReturnedMessages();
    const model: Entry[] = [];
    const entry = new Entry();
    let isSorted = true;
    const sort = (): void => {
      if (!isSorted) model.sort((a, b) => a.sequence - b.sequence);
      isSorted = true;
    };
    let next = 1;
    /** Places that were taken out, which may come back. */
    const away: number[] = [];
    const push = (sequence: number): void => {
      const item = entryOf(random, sequence);
      returned.push(item);
      model.push(item);
      isSorted = false;
    };
    for (let step = 0; step < 120; step++) {
      const action = random.weighted({ runs: 2, single: 4, shift: 4, remove: 3, limit: 1, relocate: 1, look: 2 });
      sort();
      if (action === 'runs') {
        // Several clients give theirs back at the same time, each in order.
        const clients = Array.from({ length: random.between(1, 12) }, () => [] as number[]);
        const count = random.between(1, 600);
        for (let i = 0; i < count; i++) random.pick(clients).push(next++);
        while (clients.some(own => own.length > 0)) {
          const own = random.pick(clients);
          for (const sequence of own.splice(0, random.between(1, 50))) push(sequence);
        }
      } else if (action === 'single') {
        push(away.length > 0 && random.chance(0.7) ? (away.splice(random.below(away.length), 1)[0] as number) : next++);
      } else if (action === 'shift') {
        for (let count = random.between(0, 300); count > 0 && model.length > 0; count--) {
          returned.shift(entry);
          assert.deepEqual(entry, model.shift());
          if (random.chance(0.1)) away.push(entry.sequence);
        }
      } else if (action === 'remove' && model.length > 0) {
        const at = random.below(model.length);
        const [item] = model.splice(at, 1) as [Entry];
        assert.equal(returned.find(item.sequence, entry), true);
        assert.deepEqual(plain(entry), item);
        assert.equal(returned.remove(item.sequence, entry), true);
        assert.deepEqual(plain(entry), item);
        assert.equal(returned.find(item.sequence, entry), false);
        assert.equal(returned.remove(item.sequence, entry), false);
        away.push(item.sequence);
      } else if (action === 'limit') {
        const limit = random.between(1, 1000);
        returned.limitExpiries(limit);
        for (const item of model) if (item.expiryMillis === 0 || item.expiryMillis > limit) item.expiryMillis = limit;
      } else if (action === 'relocate') {
        const seen: number[] = [];
        returned.relocate(ref => {
          seen.push(ref);
          return ref + 1;
        }, null);
        assert.deepEqual(
          seen.toSorted((a, b) => a - b),
          model.map(({ ref }) => ref).toSorted((a, b) => a - b),
        );
        for (const item of model) item.ref++;
      } else {
        sort();
        const skip = random.below(model.length + 2);
        const countMax = random.between(1, 20);
        const seen: Entry[] = [];
        const wentOn = returned.forEach(each => seen.push(plain(each)) < countMax, new Entry(), skip);
        assert.deepEqual(seen, model.slice(skip, skip + countMax));
        assert.equal(wentOn, seen.length < countMax);
      }
      assert.equal(returned.length, model.length);
    }
    sort();
    drain(returned, model);
  });
});

test('a hundred thousand that came back in order are found, shown from the middle and handed out', () => {
  const returned = new ReturnedMessages();
  for (let sequence = 1; sequence <= 100_000; sequence++) returned.push({ ref: 1, meta: 2, bytes: 3, sequence, expiryMillis: 0 });
  const entry = new Entry();
  assert.equal(returned.find(77_777, entry), true);
  assert.equal(entry.sequence, 77_777);
  const seen: number[] = [];
  returned.forEach(each => seen.push(each.sequence) < 3, entry, 50_000);
  assert.deepEqual(seen, [50_001, 50_002, 50_003]);
  for (let sequence = 1; sequence <= 100_000; sequence++) {
    returned.shift(entry);
    assert.equal(entry.sequence, sequence);
  }
});
