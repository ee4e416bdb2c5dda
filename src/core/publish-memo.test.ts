import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PublishMemo, PublishMemoBudget, PublishMemos } from './publish-memo.ts';

/** The arguments of basic.publish. */
function argumentsOf(key: string, exchange = 'x'): Buffer {
  return Buffer.concat([
    Buffer.from([0, 0, exchange.length]),
    Buffer.from(exchange),
    Buffer.from([key.length]),
    Buffer.from(key),
    Buffer.from([0]),
  ]);
}

function memoOf(bytes: Buffer, generation = 1): PublishMemo {
  const memo = new PublishMemo(bytes);
  memo.byteCount = bytes.length;
  memo.vhostGeneration = generation;
  memo.accessGeneration = 7;
  return memo;
}

/** Publishes with each key in turn, as a channel does; returns how many were found. */
function play(memos: PublishMemos, keys: readonly string[], rounds: number): number {
  let found = 0;
  for (let round = 0; round < rounds; round++)
    for (const key of keys) {
      const bytes = argumentsOf(key);
      if (memos.find(bytes, 0, bytes.length, 1, 7) !== null) found++;
      else if (memos.isWorthKeeping()) memos.add(memoOf(bytes));
    }
  return found;
}

const keys = (count: number): string[] => Array.from({ length: count }, (_, i) => `orders.eu.${i}`);

describe('PublishMemos', () => {
  test('finds what was added, as long as both generations are the same', () => {
    const memos = new PublishMemos(new PublishMemoBudget(0));
    const bytes = argumentsOf('k');
    assert.equal(memos.find(bytes, 0, bytes.length, 1, 7), null);
    const memo = memoOf(bytes);
    memos.add(memo);
    const frame = Buffer.concat([Buffer.from('...'), bytes, Buffer.from('...')]);
    assert.equal(memos.find(frame, 3, 3 + bytes.length, 1, 7), memo);
    assert.equal(memos.find(frame, 3, 3 + bytes.length, 2, 7), null);
    assert.equal(memos.find(frame, 3, 3 + bytes.length, 1, 8), null);
    const other = argumentsOf('K');
    assert.equal(memos.find(other, 0, other.length, 1, 7), null);
  });

  test('grows for a publisher with many keys until nearly all are found', () => {
    const memos = new PublishMemos(new PublishMemoBudget(100_000));
    play(memos, keys(5000), 10);
    assert.ok(play(memos, keys(5000), 1) > 4200);
    assert.ok(memos.slotCount <= 16_384);
  });

  test('does not grow for one with few', () => {
    const memos = new PublishMemos(new PublishMemoBudget(100_000));
    play(memos, keys(50), 1000);
    assert.equal(memos.slotCount, 256);
  });

  test('has a limit, and beyond it still finds some of many keys that come in turn', () => {
    const memos = new PublishMemos(new PublishMemoBudget(1_000_000));
    play(memos, keys(100_000), 5);
    assert.equal(memos.slotCount, 16_384);
    assert.ok(play(memos, keys(100_000), 1) > 5000);
  });

  test('takes what it grows by from the budget and gives it back', () => {
    const budget = new PublishMemoBudget(1000);
    const memos = new PublishMemos(budget);
    play(memos, keys(5000), 5);
    assert.equal(memos.slotCount, 1024);
    assert.equal(budget.slots, 1000 - 768);
    const other = new PublishMemos(budget);
    play(other, keys(5000), 5);
    assert.equal(other.slotCount, 256);
    memos.close();
    assert.equal(budget.slots, 1000);
  });
});

test('a memo tells whether another publish is to the same exchange', () => {
  const memo = memoOf(argumentsOf('k', 'orders'));
  const like = (bytes: Buffer): boolean => memo.hasExchangeOf(bytes, 0, bytes.length);
  assert.equal(like(argumentsOf('another.key', 'orders')), true);
  assert.equal(like(argumentsOf('', 'orders')), true);
  assert.equal(like(argumentsOf('k', 'order')), false);
  assert.equal(like(argumentsOf('k', 'orderz')), false);
  assert.equal(like(Buffer.from([0, 0])), false);
  assert.equal(like(Buffer.from([0, 0, 6, 111, 114])), false);
});
