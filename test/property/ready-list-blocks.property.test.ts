// A list that is long enough for blocks, beside a plain model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Entry } from '../../src/core/queues/entry.ts';
import { blockPlaces } from '../../src/core/queues/ready-columns.ts';
import { ReadyList } from '../../src/core/queues/ready-list.ts';
import { Random } from '../support/random.ts';

interface Kept {
  readonly sequence: number;
  readonly ref: number;
  readonly expiryMillis: number;
}

for (const seed of [1, 2, 3]) {
  test(`lists of several blocks keep order and content (seed ${seed})`, () => {
    const random = new Random(seed);
    const list = new ReadyList();
    /** Ready, by sequence number; those at the front have left. */
    let kept: Kept[] = [];
    const away: Kept[] = [];
    let ref = 1;
    const push = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const expiryMillis = random.below(10) === 0 ? ref * 2 : 0;
        const sequence = list.push(ref, 0, ref % 1000, expiryMillis);
        kept.push({ sequence, ref, expiryMillis });
        ref++;
      }
    };
    const shift = (count: number): void => {
      const entry = new Entry();
      const taken = kept.splice(0, count);
      for (const wanted of taken) {
        list.peek(entry);
        assert.equal(entry.sequence, wanted.sequence);
        list.shift(entry);
        assert.deepEqual(
          [entry.sequence, entry.ref, entry.bytes, entry.expiryMillis],
          [wanted.sequence, wanted.ref, wanted.ref % 1000, wanted.expiryMillis],
        );
        if (random.below(50) === 0) away.push(wanted);
      }
    };
    const putBack = (): void => {
      for (const entry of away.splice(0)) {
        list.putBack({ ref: entry.ref, meta: 0, bytes: entry.ref % 1000, sequence: entry.sequence, expiryMillis: entry.expiryMillis });
        kept.push(entry);
      }
      kept.sort((one, other) => one.sequence - other.sequence);
    };
    const removeSome = (): void => {
      const entry = new Entry();
      for (let i = 0; i < 200 && kept.length > 0; i++) {
        const [gone] = kept.splice(random.below(kept.length), 1);
        assert.ok(list.remove((gone as Kept).sequence, entry));
        assert.equal(entry.ref, (gone as Kept).ref);
        assert.equal(list.remove((gone as Kept).sequence, entry), false);
      }
    };
    for (let round = 0; round < 30; round++) {
      push(random.below(3 * blockPlaces));
      if (random.below(2) === 0) removeSome();
      shift(random.below(3 * blockPlaces));
      if (random.below(3) === 0) putBack();
      if (random.below(8) === 0) {
        list.relocate(old => old + 1_000_000, null as never);
        kept = kept.map(entry => ({ ...entry, ref: entry.ref + 1_000_000 }));
        list.relocate(old => old - 1_000_000, null as never);
        kept = kept.map(entry => ({ ...entry, ref: entry.ref - 1_000_000 }));
      }
      if (random.below(6) === 0) shift(kept.length);
      assert.equal(list.length, kept.length);
      assert.equal(list.isEmpty, kept.length === 0);
    }
    const seen: number[] = [];
    list.forEach(new Entry(), entry => {
      seen.push(entry.sequence);
      return true;
    });
    assert.deepEqual(
      seen,
      kept.map(({ sequence }) => sequence),
    );
  });
}
