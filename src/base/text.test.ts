import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeText, flat, isText, textBytes, writeText } from './text.ts';

function written(text: string): string {
  const buffer = Buffer.alloc(textBytes(text));
  assert.equal(writeText(text, buffer, 0), buffer.length);
  return buffer.toString('hex');
}

for (const [name, bytes, text, valid] of [
  ['ASCII', '6162', 'ab', true],
  ['nothing', '', '', true],
  ['a NUL', '00', '\0', true],
  ['two, three and four byte characters', 'c3a9e282acf09f90b0', 'é€🐰', true],
  ['a byte order mark', 'efbbbf61', '\ufeffa', true],
  ['a lone continuation byte', '6180', 'a\udc80', false],
  ['a byte that never occurs', 'ff', '\udcff', false],
  ['a cut character before a whole one', 'e282c3a9', '\udce2\udc82é', false],
  ['an overlong slash', 'c0af', '\udcc0\udcaf', false],
  ['an encoded surrogate', 'edb280', '\udced\udcb2\udc80', false],
] as const) {
  test(`${name} is decoded and comes out as the same bytes`, () => {
    const buffer = Buffer.from(bytes, 'hex');
    assert.equal(isText(buffer, 0, buffer.length), valid);
    assert.equal(decodeText(buffer, 0, buffer.length), text);
    assert.equal(written(text), bytes);
  });
}

test('only the bytes between start and end count', () => {
  const buffer = Buffer.from('ff61ff', 'hex');
  assert.equal(isText(buffer, 1, 2), true);
  assert.equal(decodeText(buffer, 1, 2), 'a');
});

test('a lone surrogate that stands for no byte is written as the replacement character', () => {
  assert.equal(written('a\ud800'), '61efbfbd');
  assert.equal(written('\udc00'), 'efbfbd');
  assert.equal(written('\udcffé\ud800'), 'ffc3a9efbfbd');
});

test('a text made flat is the same text', () => {
  const parts = ['peer', String(40_000), '€'.repeat(20), ''];
  assert.equal(flat(`${parts[0]}:${parts[1]} -> ${parts[2]}${parts[3]}`), `peer:40000 -> ${'€'.repeat(20)}`);
  assert.equal(flat(''), '');
});
