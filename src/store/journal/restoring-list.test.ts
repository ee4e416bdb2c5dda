import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forSeeds } from '../../../test/support/random.ts';
import { FakeIndexPages } from '../../../test/support/fake-index-pages.ts';
import { RestoringGroups } from './restoring-group.ts';
import { type RestoredEntry, RestoringList } from './restoring-list.ts';

type Facts = Pick<
  RestoredEntry,
  'logSequence' | 'unit' | 'priority' | 'bodyBytes' | 'expiryMillis' | 'meta' | 'retryCount' | 'dueMillis'
> & {
  taken: number[];
};

function drained(list: RestoringList): [number, Facts][] {
  const found: [number, Facts][] = [];
  list.drain(({ sequence, logSequence, unit, priority, bodyBytes, expiryMillis, meta, retryCount, dueMillis, taken }) => {
    found.push([sequence, { logSequence, unit, priority, bodyBytes, expiryMillis, meta, retryCount, dueMillis, taken: [...taken] }]);
  });
  return found;
}

for (const bytesMax of [0, 100_000, Infinity]) {
  test(`lists with ${bytesMax} bytes of memory between them do what maps do`, () => {
    forSeeds(bytesMax === Infinity ? 20 : 4, random => {
      const pages = new FakeIndexPages(random);
      const groups = new RestoringGroups(pages, bytesMax);
      const lists = Array.from({ length: 3 }, () => ({
        list: new RestoringList(groups),
        model: new Map<number, Facts>(),
        next: 1,
        first: 1,
      }));
      for (let step = 0; step < 250; step++) {
        const each = random.pick(lists);
        const { list, model } = each;
        const anywhere = (): number => random.between(1, each.next + 10);
        const action = random.weighted({
          put: 4,
          gap: 1,
          again: 1,
          settle: 4,
          remove: 1,
          flag: 1,
          wait: random.chance(0.1) ? 1 : 0,
          take: 1,
        });
        if (action === 'gap') each.next += random.between(1, 5000);
        else if (action === 'put' || action === 'again') {
          for (let count = random.below(300); count > 0; count--) {
            const sequence: number = action === 'put' ? each.next++ : anywhere();
            const expiryMillis = random.chance(0.1) ? random.between(1, 1_000_000) : 0;
            const [logSequence, unit, priority] = [random.below(100_000), random.below(65_536), random.below(256)];
            const old = model.get(sequence);
            assert.equal(list.put(sequence, logSequence, unit, priority, step, expiryMillis), old === undefined);
            const noted = old ?? { meta: 0, retryCount: 0, dueMillis: 0, taken: [] };
            model.set(sequence, { ...noted, logSequence, unit, priority, bodyBytes: step, expiryMillis });
          }
        } else if (action === 'settle') {
          for (let count = random.below(300); count > 0 && each.first < each.next; count--)
            assert.equal(list.remove(each.first), model.delete(each.first++));
        } else {
          const sequence = anywhere();
          const there = model.get(sequence);
          if (action === 'remove') {
            assert.equal(list.remove(sequence), model.delete(sequence));
          } else if (action === 'flag') {
            list.flag(sequence, step);
            if (there !== undefined) there.meta = step;
          } else if (action === 'wait') {
            list.wait(sequence, step, 3);
            if (there !== undefined) Object.assign(there, { dueMillis: step, retryCount: 3 });
          } else if (random.chance(0.05)) {
            list.take(sequence, step);
            there?.taken.push(step);
          }
        }
        assert.equal(list.count, model.size);
      }
      if (bytesMax === 0) assert.ok(groups.asideTotal > 0);
      for (const { list, model } of lists)
        assert.deepEqual(
          drained(list),
          [...model].sort(([one], [other]) => one - other),
        );
      assert.equal(pages.images.size, 0);
    });
  });
}

test('a list can be drained into others while hardly anything fits into memory', () => {
  forSeeds(2, random => {
    const groups = new RestoringGroups(new FakeIndexPages(random), 0);
    const from = new RestoringList(groups);
    const to = [new RestoringList(groups), new RestoringList(groups)] as const;
    for (let sequence = 1; sequence <= 6000; sequence++) from.put(sequence, sequence, 1, 0, 0, 0);
    from.drain(({ sequence, logSequence }) => void (to[sequence % 2] as RestoringList).put(sequence, logSequence, 1, 0, 0, 0));
    assert.deepEqual(
      to.flatMap(list => drained(list).map(([sequence]) => sequence)).sort((one, other) => one - other),
      Array.from({ length: 6000 }, (_, index) => index + 1),
    );
  });
});

test('recovery goes on in memory where nothing can be put aside, and stops where it cannot be read again', () => {
  forSeeds(3, random => {
    const pages = new FakeIndexPages(random);
    const groups = new RestoringGroups(pages, 0);
    const list = new RestoringList(groups);
    const fill = (from: number, to: number): void => {
      for (let sequence = from; sequence <= to; sequence++) list.put(sequence, sequence, 1, 0, 0, 0);
    };
    fill(1, 10_000);
    pages.writeError = new Error('no room');
    const { asideTotal } = groups;
    fill(10_001, 20_000);
    assert.equal(groups.asideTotal, asideTotal);
    pages.readError = new Error('gone');
    assert.throws(() => list.remove(1), /what recovery put aside cannot be read again: gone/);
    pages.readError = null;
    assert.equal(drained(list).length, 20_000);
  });
});
