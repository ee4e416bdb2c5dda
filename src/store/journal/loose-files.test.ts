import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LargeBody } from '../../core/messages/large-body.ts';
import { LooseMessage } from '../../core/messages/loose-message.ts';
import type { FileHandle, Files } from '../../core/ports/files.ts';
import { looseHeaderBytes, LooseFiles } from './loose-files.ts';

interface Write {
  readonly bytes: Buffer;
  readonly position: number;
  readonly done: (error: Error | null) => void;
}

/** One file in memory whose writes are done when the test says so. */
class HeldFile implements FileHandle {
  readonly content = Buffer.alloc(40 * 1024 * 1024);
  readonly writes: Write[] = [];
  isClosed = false;

  write(bytes: Buffer, position: number, done: (error: Error | null) => void): void {
    this.writes.push({ bytes, position, done });
  }

  finish(error: Error | null = null): Write {
    const write = this.writes.shift() as Write;
    if (error === null) write.bytes.copy(this.content, write.position);
    write.done(error);
    return write;
  }

  sync(done: (error: Error | null) => void): void {
    done(null);
  }

  read(into: Buffer, position: number, done: (error: Error | null, bytes: number) => void): void {
    done(null, this.readSync(into, position));
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
