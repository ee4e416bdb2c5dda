import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameBody, FrameEnd, FrameHeader, FrameHeartbeat, FrameMethod } from '../../src/wire/amqp091/constants.gen.ts';
import { encodeFrame } from '../../src/wire/amqp091/frame.ts';
import { FrameReader, type FrameVisitor } from '../../src/wire/amqp091/frame-reader.ts';
import { forSeeds, type Random } from '../support/random.ts';

/** Writes down what it is shown; pieces of a body are one frame again when the last has come. */
class Recorder implements FrameVisitor {
  readonly seen: string[] = [];
  /** Stops at the frame with this number. */
  stopAt = -1;
  #pieces: Buffer[] = [];

  onFrame(type: number, channel: number, buffer: Buffer, start: number, end: number): boolean {
    assert.ok(start <= end && end <= buffer.length);
    this.seen.push(`${type}/${channel}:${buffer.toString('hex', start, end)}`);
    return this.seen.length !== this.stopAt;
  }

  onBodyPiece(channel: number, buffer: Buffer, start: number, end: number, isLast: boolean): boolean {
    assert.ok(start <= end && end <= buffer.length);
    this.#pieces.push(Buffer.from(buffer.subarray(start, end)));
    if (isLast) {
      this.seen.push(`${FrameBody}/${channel}:${Buffer.concat(this.#pieces).toString('hex')}`);
      this.#pieces = [];
    }
    return this.seen.length !== this.stopAt;
  }

  onFrameFault(fault: string, type: number, detail: number): void {
    this.#pieces = [];
    this.seen.push(`fault ${fault} type ${type}: ${detail}`);
  }
}

function someFrame(random: Random, payloadBytesMax: number): Buffer {
  const type = random.pick([FrameMethod, FrameHeader, FrameBody, FrameBody, FrameHeartbeat, random.below(256)]);
  const size = random.chance(0.15) ? random.between(8000, payloadBytesMax) : random.skewed(300);
  return encodeFrame(type, random.below(65_536), random.bytes(Math.min(size, payloadBytesMax)));
}

/** Cuts in places that are likely to be special: near frame beginnings and ends. */
function splits(random: Random, stream: Buffer, starts: readonly number[]): Buffer[] {
  const cuts = new Set<number>();
  for (let i = random.below(12); i > 0; i--) {
    cuts.add(random.chance(0.6) ? random.pick(starts) + random.between(-2, 9) : random.below(stream.length));
  }
  const sorted = [0, ...[...cuts].filter(cut => cut > 0 && cut < stream.length).sort((a, b) => a - b), stream.length];
  return sorted.slice(1).map((end, i) => Buffer.from(stream.subarray(sorted[i], end)));
}

function readAll(chunks: readonly Buffer[], payloadBytesMax: number, stopAt = -1): { seen: string[]; reader: FrameReader } {
  const reader = new FrameReader(payloadBytesMax);
  const recorder = new Recorder();
  recorder.stopAt = stopAt;
  for (const chunk of chunks) {
    // Something is before and behind what was read that is not to be read.
    const margin = Buffer.concat([Buffer.alloc(3, FrameEnd), chunk, Buffer.alloc(3, FrameEnd)]);
    reader.push(margin, 3, 3 + chunk.length, recorder);
    // The next read goes to the same buffer.
    margin.fill(0xee);
    if (recorder.seen.at(-1)?.startsWith('fault') === true || recorder.seen.length === stopAt) break;
  }
  return { seen: recorder.seen, reader };
}

test('however the bytes are cut, the same frames come out', () => {
  forSeeds(300, random => {
    const payloadBytesMax = random.pick([4096, 20_000, 131_072]);
    const frames = Array.from({ length: random.between(1, 8) }, () => someFrame(random, payloadBytesMax));
    const stream = Buffer.concat(frames);
    const starts = frames.map((_, i) => frames.slice(0, i).reduce((sum, frame) => sum + frame.length, 0));
    const expected = frames.map(frame => `${frame[0]}/${frame.readUInt16BE(1)}:${frame.toString('hex', 7, frame.length - 1)}`);
    assert.deepEqual(readAll([stream], payloadBytesMax).seen, expected);
    for (let i = 0; i < 8; i++) {
      const { seen, reader } = readAll(splits(random, stream, starts), payloadBytesMax);
      assert.deepEqual(seen, expected);
      assert.equal(reader.carriedBytes, 0);
    }
  });
});

test('one byte at a time and every cut in two give the same frames', () => {
  forSeeds(12, random => {
    const frames = Array.from({ length: 4 }, () => someFrame(random, 60));
    frames.splice(2, 0, encodeFrame(FrameBody, 7, random.bytes(9000)));
    const stream = Buffer.concat(frames);
    const expected = readAll([stream], 131_072).seen;
    assert.equal(expected.length, 5);
    assert.deepEqual(
      readAll(
        Array.from(stream, byte => Buffer.of(byte)),
        131_072,
      ).seen,
      expected,
    );
    for (let cut = 1; cut < stream.length; cut += cut < 200 || cut > stream.length - 200 ? 1 : 97) {
      assert.deepEqual(readAll([stream.subarray(0, cut), stream.subarray(cut)], 131_072).seen, expected);
    }
  });
});

test('however the bytes are cut, a broken frame is found at the same place and nothing of it is acted on', () => {
  forSeeds(300, random => {
    const payloadBytesMax = random.pick([4096, 20_000]);
    const frames = Array.from({ length: random.between(1, 6) }, () => someFrame(random, payloadBytesMax));
    const broken = random.below(frames.length);
    if (random.chance(0.3))
      frames[broken] = encodeFrame(FrameBody, 1, random.bytes(random.between(8193, 20_000)).subarray(0, payloadBytesMax));
    const frame = frames[broken] as Buffer;
    if (random.chance(0.5)) frame[frame.length - 1] = random.below(FrameEnd);
    else frame.writeUInt32BE(payloadBytesMax + random.between(1, 100_000), 3);
    const stream = Buffer.concat(frames);
    const starts = frames.map((_, i) => frames.slice(0, i).reduce((sum, each) => sum + each.length, 0));
    const expected = readAll([stream], payloadBytesMax).seen;
    assert.equal(expected.length, broken + 1);
    assert.match(expected.at(-1) as string, /^fault /);
    for (let i = 0; i < 6; i++) assert.deepEqual(readAll(splits(random, stream, starts), payloadBytesMax).seen, expected);
  });
});

test('after a broken frame the next read starts with a frame again', () => {
  forSeeds(100, random => {
    const frame = encodeFrame(FrameBody, 1, random.bytes(random.pick([10, 9000])));
    if (random.chance(0.5)) frame[frame.length - 1] = 0;
    else frame.writeUInt32BE(0x00ff_ffce, 3);
    const reader = new FrameReader(16_384);
    const recorder = new Recorder();
    const at = random.between(1, frame.length - 1);
    for (const chunk of [frame.subarray(0, at), frame.subarray(at)]) {
      if (recorder.seen.length === 0) reader.push(chunk, 0, chunk.length, recorder);
    }
    assert.equal(recorder.seen.length, 1);
    const good = encodeFrame(FrameMethod, 0, Buffer.from('close-ok'));
    reader.push(good, 0, good.length, recorder);
    assert.equal(recorder.seen[1], `1/0:${Buffer.from('close-ok').toString('hex')}`);
  });
});

test('a visitor that stops gets nothing more', () => {
  forSeeds(100, random => {
    const frames = Array.from({ length: 6 }, () => someFrame(random, 9000));
    const stream = Buffer.concat(frames);
    const stopAt = random.between(1, 5);
    assert.equal(readAll([stream], 131_072, stopAt).seen.length, stopAt);
    assert.equal(readAll(splits(random, stream, [0]), 131_072, stopAt).seen.length, stopAt);
  });
});

test('what a visitor stopped before can be pushed later, and nothing is lost or seen twice', () => {
  forSeeds(150, random => {
    const frames = Array.from({ length: random.between(2, 8) }, () =>
      random.chance(0.3) ? encodeFrame(FrameBody, 5, random.bytes(random.between(8193, 20_000))) : someFrame(random, 300),
    );
    const stream = Buffer.concat(frames);
    const expected = readAll([stream], 131_072).seen;
    const reader = new FrameReader(131_072);
    const recorder = new Recorder();
    for (const chunk of splits(random, stream, [0, stream.length - 1])) {
      for (let at = 0; at < chunk.length; ) {
        recorder.stopAt = recorder.seen.length + random.between(1, 3);
        const next = reader.push(chunk, at, chunk.length, recorder);
        assert.ok(next > at && next <= chunk.length);
        if (recorder.seen.length < recorder.stopAt) assert.equal(next, chunk.length);
        at = next;
      }
      chunk.fill(0xee);
    }
    assert.deepEqual(recorder.seen, expected);
  });
});

test('no more than one frame is held back', () => {
  forSeeds(100, random => {
    const reader = new FrameReader(131_072);
    const recorder = new Recorder();
    const stream = Buffer.concat(Array.from({ length: 4 }, () => someFrame(random, 131_072)));
    for (let at = 0; at < stream.length; ) {
      const end = Math.min(stream.length, at + random.between(1, 5000));
      reader.push(stream, at, end, recorder);
      assert.ok(reader.carriedBytes <= 131_072 + 8);
      at = end;
    }
  });
});
