// Deliveries by packet id against a map.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Consumer } from '../../src/core/consumer.ts';
import { Entry } from '../../src/core/queues/entry.ts';
import { Inflight, waitsForNothing, waitsForPuback, waitsForPubrec } from '../../src/protocols/mqtt/inflight.ts';

const consumer = {} as Consumer;

test('what is kept under a packet id is found under it until it is released, in the order it was sent', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1, max: 200 }), { maxLength: 300 }), steps => {
      const inflight = new Inflight();
      const model = new Map<number, number>();
      const entry = new Entry();
      let sequence = 0;
      for (const step of steps) {
        if (step < 60) {
          entry.ref = ++sequence;
          entry.bytes = sequence * 2;
          const id = inflight.add(consumer, entry, sequence % 2 === 0 ? waitsForPuback : waitsForPubrec);
          assert(id > 0 && !model.has(id));
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
      }
      assert.deepEqual(inflight.ids(), [...model.keys()]);
    }),
    { numRuns: 500 },
  );
});

test('all packet ids can be in use, and one more delivery gets none', () => {
  const inflight = new Inflight();
  const entry = new Entry();
  for (let i = 0; i < 65_535; i++) assert(inflight.add(consumer, entry, waitsForPuback) > 0);
  assert.equal(inflight.add(consumer, entry, waitsForPuback), 0);
  inflight.release(777);
  assert.equal(inflight.add(consumer, entry, waitsForPuback), 777);
  assert.equal(inflight.state(65_535), waitsForPuback);
  assert.equal(inflight.state(65_536), waitsForNothing);
});
