// What messages and connections leave on the heap, and idle channels and queues keep there. Unlike speed it is the same on every machine, and so it may be asserted.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ConnectionCost } from '../../bench/micro/connection-cost.ts';
import type { IdleCost } from '../../bench/micro/idle-cost.ts';
import type { KeptCost, MessageCost } from '../../bench/micro/message-cost.ts';

/** A turn of 500 messages costs a kilobyte or so for its writes: nothing is allocated for a message. */
const heapBytesMax = 8;
const keptBytesMax = 100;
/** Resident memory is about a third more: V8's pages are not full. */
const idleBytesMax = 1280;
/** At thousands of connections a second, collecting what they leave is a good part of the work. */
const lifeHeapBytesMax = 10_000;
const rounds = 2000;

const program = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'bench', 'micro', 'run.ts');
const lines = execFileSync(process.execPath, [program, String(rounds), '--json'], { encoding: 'utf8', timeout: 120_000 });
const costs = lines
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as MessageCost | KeptCost | IdleCost | ConnectionCost);

for (const cost of costs) {
  if ('heapBytesEach' in cost) {
    test(`a million messages leave under ${heapBytesMax} B of heap each: ${cost.name}`, () => {
      assert.equal(cost.messages, 1_000_000);
      assert.ok(cost.heapBytesEach < heapBytesMax, `${cost.heapBytesEach.toFixed(2)} B`);
    });
  } else if ('idleBytesEach' in cost) {
    test(`an idle ${cost.what} keeps under ${idleBytesMax} B, sampled for the statistics`, () => {
      assert.ok(cost.idleBytesEach > 0 && cost.idleBytesEach < idleBytesMax, `${cost.idleBytesEach.toFixed(0)} B`);
    });
  } else if ('lifeHeapBytesEach' in cost) {
    test(`a connection that comes and goes leaves under ${lifeHeapBytesMax} B of heap, besides its socket`, () => {
      assert.equal(cost.connections, 10_000);
      assert.ok(cost.lifeHeapBytesEach > 0 && cost.lifeHeapBytesEach < lifeHeapBytesMax, `${cost.lifeHeapBytesEach.toFixed(0)} B`);
    });
  } else {
    test(`a queued message of ${cost.bodyBytes} B keeps under ${keptBytesMax} B beyond what came with it`, () => {
      const ours = cost.keptBytesEach - cost.givenBytesEach;
      assert.ok(ours > 0 && ours < keptBytesMax, `${ours.toFixed(1)} B`);
    });
  }
}

test('every steady path, both sizes, both idle things and a connection were measured', () => {
  assert.equal(costs.length, 10);
});
