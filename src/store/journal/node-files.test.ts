import assert from 'node:assert/strict';
import fs from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../../test/support/warren-process.ts';
import { NodeFiles } from './node-files.ts';

type Done = (error: Error | null, count: number, buffer: Buffer) => void;

test('a write or read that the system does in pieces is done to its end', async t => {
  const handle = new NodeFiles(temporaryDirectory(t)).open('a', 0);
  t.after(() => handle.close());
  const { write, read, readSync } = fs;
  // At most three bytes at a time, as a system may that is interrupted.
  t.mock.method(fs, 'write', (fd: number, bytes: Buffer, offset: number, length: number, position: number, done: Done) =>
    write(fd, bytes, offset, Math.min(3, length), position, done),
  );
  t.mock.method(fs, 'read', (fd: number, bytes: Buffer, offset: number, length: number, position: number, done: Done) =>
    read(fd, bytes, offset, Math.min(3, length), position, done),
  );
  t.mock.method(fs, 'readSync', (fd: number, bytes: Buffer, offset: number, length: number, position: number) =>
    readSync(fd, bytes, offset, Math.min(3, length), position),
  );
  const bytes = Buffer.from('what is written in several pieces');
  assert.equal(await new Promise(resolve => handle.write(bytes, 5, resolve)), null);
  const into = Buffer.alloc(bytes.length + 10);
  const count = await new Promise(resolve => handle.read(into, 5, (error, got) => resolve(error ?? got)));
  assert.equal(count, bytes.length);
  assert.equal(into.toString('utf8', 0, bytes.length), String(bytes));
  assert.equal(handle.readSync(into.fill(0), 5), bytes.length);
  assert.equal(into.toString('utf8', 0, bytes.length), String(bytes));
});

test('a write that makes no progress is an error', async t => {
  const handle = new NodeFiles(temporaryDirectory(t)).open('a', 0);
  t.after(() => handle.close());
  t.mock.method(fs, 'write', (_fd: number, bytes: Buffer, _offset: number, _length: number, _position: number, done: Done) =>
    done(null, 0, bytes),
  );
  const error = await new Promise<Error | null>(resolve => handle.write(Buffer.from('x'), 0, resolve));
  assert.match(String(error), /a write made no progress/);
});

test('large files are removed one after the other, in the order in which that was asked for', async t => {
  const directory = temporaryDirectory(t);
  const files = new NodeFiles(directory);
  const names = ['c', 'a', 'b'];
  for (const name of names) fs.writeFileSync(join(directory, name), name);
  const begun: string[] = [];
  const { unlink } = fs;
  let underWay = 0;
  t.mock.method(fs, 'unlink', (path: string, done: (error: Error | null) => void) => {
    assert.equal(++underWay, 1);
    begun.push(basename(path));
    unlink(path, error => {
      underWay--;
      done(error);
    });
  });
  for (const name of ['c', 'not there', 'a', 'b']) files.removeLater(name);
  await new Promise<void>(resolve => files.whenRemoved(resolve));
  assert.deepEqual(begun, ['c', 'not there', 'a', 'b']);
  assert.deepEqual(files.list(), []);
  let isCalled = false;
  files.whenRemoved(() => (isCalled = true));
  assert.equal(isCalled, true);
});
