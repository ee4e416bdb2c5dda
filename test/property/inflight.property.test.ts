// Deliveries by packet id against a map.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Consumer } from '../../src/core/consumer.ts';
import { Entry } from '../../src/core/queues/entry.ts';
import {
  Inflight,
  packetIdOf,
  parkedId,
  waitsForId,
  waitsForNothing,
  waitsForPuback,
  waitsForPubcomp,
  waitsForPubrec,
} from '../../src/protocols/mqtt/inflight.ts';

const consumer = {} as Consumer;

test('what is kept under a packet id is found under it until it is released, in the order it was sent', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1, max: 400 }), { maxLength: 300 }), fc.constantFrom(1, 16, 4096, 21_845), (steps, stride) => {
      const inflight = new Inflight();
      const model = new Map<number, number>();
      const entry = new Entry();
      let sequence = 0;
      for (const step of steps) {
        if (step < 200) {
          entry.ref = ++sequence;
          entry.bytes = sequence * 2;
          // Far from each other, or in each other's way.
          const wanted = packetIdOf((step + 1) * stride, 0);
          const id = inflight.freeFrom(wanted);
          assert(id > 0 && !model.has(id));
          assert(model.has(wanted) || id === wanted);
          inflight.add(id, consumer, entry, sequence % 2 === 0 ? waitsForPuback : waitsForPubrec);
          model.set(id, sequence);
        } else {
          const ids = [...model.keys()];
          const id = ids[step % Math.max(1, ids.length)];
          if (id === undefined) continue;
          inflight.read(id, entry);
          assert.deepEqual([entry.ref, entry.bytes], [model.get(id), (model.get(id) ?? 0) * 2]);
          inflight.release(id);
          model.delete(id);
          assert.equal(inflight.state(id), waitsForNothing);
        }
        assert.equal(inflight.count, model.size);
        for (const id of model.keys()) assert(inflight.has(id));
      }
      assert.deepEqual(inflight.ids(), [...model.keys()]);
    }),
    { numRuns: 500 },
  );
});

test('all packet ids can be in use, and one more delivery gets none', () => {
  const inflight = new Inflight();
  const entry = new Entry();
  for (let i = 0; i < 65_535; i++) inflight.add(inflight.freeFrom(packetIdOf(i, 0)), consumer, entry, waitsForPuback);
  assert.equal(inflight.freeFrom(1), 0);
  inflight.add(parkedId, consumer, entry, waitsForId);
  assert.equal(inflight.freeFrom(1), 0);
  inflight.release(777);
  assert.equal(inflight.freeFrom(65_000), 777);
  inflight.restore(777);
  assert.equal(inflight.state(777), waitsForPubcomp);
  assert.equal(inflight.freeFrom(1), 0);
  assert.equal(inflight.ids().length, 65_535);
  inflight.release(parkedId);
  assert.equal(inflight.state(65_535), waitsForPuback);
  assert.equal(inflight.state(65_536), waitsForNothing);
});
