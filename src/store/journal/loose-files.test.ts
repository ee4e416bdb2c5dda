import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockPool } from '../../core/messages/block-pool.ts';
import { LargeBody } from '../../core/messages/large-body.ts';
import { LooseMessage } from '../../core/messages/loose-message.ts';
import type { FileHandle, Files } from '../../core/ports/files.ts';
import { looseHeaderBytes, LooseFiles, problemOf } from './loose-files.ts';

interface Write {
  readonly bytes: Buffer;
  readonly position: number;
  readonly done: (error: Error | null) => void;
}

/** One file in memory whose writes, and if wanted reads, are done when the test says so. */
class HeldFile implements FileHandle {
  content = Buffer.alloc(40 * 1024 * 1024);
  readonly writes: Write[] = [];
  holdsReads = false;
  readonly reads: ((error?: Error) => void)[] = [];
  isClosed = false;
  writtenBytes = 0;
  syncCount = 0;

  write(bytes: Buffer, position: number, done: (error: Error | null) => void): void {
    this.writes.push({ bytes, position, done });
  }

  finish(error: Error | null = null): Write {
    const write = this.writes.shift() as Write;
    if (error === null) {
      write.bytes.copy(this.content, write.position);
      this.writtenBytes += write.bytes.length;
    }
    write.done(error);
    return write;
  }

  sync(done: (error: Error | null) => void): void {
    this.syncCount++;
    done(null);
  }

  read(into: Buffer, position: number, done: (error: Error | null, bytes: number) => void): void {
    const finish = (error: Error | null = null): void => done(error, error === null ? this.readSync(into, position) : 0);
    if (this.holdsReads) this.reads.push(finish);
    else finish();
  }

  writeSync(): never {
    throw new Error('large bodies are never written at once');
  }

  readSync(into: Buffer, position: number): number {
    return this.content.copy(into, 0, position);
  }

  close(): void {
    this.isClosed = true;
  }
}

function setUp(partCount: number): { file: HeldFile; removed: string[]; files: LooseFiles; message: LooseMessage; body: Buffer } {
  const file = new HeldFile();
  const removed: string[] = [];
  const directory: Files = {
    list: () => [],
    sizeOf: () => 0,
    open: () => file,
    openExisting: () => file,
    rename: () => {},
    remove: name => void removed.push(name),
    removeLater: name => void removed.push(name),
    whenRemoved: done => done(),
    copy: (_, __, done) => done(null),
    syncDirectory: done => done(null),
    readWhole: () => Buffer.alloc(0),
  };
  const parts = Array.from({ length: partCount }, (_, index) => Buffer.alloc(128 * 1024, index));
  const body = Buffer.concat(parts);
  const message = new LooseMessage(7, false, Buffer.alloc(0), Buffer.alloc(0), LargeBody.of(parts), body.length);
  return { file, removed, files: new LooseFiles(directory), message, body };
}

test('a large body is written sixteen pieces at a time, its header last, and read back as it was', () => {
  const { file, files, message, body } = setUp(100);
  let result: Error | null | undefined;
  files.writePage(message, error => (result = error));
  // What the message gives up meanwhile is not missed.
  message.body?.release();
  message.body = null;
  const positions: number[] = [];
  while (file.writes.length > 0) {
    assert.ok(file.writes.length <= 16);
    assert.equal(result, undefined);
    positions.push(file.finish().position);
  }
  assert.equal(result, null);
  assert.equal(file.isClosed, true);
  assert.equal(positions.length, 101);
  assert.equal(positions.at(-1), 0);
  assert.equal(positions[1], looseHeaderBytes + 128 * 1024);
  assert.ok(files.readNow(message)?.toBuffer().equals(body));
});

test('a piece that cannot be written ends it: nothing more is written, the error is told once and the file goes', () => {
  const { file, removed, files, message } = setUp(100);
  const results: (Error | null)[] = [];
  files.writePage(message, error => results.push(error));
  file.finish();
  file.finish(new Error('no space'));
  assert.equal(file.writes.length, 15);
  while (file.writes.length > 0) {
    assert.deepEqual(results, []);
    file.finish();
  }
  assert.deepEqual(
    results.map(error => error?.message),
    ['no space'],
  );
  assert.deepEqual(removed, ['page-7.tmp']);
});

/** Lets a file's writes and reads be done, until there are none. */
function finishAll(file: HeldFile): void {
  while (file.writes.length > 0) file.finish();
}

test('a large body is read back four blocks at a time, whichever comes first', () => {
  const { file, files, message, body } = setUp(100);
  files.writePage(message, () => {});
  finishAll(file);
  file.holdsReads = true;
  let result: { error: Error | null; body: LargeBody | null } | undefined;
  files.read(message, (error, read) => (result = { error, body: read }));
  let most = 0;
  let count = 0;
  while (file.reads.length > 0) {
    most = Math.max(most, file.reads.length);
    assert.equal(result, undefined);
    count++;
    (count % 2 === 0 ? file.reads.pop() : file.reads.shift())?.();
  }
  assert.equal(most, 4);
  assert.equal(count, 51, 'a header and 50 blocks of 256 KiB');
  assert.equal(result?.error, null);
  assert.ok(result.body?.toBuffer().equals(body));
  assert.equal(file.isClosed, true);
});

const spoilings: [what: string, spoil: (file: HeldFile, length: number) => void, text: RegExp][] = [
  [
    'a bit is another',
    (file, length) => void (file.content[length - 5] = (file.content[length - 5] as number) ^ 1),
    /its checksum does not fit/,
  ],
  ['its last byte is missing', (file, length) => void (file.content = file.content.subarray(0, length - 1)), /cut short/],
  ['half of it is missing', (file, length) => void (file.content = file.content.subarray(0, length / 2)), /cut short/],
  ['half of its header is missing', file => void (file.content = file.content.subarray(0, 16)), /cut short/],
  ['its header is damaged', file => void (file.content[9] = 1), /its header is damaged/],
];
for (const [what, spoil, text] of spoilings)
  test(`a large body is not read back when ${what}, and its blocks are given back`, () => {
    const { file, files, message, body } = setUp(20);
    files.writePage(message, () => {});
    finishAll(file);
    spoil(file, looseHeaderBytes + body.length);
    const before = blockPool.freeBytes;
    const results: (Error | null)[] = [];
    files.read(message, (error, read) => {
      assert.equal(read, null);
      results.push(error);
    });
    assert.equal(results.length, 1);
    assert.match(String(results[0]), text);
    assert.ok(blockPool.freeBytes >= before);
    assert.equal(file.isClosed, true);
    assert.equal(files.readNow(message), null);
  });

test('a read that fails ends it when the others under way are done, and is told once', () => {
  const { file, files, message } = setUp(100);
  files.writePage(message, () => {});
  finishAll(file);
  file.holdsReads = true;
  const results: (Error | null)[] = [];
  files.read(message, error => results.push(error));
  file.reads.shift()?.();
  file.reads.shift()?.(new Error('no such block'));
  assert.equal(file.reads.length, 3);
  while (file.reads.length > 0) {
    assert.deepEqual(results, []);
    file.reads.shift()?.();
  }
  assert.deepEqual(
    results.map(error => error?.message),
    ['no such block'],
  );
});

test('32 MiB of large bodies may wait to be written, one more and whoever publishes such waits until they are', () => {
  const { file, files, body } = setUp(256);
  const publish = (id: number, parts: number): void =>
    files.store(
      new LooseMessage(
        id,
        true,
        Buffer.alloc(0),
        Buffer.alloc(0),
        LargeBody.of([body.subarray(0, parts * 128 * 1024)]),
        parts * 128 * 1024,
      ),
    );
  let calls = 0;
  publish(1, 256);
  assert.equal(files.isBehind, false);
  files.onCaughtUp(() => calls++);
  assert.equal(calls, 1, 'it was not behind');
  publish(2, 1);
  assert.equal(files.isBehind, true);
  files.onCaughtUp(() => calls++);
  assert.equal(calls, 1);
  finishAll(file);
  assert.equal(files.isBehind, false);
  assert.equal(calls, 2);
});

/** A body of so many pieces that is coming. */
function coming(pieces: number): { body: LargeBody; bytes: Buffer; grow(): void } {
  const bytes = Buffer.alloc(pieces * 256 * 1024);
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(at, at);
  const body = LargeBody.empty();
  return { body, bytes, grow: () => body.append(bytes, body.bytes, body.bytes + 128 * 1024, bytes.length) };
}

test('of a body that is coming what is full is written, and what was written is synced by 8 MiB', () => {
  const { file, files } = setUp(0);
  const { body, bytes, grow } = coming(80);
  body.stage = files.stage(body, 9);
  while (body.bytes < bytes.length) {
    grow();
    finishAll(file);
    assert.ok(file.writtenBytes <= body.bytes && file.writtenBytes >= body.bytes - 512 * 1024, `${file.writtenBytes} of ${body.bytes}`);
  }
  assert.equal(file.syncCount, 2);
  files.store(new LooseMessage(9, true, Buffer.alloc(0), Buffer.alloc(0), body, bytes.length));
  assert.equal(body.stage, null);
  assert.ok(file.writes.length <= 3);
  finishAll(file);
  let result: Error | null | undefined;
  files.sync(files.take(), error => (result = error));
  assert.equal(result, null);
  assert.equal(problemOf(file.content, file.content.length, 9, bytes.length), null);
});

test('what cannot be written of a body that is coming is told of when its message is to be durable, and to nobody when there is none', () => {
  for (const becomesMessage of [true, false]) {
    const { file, files, removed } = setUp(0);
    const { body, bytes, grow } = coming(20);
    body.stage = files.stage(body, 9);
    while (body.bytes < bytes.length) grow();
    file.finish(new Error('no such block'));
    finishAll(file);
    const writtenBytes = file.writtenBytes;
    if (becomesMessage) {
      files.store(new LooseMessage(9, true, Buffer.alloc(0), Buffer.alloc(0), body, bytes.length));
      let result: Error | null | undefined;
      files.sync(files.take(), error => (result = error));
      assert.match(String(result), /no such block/);
    } else {
      body.release();
      assert.deepEqual(removed, ['loose-9.msg']);
      assert.equal(file.isClosed, true);
    }
    assert.equal(file.writtenBytes, writtenBytes, 'written on');
  }
});
