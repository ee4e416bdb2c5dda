// Streams in files, without a broker: where readers begin, what is kept, what recovery finds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longstr } from '../../../src/base/field-table.ts';
import type { FileHandle } from '../../../src/core/ports/files.ts';
import { MemoryFiles } from '../../../src/store/streams/memory-files.ts';
import { Random } from '../../support/random.ts';
import { SimFiles } from '../../support/sim-files.ts';
import { keepAll, readAll, StreamWorld } from '../../support/stream-world.ts';

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => String(from + index));
}

/** Changes one byte of a file. */
function flip(files: MemoryFiles, name: string, position: number): void {
  const byte = Buffer.alloc(1);
  const handle = files.openExisting(name);
  handle.readSync(byte, position);
  byte[0] = (byte[0] as number) ^ 0x10;
  handle.write(byte, position, () => {});
}

function segmentsOf(files: MemoryFiles): string[] {
  return files
    .list()
    .filter(name => name.endsWith('.stream'))
    .sort();
}

/** A stream of some hundred segments of a few chunks. */
function manySegments(files: MemoryFiles, count = 2000): StreamWorld {
  const world = new StreamWorld(files, { ...keepAll, segmentBytesMax: 2000 });
  for (let i = 0; i < count; i++) {
    world.wallMillis = 1_000_000 + i * 1000;
    world.append(String(i));
    if (i % 3 === 2) world.commit();
  }
  world.commit();
  return world;
}

test('messages come back in order with their offsets, again and again', () => {
  const world = new StreamWorld(new MemoryFiles());
  world.append('a', { contentType: 'text/plain', headers: new Map([['k', longstr('v')]]) });
  world.append('b');
  assert.equal(world.log.endOffset, 0, 'what is not durable is not there');
  assert.deepEqual(world.bodies(), []);
  world.commit();
  assert.equal(world.log.endOffset, 2);
  const [first, second] = world.read();
  assert.deepEqual(
    [...(first?.properties.headers ?? [])],
    [
      ['k', longstr('v')],
      ['x-stream-offset', { type: 'l', value: 0 }],
    ],
  );
  assert.equal(first?.properties.contentType, 'text/plain');
  assert.deepEqual([second?.offset, second?.body], [1, 'b']);
  assert.deepEqual(world.bodies(), ['a', 'b']);
});

test('a reader goes on as the stream grows, from memory and from the file', () => {
  const world = new StreamWorld(new MemoryFiles());
  world.appendEach('a', 'b');
  let woken = 0;
  const reader = world.log.read({ kind: 'first' }, null, () => woken++);
  assert.deepEqual(
    readAll(reader).map(m => m.body),
    ['a', 'b'],
  );
  for (let i = 0; i < 100; i++) {
    world.appendEach(`c${i}`);
    assert.deepEqual(
      readAll(reader).map(m => m.body),
      [`c${i}`],
    );
  }
  assert.equal(world.store.memory.usedBytes, 0, 'whoever is at the end holds no buffer');
  reader.close();
  world.appendEach('d');
  assert.equal(reader.next(), false);
});

test('a reader finds any offset, in any segment', () => {
  const world = manySegments(new MemoryFiles());
  assert.ok(world.log.segmentCount > 50);
  for (const offset of [0, 1, 2, 3, 500, 999, 1000, 1001, 1997, 1999]) {
    const found = world.read({ kind: 'offset', offset });
    assert.equal(found[0]?.offset, offset);
    assert.equal(found.length, 2000 - offset);
    assert.deepEqual(
      found.map(m => Number(m.body)),
      found.map(m => m.offset),
    );
  }
  assert.deepEqual(world.bodies({ kind: 'offset', offset: 2000 }), []);
});

test('an offset beyond the end leaves out what comes before it', () => {
  const world = new StreamWorld(new MemoryFiles());
  world.appendEach('0', '1');
  const reader = world.log.read({ kind: 'offset', offset: 4 }, null, () => {});
  world.appendEach('2', '3', '4', '5');
  assert.deepEqual(
    readAll(reader).map(m => m.body),
    ['4', '5'],
  );
});

test('a reader finds a time: nothing that came then or later is left out, nor is a chunk that was closed before shown', () => {
  const world = manySegments(new MemoryFiles());
  for (const index of [0, 1, 10, 777, 1500, 1996]) {
    const found = world.read({ kind: 'time', wallMillis: 1_000_000 + index * 1000 });
    const first = Number(found[0]?.body);
    assert.ok(first <= index && first > index - 3, `${first} for ${index}`);
    assert.equal(found.length, 2000 - first);
  }
  assert.equal(world.read({ kind: 'time', wallMillis: 0 }).length, 2000);
  assert.deepEqual(world.bodies({ kind: 'time', wallMillis: 9e12 }), []);
});

test('a reader that asks for a time while messages of that time are on their way to the disk gets them', () => {
  const world = new StreamWorld(new MemoryFiles());
  world.append('old');
  world.commit();
  world.wallMillis += 1000;
  world.append('new');
  const reader = world.log.read({ kind: 'time', wallMillis: world.wallMillis }, null, () => {});
  assert.equal(reader.next(), false);
  world.commit();
  assert.deepEqual(
    readAll(reader).map(({ body }) => body),
    ['new'],
  );
  reader.close();
});

test('after a start with nothing in the last segment, the last chunk and times are found in the one before', () => {
  const files = new MemoryFiles();
  const retention = { ...keepAll, segmentBytesMax: 300 };
  let world = new StreamWorld(files, retention);
  for (const body of ['a', 'b', 'c']) {
    world.wallMillis += 1000;
    world.appendEach(body.repeat(200));
  }
  const end = world.wallMillis;
  world.stop();
  const [last = ''] = segmentsOf(files).slice(-1);
  assert.ok(last.includes('-0000000000000003'), `${last} has only the mark of the clean stop`);
  world = new StreamWorld(files, retention);
  assert.deepEqual(world.bodies({ kind: 'last' }), ['c'.repeat(200)]);
  assert.deepEqual(world.bodies({ kind: 'time', wallMillis: end - 1000 }), ['b'.repeat(200), 'c'.repeat(200)]);
});

test('when several segments go at once, a loss of power leaves the younger ones of them', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed);
    const files = new SimFiles(random);
    const settle = (): void => {
      while (files.step());
    };
    const world = new StreamWorld(files, { ...keepAll, segmentBytesMax: 300 }, {}, settle);
    const commit = (): void => {
      world.store.take();
      world.store.write(error => {
        assert.equal(error, null);
        world.store.committed();
      });
    };
    for (const body of ['a', 'b', 'c', 'd', 'e', 'f']) {
      world.append(body.repeat(200));
      commit();
      settle();
    }
    world.log.retain({ ...keepAll, segmentBytesMax: 300, bytesMax: 600 }, world.wallMillis);
    assert.equal(world.log.segmentCount, 1);
    commit();
    for (let steps = random.below(10); steps > 0 && files.step(); steps--);
    const after = files.cutPower({ data: 'none', names: 'random' });
    const found = new StreamWorld(after, keepAll, {}, () => {
      while (after.step());
    });
    assert.deepEqual(found.bodies(), ['a', 'b', 'c', 'd', 'e', 'f'].map(body => body.repeat(200)).slice(found.log.firstOffset));
    assert.deepEqual(found.errors, []);
  }
});

test('the last chunk, the next message, and an empty stream', () => {
  const world = new StreamWorld(new MemoryFiles());
  assert.deepEqual(world.bodies({ kind: 'last' }), []);
  world.appendEach('a');
  world.append('b');
  world.append('c');
  world.commit();
  assert.deepEqual(world.bodies({ kind: 'last' }), ['b', 'c']);
  world.append('d');
  const reader = world.log.read({ kind: 'next' }, null, () => {});
  world.commit();
  assert.deepEqual(readAll(reader), [], 'what was appended before is not next');
  world.appendEach('e');
  assert.deepEqual(
    readAll(reader).map(m => m.body),
    ['e'],
  );
});

test('large messages and small ones, one after the other, through blocks and chunks', () => {
  const files = new MemoryFiles();
  const world = new StreamWorld(files);
  const bodies = [10, 70_000, 5, 300_000, 1, 1_000_000, 64 * 1024, 64 * 1024 - 100, 0, 262_144].map((bytes, index) =>
    String(index).repeat(bytes),
  );
  for (const [index, body] of bodies.entries()) {
    world.append(body);
    if (index % 2 === 0) world.commit();
  }
  world.commit();
  assert.deepEqual(world.bodies(), bodies);
  world.stop();
  assert.deepEqual(new StreamWorld(files).bodies(), bodies);
});

test('the oldest segments go when the stream is too long, never the last', () => {
  const files = new MemoryFiles();
  const world = new StreamWorld(files, { ...keepAll, segmentBytesMax: 2000, bytesMax: 5000 });
  for (let i = 0; i < 500; i++) world.appendEach(String(i));
  world.commit();
  assert.ok(world.log.bytes <= 5000 + 2000, String(world.log.bytes));
  assert.ok(world.log.firstOffset > 400);
  assert.deepEqual(world.bodies(), numbers(world.log.firstOffset, 500));
  assert.deepEqual(world.bodies({ kind: 'offset', offset: 3 }), numbers(world.log.firstOffset, 500));
  assert.equal(segmentsOf(files).length, world.log.segmentCount, 'files go with their segments');
});

test('the oldest segments go when all in them is too old, also when an operator says so later', () => {
  const world = manySegments(new MemoryFiles());
  const now = 1_000_000 + 2000 * 1000;
  world.log.retain({ ...keepAll, segmentBytesMax: 2000, ageMillisMax: 100_000 }, now);
  const { firstOffset } = world.log;
  assert.ok(firstOffset > 1800 && firstOffset <= 1900, String(firstOffset));
  world.log.retain({ ...keepAll, segmentBytesMax: 2000, ageMillisMax: 1 }, now);
  assert.equal(world.log.segmentCount, 1);
  assert.equal(world.log.endOffset, 2000);
});

test('a reader whose messages were given up goes on with the oldest that are left', () => {
  const world = new StreamWorld(new MemoryFiles(), { ...keepAll, segmentBytesMax: 1000 });
  world.appendEach(...numbers(0, 100));
  const reader = world.log.read({ kind: 'first' }, null, () => {});
  assert.ok(reader.next());
  world.log.retain({ ...keepAll, segmentBytesMax: 1000, bytesMax: 1500 }, world.wallMillis);
  const rest = readAll(reader).map(m => m.offset);
  assert.equal(rest.at(-1), 99);
  assert.ok(rest.includes(world.log.firstOffset));
});

test('chunks without a wanted filter value are passed over, and in the others only what was asked for is shown', () => {
  const world = new StreamWorld(new MemoryFiles());
  for (let i = 0; i < 300; i++) {
    const value = i % 3 === 0 ? 'invoice' : i % 3 === 1 ? 'order' : null;
    const headers = value === null ? new Map() : new Map([['x-stream-filter-value', longstr(value)]]);
    world.append(String(i), { headers }, value);
    if (i % 10 === 9) world.commit();
  }
  const wanted = (modulo: number[]): string[] => numbers(0, 300).filter(text => modulo.includes(Number(text) % 3));
  assert.deepEqual(world.bodies({ kind: 'first' }, { values: ['invoice'], matchesUnfiltered: false }), wanted([0]));
  assert.deepEqual(world.bodies({ kind: 'first' }, { values: ['order', 'invoice'], matchesUnfiltered: false }), wanted([0, 1]));
  assert.deepEqual(world.bodies({ kind: 'first' }, { values: ['order'], matchesUnfiltered: true }), wanted([1, 2]));
  assert.deepEqual(world.bodies({ kind: 'first' }, { values: ['receipt'], matchesUnfiltered: false }), []);
  assert.deepEqual(world.bodies({ kind: 'first' }, { values: [], matchesUnfiltered: true }), wanted([2]));
});

test('a start finds everything where it was, and goes on with the next offset', () => {
  const files = new MemoryFiles();
  manySegments(files).stop();
  const again = new StreamWorld(files, { ...keepAll, segmentBytesMax: 2000 });
  assert.deepEqual([again.report.streams, again.report.messages, again.report.tornBytes, again.report.damaged], [1, 2000, 0, []]);
  assert.deepEqual(again.bodies(), numbers(0, 2000));
  assert.deepEqual(again.bodies({ kind: 'last' }), ['1998', '1999']);
  assert.equal(again.append('2000'), 2000);
  again.commit();
  assert.deepEqual(again.bodies({ kind: 'offset', offset: 1999 }), ['1999', '2000']);
  assert.deepEqual(again.bodies({ kind: 'time', wallMillis: 1_000_000 + 1990 * 1000 }).length, 12);
});

test('a removed stream leaves no file', () => {
  const files = new MemoryFiles();
  const world = manySegments(files);
  world.log.remove();
  world.commit();
  assert.deepEqual(files.list(), []);
});

test('files of streams that do not exist go, but for when the journal is not complete', () => {
  const files = new MemoryFiles();
  files.open('77-0000000000000000.stream', 10);
  files.open('notes.txt', 10);
  assert.equal(new StreamWorld(files).report.orphans, 1);
  assert.deepEqual(files.list(), ['notes.txt']);
});

test('an unfinished write at the end is cut at every byte, and what is written after it is never mixed with it', () => {
  const files = new MemoryFiles();
  const world = new StreamWorld(files);
  world.appendEach('a', 'b');
  const durableBytes = world.log.bytes;
  world.append('c');
  world.append('d');
  world.commit();
  const [name] = segmentsOf(files) as [string];
  const whole = files.readWhole(name);
  for (let bytes = durableBytes; bytes < whole.length; bytes += 7) {
    const torn = new MemoryFiles();
    torn.open(name, 0).write(whole.subarray(0, bytes), 0, () => {});
    const after = new StreamWorld(torn);
    assert.deepEqual(after.bodies(), ['a', 'b'], `cut at ${bytes}`);
    assert.equal(after.report.tornBytes, bytes - durableBytes);
    assert.deepEqual(after.report.damaged, []);
    after.appendEach('e', 'f');
    assert.deepEqual(after.bodies(), ['a', 'b', 'e', 'f']);
    const later = new StreamWorld(torn);
    assert.deepEqual(later.bodies(), ['a', 'b', 'e', 'f']);
    assert.deepEqual(
      later.read({ kind: 'offset', offset: 3 }).map(m => m.body),
      ['f'],
    );
  }
});

test('an unfinished first write leaves an empty stream', () => {
  const files = new MemoryFiles();
  const world = new StreamWorld(files);
  world.append('a');
  world.commit();
  const [name] = segmentsOf(files) as [string];
  const torn = new MemoryFiles();
  torn.open(name, 0).write(files.readWhole(name).subarray(0, 80), 0, () => {});
  const after = new StreamWorld(torn);
  assert.deepEqual(after.bodies(), []);
  after.appendEach('b');
  assert.deepEqual(new StreamWorld(torn).bodies(), ['b']);
});

test('damage anywhere never shows a wrong message, costs the chunk it is in, and is told', () => {
  const files = new MemoryFiles();
  const world = new StreamWorld(files);
  for (let i = 0; i < 60; i++) {
    world.append(`message ${i}`);
    if (i % 3 === 2) world.commit();
  }
  world.stop();
  const [name] = segmentsOf(files) as [string];
  const bytes = files.sizeOf(name);
  const written = new Map(world.read().map(m => [m.offset, m.body]));
  // The mark at the end stands for no message.
  for (let position = 0; position < bytes - 64; position += 11) {
    const damaged = new MemoryFiles();
    damaged.open(name, 0).write(files.readWhole(name), 0, () => {});
    flip(damaged, name, position);
    const after = new StreamWorld(damaged);
    const found = after.read();
    for (const message of found) assert.equal(message.body, written.get(message.offset), `flipped at ${position}`);
    assert.equal(found.length, 57, `flipped at ${position}`);
    assert.ok(after.report.damaged.length + after.errors.length > 0, `nothing told of ${position}`);
    assert.equal(after.append('next'), 60);
    assert.ok(damaged.list().some(file => file.endsWith('.quarantine')));
  }
});

test('damage in an older segment costs no more than its chunk', () => {
  const files = new MemoryFiles();
  manySegments(files, 300).stop();
  const names = segmentsOf(files);
  const middle = names[5] as string;
  flip(files, middle, 100);
  const after = new StreamWorld(files, { ...keepAll, segmentBytesMax: 2000 });
  const found = after.read();
  assert.equal(found.length, 297);
  for (const { offset, body } of found) assert.equal(Number(body), offset);
  assert.equal(after.errors.length, 1);
});

test('a segment that is missing or cut short is told and passed over', () => {
  const files = new MemoryFiles();
  manySegments(files, 300).stop();
  const names = segmentsOf(files);
  files.remove(names[4] as string);
  const short = files.readWhole(names[8] as string).subarray(0, 500);
  files.remove(names[8] as string);
  files.open(names[8] as string, 0).write(short, 0, () => {});
  const after = new StreamWorld(files, { ...keepAll, segmentBytesMax: 2000 });
  const found = after.read();
  assert.ok(found.length < 300 && found.length > 200);
  assert.equal(found.at(-1)?.offset, 299);
  for (const { offset, body } of found) assert.equal(Number(body), offset);
  assert.ok(after.errors.length >= 2);
});

test('a thousand streams that are written in one commit have a bounded number of files open', () => {
  let open = 0;
  let most = 0;
  class CountingFiles extends SimFiles {
    override open(name: string, bytes: number): FileHandle {
      const handle = super.open(name, bytes);
      most = Math.max(most, ++open);
      return {
        write: (...args) => handle.write(...args),
        sync: done => handle.sync(done),
        read: (...args) => handle.read(...args),
        writeSync: (...args) => handle.writeSync(...args),
        readSync: (...args) => handle.readSync(...args),
        close() {
          open--;
          handle.close();
        },
      };
    }
  }
  const files = new CountingFiles();
  const settle = (): void => {
    while (files.step());
  };
  const world = new StreamWorld(files, keepAll, {}, settle);
  const logs = Array.from({ length: 1000 }, (_, index) => world.store.open(index + 2, keepAll));
  for (const log of logs) world.append('x', {}, null, log);
  world.store.take();
  let isDone = false;
  world.store.write(error => {
    assert.equal(error, null);
    world.store.committed();
    isDone = true;
  });
  settle();
  assert.ok(isDone);
  assert.ok(logs.every(log => log.endOffset === 1));
  assert.ok(most <= 256 + 64, String(most));
});

test('readers share a bounded memory, and none of them is left behind', () => {
  const files = new MemoryFiles();
  const world = new StreamWorld(files, keepAll, { readBytesMax: 600_000 });
  const body = 'x'.repeat(1000);
  for (let i = 0; i < 3000; i++) world.append(`${i}:${body}`);
  world.commit();
  const readers = Array.from({ length: 10 }, (_, index) => world.log.read({ kind: 'offset', offset: index * 250 }, null, () => {}));
  const next = readers.map((_, index) => index * 250);
  let most = 0;
  for (let isBusy = true; isBusy; ) {
    isBusy = false;
    for (const [index, reader] of readers.entries()) {
      for (let count = 0; count < 37 && reader.next(); count++) {
        assert.equal(reader.offset, next[index]);
        assert.equal(reader.bytes.toString('utf8', reader.bodyStart, reader.bodyStart + 6).split(':')[0], String(next[index]));
        next[index] = reader.offset + 1;
        isBusy = true;
      }
      most = Math.max(most, world.store.memory.usedBytes);
    }
  }
  assert.deepEqual(
    next,
    readers.map(() => 3000),
  );
  assert.ok(most <= 600_000, String(most));
});
