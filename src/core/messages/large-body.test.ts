import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Random } from '../../../test/support/random.ts';
import { blockBytesMax, blockBytesMin, blockPool, keptBytes } from './block-pool.ts';
import { LargeBody } from './large-body.ts';

const original = { ...blockPool };
/** Blocks that bodies have of the pool now. */
const lent = new Set<Buffer>();

beforeEach(() => {
  lent.clear();
  blockPool.take = bytes => {
    const block = original.take(bytes);
    assert.ok(!lent.has(block), 'a block was lent twice');
    lent.add(block);
    return block;
  };
  blockPool.give = block => {
    assert.ok(lent.delete(block), 'a block was given back that nobody had');
    original.give(block.fill(0xee));
  };
});

afterEach(() => {
  blockPool.take = original.take;
  blockPool.give = original.give;
});

function bodyOf(bytes: Buffer, random: Random): LargeBody {
  const body = LargeBody.empty();
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + random.between(1, 300_000));
    body.append(bytes, at, end, bytes.length);
    at = end;
  }
  return body;
}

test('a body is what was appended, whatever the pieces, and takes no more memory than it has bytes', () => {
  const random = new Random(3);
  for (const size of [1, 8191, 32_768, 32_769, 65_535, 100_000, 262_144, 1_048_576, 1_048_577, 3_000_000]) {
    const bytes = random.bytes(size);
    const body = bodyOf(bytes, random);
    assert.equal(body.bytes, size);
    assert.ok(body.toBuffer().equals(bytes));
    assert.equal(body.heldBytes, size);
    const target = Buffer.alloc(size + 2);
    assert.equal(body.copyTo(target, 1), size + 1);
    assert.ok(target.subarray(1, size + 1).equals(bytes));
    body.release();
  }
  assert.equal(lent.size, 0);
});

test('a body that was only announced takes a block, and later no more than twice what has come', () => {
  const announced = 128 * 1024 * 1024;
  const body = LargeBody.empty();
  body.append(Buffer.alloc(1), 0, 1, announced);
  assert.equal(body.heldBytes, blockBytesMin);
  const more = Buffer.alloc(10_000);
  while (body.bytes < 2_000_000) {
    body.append(more, 0, more.length, announced);
    assert.ok(body.heldBytes <= Math.max(2 * body.bytes, body.bytes + blockBytesMin), `${body.heldBytes} of ${body.bytes}`);
    assert.ok(body.pieces.every(piece => piece.length <= blockBytesMax));
  }
  body.release();
});

test('blocks go back when the last holder lets go, and not before', () => {
  const bytes = Buffer.alloc(500_000, 7);
  const body = bodyOf(bytes, new Random(1));
  const count = lent.size;
  assert.ok(count > 1);
  body.hold();
  body.hold();
  body.release();
  body.release();
  assert.equal(lent.size, count);
  assert.ok(body.toBuffer().equals(bytes));
  body.release();
  assert.equal(lent.size, 0);
  assert.equal(body.pieces.length, 0);
  // Nothing goes back twice.
  body.release();
});

test('pieces that are no blocks stay as they are', () => {
  const pieces = [Buffer.alloc(blockBytesMin, 1), Buffer.alloc(3, 2)];
  const body = LargeBody.of(pieces);
  assert.equal(body.bytes, blockBytesMin + 3);
  body.release();
  assert.deepEqual(body.toBuffer(), Buffer.concat(pieces));
});

/** Takes blocks of every size and gives all of them back. */
function churn(countOfEach: number): Buffer[] {
  const blocks = [32, 64, 128, 256].flatMap(kib => Array.from({ length: countOfEach }, () => original.take(kib * 1024)));
  for (const block of blocks) original.give(block);
  return blocks;
}

test('the pool lends what it was given, keeps 14 MiB when nobody looks after it, and no block of another size', () => {
  blockPool.trim(true);
  const blocks = churn(200);
  assert.equal(blockPool.freeBytes, keptBytes);
  original.give(Buffer.alloc(5000));
  original.give(Buffer.alloc(300_000));
  assert.equal(blockPool.freeBytes, keptBytes);
  const again = original.take(300_000);
  assert.equal(again.length, blockBytesMax);
  assert.ok(blocks.includes(again));
  assert.equal(blockPool.freeBytes, keptBytes - blockBytesMax);
  assert.equal(original.take(blockBytesMin - 1).length, blockBytesMin - 1);
  assert.equal(original.take(2 * blockBytesMin - 1).length, blockBytesMin);
  assert.equal(blockPool.freeBytes, keptBytes - blockBytesMax - blockBytesMin);
});

test('blocks beyond those go by and by when they are not needed, at once when memory is, and never those that are in use now and then', () => {
  const kib = 1024;
  const of256 = (count: number): Buffer[] => Array.from({ length: count }, () => original.take(256 * kib));
  const free256 = (): number => (blockPool.freeBytes - 6 * 1024 * kib) / (256 * kib);
  blockPool.freeBytesMax = 100 * 1024 * kib;
  try {
    churn(200);
    blockPool.trim(true);
    assert.equal(blockPool.freeBytes, keptBytes);
    for (const block of of256(500)) original.give(block);
    // All that there may be, and no more.
    assert.equal(blockPool.freeBytes, blockPool.freeBytesMax);
    assert.equal(free256(), 376);
    blockPool.trim();
    // Until now there was a time when all were in use.
    assert.equal(free256(), 376);
    for (const block of of256(300)) original.give(block);
    blockPool.trim();
    assert.equal(free256(), 376 - 38);
    for (let i = 0; i < 20; i++) blockPool.trim();
    assert.equal(blockPool.freeBytes, keptBytes);
    for (const block of of256(300)) original.give(block);
    blockPool.trim(true);
    assert.equal(blockPool.freeBytes, keptBytes);
  } finally {
    blockPool.freeBytesMax = keptBytes;
    blockPool.trim(true);
  }
});
