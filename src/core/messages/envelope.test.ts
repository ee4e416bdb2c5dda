import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blindKeysOf, exchangeOf, packEnvelope, routingKeyOf, shownBytes } from './envelope.ts';

test('what is packed comes out again, at any place in a buffer', () => {
  const packed = packEnvelope('e', 'schlüssel', ['blind', '']);
  const buffer = Buffer.concat([Buffer.from([9, 9, 9]), packed, Buffer.from('body')]);
  assert.equal(exchangeOf(buffer, 3), 'e');
  assert.equal(routingKeyOf(buffer, 3), 'schlüssel');
  assert.deepEqual(blindKeysOf(buffer, 3, packed.length), ['blind', '']);
  assert.equal(shownBytes(buffer, 3), packEnvelope('e', 'schlüssel').length);
});

test('an envelope without blind keys is exchange and routing key alone', () => {
  const packed = packEnvelope('', '');
  assert.deepEqual(packed, Buffer.from([0, 0]));
  assert.equal(shownBytes(packed, 0), 2);
  assert.deepEqual(blindKeysOf(packed, 0, 2), []);
});

test('bytes that are no UTF-8 survive', () => {
  const key = routingKeyOf(Buffer.from([0, 2, 0xc3, 0x28]), 0);
  assert.deepEqual(packEnvelope('', key), Buffer.from([0, 2, 0xc3, 0x28]));
});

test('names have 255 bytes at most; blind keys that do not fit are left out', () => {
  assert.throws(() => packEnvelope('', 'x'.repeat(256)), RangeError);
  assert.throws(() => packEnvelope('ü'.repeat(128), ''), RangeError);
  assert.deepEqual(blindKeysOf(packEnvelope('', '', ['y'.repeat(256), 'z']), 0, 4), ['z']);
  const many = packEnvelope('', '', new Array<string>(1000).fill('k'.repeat(255)));
  assert.ok(many.length <= 0xffff);
  assert.equal(blindKeysOf(many, 0, many.length).length, 255);
});
