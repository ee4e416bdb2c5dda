import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type Lender, Outbox } from '../../src/net/outbox.ts';
import { outboxSlabBytes, slabPool } from '../../src/net/slab-pool.ts';
import { FakeSocket, type Ticks } from '../support/fake-socket.ts';
import { forSeeds, type Random } from '../support/random.ts';

/** Slabs that outboxes have of the pool now. */
const lent = new Set<Buffer>();
const original = { ...slabPool };

beforeEach(() => {
  lent.clear();
  slabPool.take = count => {
    const slab = original.take(count);
    assert.ok(!lent.has(slab), 'a slab was lent twice');
    lent.add(slab);
    return slab;
  };
  slabPool.give = slab => {
    assert.ok(lent.delete(slab), 'a slab was given back that nobody had');
    // Whoever still sends from it sends this.
    slab.fill(0xee);
    original.give(slab);
  };
});

afterEach(() => {
  Object.assign(slabPool, original);
});

/** Pieces that are overwritten when they are let go, by whoever sends them and by the message they are of. */
class Loan implements Lender {
  readonly pieces: readonly Buffer[];
  holders = 1;

  constructor(bytes: Buffer, cut: number) {
    this.pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
  }

  hold(): void {
    assert.ok(this.holders > 0, 'held when it was let go already');
    this.holders++;
  }

  release(): void {
    assert.ok(this.holders > 0, 'let go more often than held');
    if (--this.holders === 0) for (const piece of this.pieces) piece.fill(0xee);
  }
}

/** An outbox, its socket and what must come out at the other end. */
class Line {
  readonly socket: FakeSocket;
  readonly outbox: Outbox;
  readonly sent: Buffer[] = [];
  readonly read: Buffer[] = [];
  readonly loans: Loan[] = [];
  sentBytes = 0;
  readBytes = 0;
  drainedCount = 0;
  wasCongested = false;
  wantsFlush = false;

  constructor(random: Random, ticks: Ticks) {
    const kernelBytesMax = random.pick([Infinity, 100, 10_000, 200_000]);
    this.socket = new FakeSocket(ticks, { kernelBytesMax, takesAtOnce: random.chance(0.7) });
    const onDrained = (): void => {
      assert.equal(this.outbox.isCongested, false);
      this.drainedCount++;
    };
    const onUnsent = (): void => {
      this.wantsFlush = true;
    };
    this.outbox = new Outbox(this.socket, random.pick([1000, 100_000, 1_000_000]), onDrained, onUnsent, random.pick([1, 10_000, 1e6]));
  }

  flush(isEnd = false): void {
    this.wantsFlush = false;
    this.outbox.flush(isEnd);
    if (this.outbox.isCongested) this.wasCongested = true;
  }

  send(random: Random, bytes: Buffer): void {
    const copy = Buffer.from(bytes);
    const kind = random.below(4);
    if (kind === 0) {
      this.outbox.append(bytes);
      if (bytes.length <= outboxSlabBytes) bytes.fill(0xdd);
    } else if (kind === 1 && bytes.length > 0) {
      this.outbox.appendChunk(bytes);
    } else if (kind === 2) {
      const loan = new Loan(bytes, random.below(bytes.length + 1));
      this.loans.push(loan);
      this.outbox.appendLent(loan);
      // The message is settled at once.
      loan.release();
    } else {
      // As the delivery path writes: room first, then straight into the buffer.
      const count = Math.min(bytes.length, outboxSlabBytes);
      this.outbox.reserve(count);
      bytes.copy(this.outbox.buffer, this.outbox.position, 0, count);
      this.outbox.position += count;
      this.#note(copy.subarray(0, count));
      return;
    }
    this.#note(copy);
  }

  #note(bytes: Buffer): void {
    this.sent.push(bytes);
    this.sentBytes += bytes.length;
  }

  receive(bytesMax?: number): void {
    const bytes = this.socket.read(bytesMax);
    if (bytes.length === 0) return;
    this.read.push(bytes);
    this.readBytes += bytes.length;
  }
}

test('every byte comes out once and in order, and every slab goes back to the pool once, whatever the sockets take when', () => {
  forSeeds(120, random => {
    const ticks: Ticks = [];
    const lines = Array.from({ length: random.between(1, 3) }, () => new Line(random, ticks));
    const tick = (): void => ticks.shift()?.();
    const sizes = [0, 1, 20, 300, 5000, 40_000, outboxSlabBytes - 1, outboxSlabBytes, outboxSlabBytes + 1, 200_000];
    for (let step = 0; step < 120; step++) {
      const line = random.pick(lines);
      const action = random.weighted({ send: 6, flush: 3, tick: 6, read: 3, room: 1 });
      if (action === 'send') line.send(random, Buffer.alloc(random.pick(sizes), step % 200));
      else if (action === 'flush') line.flush();
      else if (action === 'tick') tick();
      else if (action === 'read') line.receive(random.chance(0.5) ? random.between(1, 100_000) : undefined);
      else line.socket.kernelBytesMax = random.pick([Infinity, 100, 10_000, 200_000]);
      const waiting = line.sentBytes - line.readBytes - line.socket.readableBytes;
      // Node counts a chunk as waiting until all of it is taken.
      assert.ok(line.outbox.pendingBytes >= waiting, 'bytes that wait are not counted');
      if (line.outbox.isCongested) line.wasCongested = true;
    }
    for (const line of lines) {
      line.socket.kernelBytesMax = Infinity;
      line.flush();
    }
    for (let quiet = 0; quiet < 10; quiet++) {
      for (const line of lines) {
        line.receive();
        if (!line.wantsFlush) continue;
        // Whatever is left is asked for, and only that.
        line.flush();
        quiet = 0;
      }
      while (ticks.length > 0) tick();
    }
    for (const line of lines) {
      assert.equal(line.outbox.pendingBytes, 0);
      assert.equal(line.outbox.isCongested, false);
      assert.equal(line.drainedCount > 0, line.wasCongested);
      assert.ok(Buffer.concat(line.read).equals(Buffer.concat(line.sent)), 'other bytes came out than went in');
      line.flush();
      assert.ok(
        line.loans.every(loan => loan.holders === 0),
        'something is held still',
      );
    }
    assert.equal(lent.size, 0, 'slabs were not given back');
  });
});

test('a connection that breaks at any moment gives back every slab once', () => {
  forSeeds(200, random => {
    const ticks: Ticks = [];
    const line = new Line(random, ticks);
    for (let step = random.below(30); step > 0; step--) {
      const action = random.weighted({ send: 6, flush: 3, tick: 3, read: 1 });
      if (action === 'send') line.send(random, Buffer.alloc(random.pick([1, 1000, 50_000, 100_000]), 1));
      else if (action === 'flush') line.flush(random.chance(0.1));
      else if (action === 'tick') ticks.shift()?.();
      else line.receive(10_000);
    }
    line.socket.destroy();
    if (random.chance(0.5)) {
      line.outbox.append(Buffer.from('too late'));
      line.outbox.flush();
    }
    line.outbox.discard();
    while (ticks.length > 0) ticks.shift()?.();
    line.outbox.discard();
    assert.equal(lent.size, 0);
    assert.ok(line.loans.every(loan => loan.holders === 0));
  });
});
