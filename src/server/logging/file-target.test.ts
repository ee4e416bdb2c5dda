import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { waitUntil } from '../../../test/support/wait-until.ts';
import { FileTarget } from './file-target.ts';
import { backlogCharsMax } from './log-target.ts';
import type { FileRotation } from './rotation.ts';

const root = mkdtempSync(join(tmpdir(), 'warren-log-'));
after(() => rmSync(root, { recursive: true }));
let fileCount = 0;

function target(rotation: Partial<FileRotation> = {}) {
  const path = join(root, String(++fileCount), 'logs', 'warren.log');
  const errors: Error[] = [];
  const all: FileRotation = { bytesMax: 0, count: 3, compress: false, nextMillis: () => Infinity, ...rotation };
  const file = new FileTarget({ path, rotation: all }, error => errors.push(error));
  return { path, file, errors, read: (ending = '') => readFileSync(path + ending, 'utf8') };
}

test('lines are appended in order, and the file survives being opened again', async () => {
  const { path, file, read } = target();
  for (let index = 0; index < 1000; index++) file.write(`line ${index}\n`);
  await file.flush(5000);
  file.close();
  const again = new FileTarget({ path, rotation: { bytesMax: 0, count: 3, compress: false, nextMillis: () => Infinity } }, () => {});
  again.write('last\n');
  await again.flush(5000);
  again.close();
  const lines = read().trimEnd().split('\n');
  assert.deepEqual(lines, [...Array.from({ length: 1000 }, (_, index) => `line ${index}`), 'last']);
  assert.equal(statSync(path).mode & 0o007, 0);
});

test('a file that was moved away is made anew on reopen', async () => {
  const { path, file, read } = target();
  file.write('before\n');
  renameSync(path, `${path}.moved`);
  file.reopen();
  await file.flush(5000);
  file.write('after\n');
  await file.flush(5000);
  assert.equal(read('.moved'), 'before\n');
  assert.equal(read(), 'after\n');
});

test('a file that would grow beyond its size is put aside, and only so many are kept', async () => {
  const { path, file, read } = target({ bytesMax: 20, count: 2 });
  for (const letter of 'abcde') {
    file.write(`${letter.repeat(14)}\n`);
    await file.flush(5000);
  }
  assert.deepEqual(readdirSync(join(path, '..')).sort(), ['warren.log', 'warren.log.0', 'warren.log.1']);
  assert.deepEqual(
    [read(), read('.0'), read('.1')],
    ['e', 'd', 'c'].map(letter => `${letter.repeat(14)}\n`),
  );
});

test('without older files to keep, a full file is emptied', async () => {
  const { path, file, read } = target({ bytesMax: 20, count: 0 });
  for (const letter of 'ab') {
    file.write(`${letter.repeat(14)}\n`);
    await file.flush(5000);
  }
  assert.deepEqual(readdirSync(join(path, '..')), ['warren.log']);
  assert.equal(read(), `${'b'.repeat(14)}\n`);
});

test('a file begins anew when its time has come', async () => {
  let next = Infinity;
  const { path, file, read } = target({ nextMillis: () => next });
  file.write('yesterday\n');
  await file.flush(5000);
  assert.equal(existsSync(`${path}.0`), false);
  next = 0;
  file.reopen();
  next = Infinity;
  file.write('today\n');
  await file.flush(5000);
  assert.deepEqual([read(), read('.0')], ['today\n', 'yesterday\n']);
});

test('older files are compressed', async () => {
  const { path, file } = target({ bytesMax: 20, compress: true });
  for (const letter of 'ab') {
    file.write(`${letter.repeat(14)}\n`);
    await file.flush(5000);
  }
  await waitUntil(() => existsSync(`${path}.0.gz`) && !existsSync(`${path}.0`));
  assert.equal(gunzipSync(readFileSync(`${path}.0.gz`)).toString(), `${'a'.repeat(14)}\n`);
});

test('a line after a pause is written at once, and lines that come soon after it gather', async () => {
  const { file, read } = target();
  file.write('first\n');
  await waitUntil(() => read() === 'first\n');
  file.write('second\n');
  file.write('third\n');
  assert.equal(read(), 'first\n');
  await waitUntil(() => read() === 'first\nsecond\nthird\n');
});

test('lines that wait are in the file after flush, and behind them comes what is written last', async () => {
  const { file, read } = target();
  file.write('first\n');
  await file.flush(5000);
  file.write('second\n');
  await file.flush(5000);
  assert.equal(read(), 'first\nsecond\n');
  file.write('third\n');
  file.writeLast('last\n');
  assert.equal(read(), 'first\nsecond\nthird\nlast\n');
});

test('last words are in the file at once, after what was written before', () => {
  const { file, read } = target();
  file.write('first\n');
  file.write('second\n');
  file.writeLast('last\n');
  assert.equal(read(), 'first\nsecond\nlast\n');
});

test('what a full disk does not take is reported once and holds up nobody', async t => {
  if (!existsSync('/dev/full')) return t.skip('needs /dev/full');
  const errors: Error[] = [];
  const rotation = { bytesMax: 0, count: 0, compress: false, nextMillis: () => Infinity };
  const file = new FileTarget({ path: '/dev/full', rotation }, error => errors.push(error));
  for (let index = 0; index < 3; index++) {
    file.write('line\n');
    await file.flush(5000);
  }
  assert.equal(errors.length, 1);
  assert.match(String(errors[0]), /ENOSPC/);
});

test('more than the backlog is dropped and counted', async () => {
  const { file, read } = target();
  const line = `${'x'.repeat(backlogCharsMax / 4)}\n`;
  for (let index = 0; index < 9; index++) file.write(line);
  await file.flush(5000);
  file.write('end\n');
  await file.flush(5000);
  const lines = read().trimEnd().split('\n');
  assert.equal(lines.filter(each => each.startsWith('xxx')).length, 5);
  assert.match(String(lines.at(-2)), /4 log entries dropped/);
  assert.equal(lines.at(-1), 'end');
});
