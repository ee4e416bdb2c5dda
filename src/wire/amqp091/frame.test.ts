import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBodyFrames, encodeFrame, encodeHeartbeat } from './frame.ts';

test('a frame has type, channel, size, payload and end', () => {
  assert.equal(encodeFrame(3, 0x0102, Buffer.from('ab')).toString('hex'), '030102000000026162ce');
  assert.equal(encodeHeartbeat().toString('hex'), '08000000000000ce');
});

test('a body is cut so that whole frames fit in frame-max', () => {
  const frames = encodeBodyFrames(1, Buffer.alloc(9, 'x'), 12);
  assert.deepEqual(
    frames.map(frame => frame.length),
    [12, 12, 9],
  );
  assert.deepEqual(encodeBodyFrames(1, Buffer.alloc(8), 12).length, 2);
});

test('an empty body has no frame, and without a frame-max any body has one', () => {
  assert.deepEqual(encodeBodyFrames(1, Buffer.alloc(0), 4096), []);
  assert.deepEqual(encodeBodyFrames(1, Buffer.alloc(0), 0), []);
  assert.equal(encodeBodyFrames(1, Buffer.alloc(1_000_000), 0).length, 1);
});

test('a frame-max without room for a body is refused', () => {
  assert.throws(() => encodeBodyFrames(1, Buffer.alloc(1), 8), RangeError);
});
