// The tree of retained messages against a list and the plain rules of filters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RetainedTree } from '../../src/core/retained/retained-tree.ts';
import { matchesTopic } from '../../src/protocols/mqtt/topics.ts';

const word = fc.constantFrom('a', 'b', '', '$x');
const key = fc.array(word, { minLength: 1, maxLength: 4 }).map(words => words.join('.'));
const filter = fc
  .tuple(fc.array(fc.oneof(word, fc.constant('+')), { minLength: 0, maxLength: 4 }), fc.boolean())
  .map(([levels, isOpen]) => (isOpen || levels.length === 0 ? [...levels, '#'] : levels));

test('a filter finds what it matches, whatever was put and taken away before', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.boolean()), { maxLength: 30 }), filter, (changes, levels) => {
      const tree = new RetainedTree<{ key: string; number: number }>();
      const model = new Map<string, number>();
      for (const [number, [name, isRemoval]] of changes.entries()) {
        if (isRemoval) {
          assert.equal(tree.delete(name)?.number, model.get(name));
          model.delete(name);
        } else {
          assert.equal(tree.put({ key: name, number })?.number, model.get(name));
          model.set(name, number);
        }
      }
      assert.equal(tree.size, model.size);
      const expected = [...model].filter(([name]) => matchesTopic(levels, name.split('.')));
      const pattern = levels.map(level => (level === '+' ? '*' : level)).join('.');
      const found = [...tree.matching(pattern)].filter(item => item !== null).map(item => [item.key, item.number] as const);
      const sorted = (list: readonly (readonly [string, number])[]) => list.map(([name, number]) => `${name} ${number}`).sort();
      assert.deepEqual(sorted(found), sorted(expected));
      assert.deepEqual(sorted([...tree.all()].map(item => [item.key, item.number] as const)), sorted([...model]));
    }),
    { numRuns: 2000 },
  );
});

test('walking a large tree rests now and then', () => {
  const tree = new RetainedTree<{ key: string }>();
  for (let i = 0; i < 5000; i++) tree.put({ key: `a.${i}.x` });
  let longest = 0;
  let run = 0;
  for (const item of tree.matching('*.*.y')) {
    assert.equal(item, null);
    run = 0;
  }
  for (const item of tree.matching('#')) {
    run = item === null ? 0 : run + 1;
    longest = Math.max(longest, run);
  }
  assert(longest <= 256, `${longest} items in one go`);
});
