import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimFiles, systemError } from '../../../test/support/sim-files.ts';
import { Random } from '../../../test/support/random.ts';
import type { FileHandle, Files } from '../../core/ports/files.ts';
import { LimitedFiles } from './limited-files.ts';

/** Files of a process that may have so many open. */
class FewFiles {
  readonly sim = new SimFiles(new Random(1));
  openCount = 0;
  openMost = 0;
  max = Infinity;

  readonly files: Files = {
    list: () => this.sim.list(),
    sizeOf: name => this.sim.sizeOf(name),
    open: (name, bytes) => this.#opened(() => this.sim.open(name, bytes)),
    openExisting: name => this.#opened(() => this.sim.openExisting(name)),
    rename: (from, to) => this.sim.rename(from, to),
    remove: name => this.sim.remove(name),
    removeLater: name => this.sim.removeLater(name),
    whenRemoved: done => this.sim.whenRemoved(done),
    copy: (from, to, done) => this.sim.copy(from, to, done),
    syncDirectory: done => (this.openCount < this.max ? this.sim.syncDirectory(done) : done(systemError('EMFILE', '.'))),
    readWhole: name => this.sim.readWhole(name),
  };

  settle(): void {
    while (this.sim.step());
  }

  #opened(open: () => FileHandle): FileHandle {
    if (this.openCount >= this.max) throw systemError('EMFILE', 'open');
    const handle = open();
    this.openMost = Math.max(this.openMost, ++this.openCount);
    return { ...handle, close: () => (this.openCount--, handle.close()) };
  }
}

function write(few: FewFiles, handle: FileHandle, text: string, andSync = true): void {
  let open = andSync ? 2 : 1;
  handle.write(Buffer.from(text), 0, error => {
    assert.equal(error, null);
    open--;
    if (!andSync) return;
    handle.sync(syncError => {
      assert.equal(syncError, null);
      open--;
    });
  });
  few.settle();
  assert.equal(open, 0);
}

function read(few: FewFiles, handle: FileHandle): string {
  const into = Buffer.alloc(10);
  let text = '';
  handle.read(into, 0, (error, count) => {
    assert.equal(error, null);
    text = into.toString('utf8', 0, count);
  });
  few.settle();
  return text;
}

test('no more files than allowed are open, and each is read as if it were', () => {
  const few = new FewFiles();
  const limited = new LimitedFiles(few.files, 4);
  const handles = Array.from({ length: 50 }, (_, i) => limited.open(`f${i}`, 0));
  handles.forEach((handle, i) => write(few, handle, `text ${i}`));
  assert.equal(limited.openCount, 4);
  handles.forEach((handle, i) => assert.equal(read(few, handle), `text ${i}`));
  assert.equal(few.openCount, 4);
  assert.equal(few.openMost, 5);
  for (const handle of handles) handle.close();
  assert.equal(few.openCount, 0);
});

test('what was written and not synced stays open: its sync must be asked of the same descriptor', () => {
  const few = new FewFiles();
  const limited = new LimitedFiles(few.files, 2);
  const dirty = Array.from({ length: 5 }, (_, i) => limited.open(`f${i}`, 0));
  for (const handle of dirty) write(few, handle, 'x', false);
  assert.equal(few.openCount, 5);
  let synced = 0;
  for (const handle of dirty) handle.sync(error => (assert.equal(error, null), synced++));
  few.settle();
  assert.equal(synced, 5);
  write(few, limited.open('g', 0), 'y');
  assert.equal(few.openCount, 2);
});

test('where the process has no descriptor left one of ours is given up', () => {
  const few = new FewFiles();
  const limited = new LimitedFiles(few.files, 64);
  const handles = Array.from({ length: 10 }, (_, i) => limited.open(`f${i}`, 0));
  handles.forEach((handle, i) => write(few, handle, `text ${i}`));
  few.max = 10;
  const another = limited.open('another', 0);
  write(few, another, 'more');
  handles.forEach((handle, i) => assert.equal(read(few, handle), `text ${i}`));
  assert.ok(few.openCount <= 10);
});

test('a commit that touches more files than can be open takes what was kept aside, and that goes with the last file', () => {
  const few = new FewFiles();
  let reserved = 0;
  const limited = new LimitedFiles(few.files, 64, () => {
    if (few.openCount >= few.max) throw systemError('EMFILE', 'reserve');
    few.openCount++;
    reserved++;
    return { close: () => (few.openCount--, reserved--) };
  });
  const first = limited.open('first', 0);
  write(few, first, 'x', false);
  assert.equal(reserved, 4);
  few.max = few.openCount;
  const others = ['a', 'b', 'c'].map(name => limited.open(name, 0));
  for (const handle of others) write(few, handle, 'y', false);
  assert.ok(few.openCount <= few.max);
  assert.equal(reserved, 1);
  for (const handle of [first, ...others]) handle.close();
  assert.deepEqual([few.openCount, reserved], [0, 0]);
});

test('where none of ours can be given up, what is to be done waits for one', async () => {
  const few = new FewFiles();
  const limited = new LimitedFiles(few.files, 64);
  few.max = 0;
  const handle = limited.open('late', 100);
  const events: string[] = [];
  const isDone = new Promise<void>(resolve => {
    handle.write(Buffer.from('text'), 0, writeError => {
      events.push(`write ${writeError}`);
      handle.sync(syncError => {
        events.push(`sync ${syncError}`);
        limited.syncDirectory(error => {
          events.push(`directory ${error}`);
          resolve();
        });
      });
    });
  });
  few.settle();
  assert.deepEqual(events, []);
  assert.deepEqual(few.sim.list(), []);
  few.max = 2;
  const timer = setInterval(() => few.settle(), 5);
  await isDone;
  clearInterval(timer);
  assert.deepEqual(events, ['write null', 'sync null', 'directory null']);
  assert.equal(few.sim.sizeOf('late'), 100);
});

test('any other error of opening is told at once', () => {
  const few = new FewFiles();
  const limited = new LimitedFiles(few.files, 64);
  assert.throws(() => limited.openExisting('missing'), /ENOENT/);
});
