import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int } from '../../base/field-table.ts';
import { DecodeError } from '../decode-error.ts';
import { decodeContentHeader, encodeContentHeaderFrame } from './content-header.ts';
import type { Properties } from './properties.ts';
import { decodeProperties, encodeProperties, Facets, peekFacets } from './properties.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const single: [properties: Properties, bytes: string][] = [
  [{}, '0000'],
  [{ contentType: 'a' }, '8000 01 61'],
  [{ contentEncoding: 'a' }, '4000 01 61'],
  [{ headers: new Map([['a', int(1)]]) }, '2000 00000007 0161 49 00000001'],
  [{ headers: new Map() }, '2000 00000000'],
  [{ deliveryMode: 2 }, '1000 02'],
  [{ priority: 0 }, '0800 00'],
  [{ correlationId: '' }, '0400 00'],
  [{ replyTo: 'a' }, '0200 01 61'],
  [{ expiration: '60000' }, '0100 05 3630303030'],
  [{ messageId: 'é' }, '0080 02 c3a9'],
  [{ timestamp: 1_700_000_000 }, '0040 000000006553f100'],
  [{ timestamp: 2n ** 64n - 1n }, '0040 ffffffffffffffff'],
  [{ type: 'a' }, '0020 01 61'],
  [{ userId: 'a' }, '0010 01 61'],
  [{ appId: 'a' }, '0008 01 61'],
  [{ clusterId: 'a' }, '0004 01 61'],
];

const every: Properties = {
  contentType: 'ct',
  contentEncoding: 'ce',
  headers: new Map([['h', int(1)]]),
  deliveryMode: 2,
  priority: 9,
  correlationId: 'ci',
  replyTo: 'rt',
  expiration: '10',
  messageId: 'mi',
  timestamp: 5,
  type: 'ty',
  userId: 'ui',
  appId: 'ai',
  clusterId: 'cl',
};
const everyBytes = hex(
  'fffc 026374 026365 00000007 0168 49 00000001 02 09 026369 027274 023130 026d69 0000000000000005 027479 027569 026169 02636c',
);

for (const [properties, bytes] of [...single, [every, everyBytes.toString('hex')] as [Properties, string]]) {
  const names = Object.keys(properties).join(', ') || 'no property';
  test(`${names}: encoded and decoded`, () => {
    const expected = hex(bytes);
    assert.equal(encodeProperties(properties).toString('hex'), expected.toString('hex'));
    assert.deepEqual(decodeProperties(expected, 0, expected.length), properties);
  });

  test(`${names}: cut short or with bytes left over is refused, by the decoder and by the peek`, () => {
    const whole = hex(bytes);
    const facets = new Facets();
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => decodeProperties(whole, 0, length), DecodeError);
      assert.equal(peekFacets(whole, 0, length, facets), false);
    }
    const longer = Buffer.concat([whole, hex('00')]);
    assert.throws(() => decodeProperties(longer, 0, longer.length), DecodeError);
    assert.equal(peekFacets(longer, 0, longer.length, facets), false);
    assert.equal(peekFacets(whole, 0, whole.length, facets), true);
  });
}

test('an undefined property is an absent one', () => {
  assert.equal(encodeProperties({ contentType: undefined, priority: undefined }).toString('hex'), '0000');
});

test('a continuation of the flags is refused', () => {
  const bytes = hex('0001 0000');
  assert.throws(() => decodeProperties(bytes, 0, bytes.length), DecodeError);
  assert.equal(peekFacets(bytes, 0, bytes.length, new Facets()), false);
  assert.equal(peekFacets(bytes, 0, 2, new Facets()), false);
});

test('the unused bit of the flags is ignored', () => {
  const bytes = hex('1002 02');
  assert.deepEqual(decodeProperties(bytes, 0, bytes.length), { deliveryMode: 2 });
  assert.equal(peekFacets(bytes, 0, bytes.length, new Facets()), true);
});

test('a text that is no UTF-8 comes out as it came in', () => {
  const bytes = hex('0400 03 ff61c3');
  assert.equal(encodeProperties(decodeProperties(bytes, 0, bytes.length)).toString('hex'), bytes.toString('hex'));
});

test('what has no place on the wire is not encoded', () => {
  assert.throws(() => encodeProperties({ messageId: 'x'.repeat(256) }), RangeError);
  assert.throws(() => encodeProperties({ priority: 256 }), RangeError);
  assert.throws(() => encodeProperties({ deliveryMode: -1 }), RangeError);
  assert.throws(() => encodeProperties({ timestamp: -1 }), RangeError);
});

test('the peek finds every facet in place', () => {
  const buffer = Buffer.concat([hex('ffffff'), everyBytes, hex('ff')]);
  const facets = new Facets();
  assert.equal(peekFacets(buffer, 3, buffer.length - 1, facets), true);
  const text = (start: number, length: number): string => buffer.toString('utf8', start, start + length);
  assert.equal(facets.flags, 0xfffc);
  assert.equal(facets.deliveryMode, 2);
  assert.equal(facets.priority, 9);
  assert.equal(buffer.toString('hex', facets.headersStart, facets.headersStart + facets.headersLength), '0000000701684900000001');
  assert.equal(text(facets.correlationIdStart, facets.correlationIdLength), 'ci');
  assert.equal(text(facets.replyToStart, facets.replyToLength), 'rt');
  assert.equal(text(facets.expirationStart, facets.expirationLength), '10');
  assert.equal(text(facets.messageIdStart, facets.messageIdLength), 'mi');
  assert.equal(text(facets.userIdStart, facets.userIdLength), 'ui');
});

test('a peek forgets what the peek before it found', () => {
  const facets = new Facets();
  peekFacets(everyBytes, 0, everyBytes.length, facets);
  assert.equal(peekFacets(hex('0000'), 0, 2, facets), true);
  assert.deepEqual(facets, new Facets());
});

test('a header table longer than the list is malformed however long it says it is', () => {
  for (const length of ['00000001', '7fffffff', '80000000', 'ffffffff']) {
    const bytes = hex(`2000 ${length}`);
    assert.equal(peekFacets(bytes, 0, bytes.length, new Facets()), false);
    assert.throws(() => decodeProperties(bytes, 0, bytes.length), DecodeError);
  }
});

test('a content header frame is encoded and decoded', () => {
  const frame = encodeContentHeaderFrame(0x0102, 2 ** 40 + 5, encodeProperties({ deliveryMode: 2 }));
  assert.equal(frame.toString('hex'), hex('02 0102 0000000f 003c 0000 0000010000000005 1000 02 ce').toString('hex'));
  assert.deepEqual(decodeContentHeader(frame, 7, frame.length - 1), {
    classId: 60,
    bodySize: 2 ** 40 + 5,
    properties: { deliveryMode: 2 },
  });
});

test('a content header of a size beyond the safe integers has an infinite body', () => {
  const payload = hex('003c 0000 ffffffffffffffff 0000');
  assert.equal(decodeContentHeader(payload, 0, payload.length).bodySize, Number.POSITIVE_INFINITY);
});

test('a content header cut short is refused', () => {
  const payload = hex('003c 0000 0000000000000000 0000');
  for (let length = 0; length < payload.length; length++) {
    assert.throws(() => decodeContentHeader(payload.subarray(0, length), 0, length), DecodeError);
  }
});
