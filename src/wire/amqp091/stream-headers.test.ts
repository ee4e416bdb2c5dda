import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bool, type FieldTable, int, longstr, table } from '../../base/field-table.ts';
import { decodeProperties, encodeProperties, type Properties } from './properties.ts';
import { streamFilterValue, streamOffsetBytes, writeWithStreamOffset } from './stream-headers.ts';

function withOffset(properties: Properties, offset: number): Properties {
  const bytes = encodeProperties(properties);
  const source = Buffer.concat([Buffer.from('##'), bytes, Buffer.from('##')]);
  const target = Buffer.alloc(3 + bytes.length + streamOffsetBytes, 0x2a);
  const end = writeWithStreamOffset(source, 2, bytes.length, offset, target, 3);
  assert.equal(target.toString('latin1', 0, 3), '***');
  return decodeProperties(target, 3, end);
}

const everything: Properties = {
  contentType: 'text/plain',
  contentEncoding: 'utf-8',
  deliveryMode: 2,
  priority: 3,
  correlationId: 'c',
  replyTo: 'r',
  expiration: '5',
  messageId: 'm',
  timestamp: 1000,
  type: 't',
  userId: 'u',
  appId: 'a',
};

test('an offset is added to properties without headers', () => {
  const headers = new Map([['x-stream-offset', { type: 'l', value: 7 }]]);
  assert.deepEqual(withOffset({}, 7), { headers });
  assert.deepEqual(withOffset(everything, 7), { ...everything, headers });
});

test('an offset is added behind the headers that are there, also a large one', () => {
  const headers: FieldTable = new Map([
    ['z', longstr('text')],
    ['a', table(new Map([['x-stream-offset', int(1)]]))],
    ['t', bool(true)],
  ]);
  const offset = 2 ** 40 + 5;
  const added = withOffset({ ...everything, headers }, offset);
  assert.deepEqual([...(added.headers ?? [])], [...headers, ['x-stream-offset', { type: 'l', value: offset }]]);
  assert.deepEqual({ ...added, headers }, { ...everything, headers });
});

test('properties that have an offset already are left to others', () => {
  const bytes = encodeProperties({ headers: new Map([['x-stream-offset', longstr('mine')]]) });
  assert.equal(writeWithStreamOffset(bytes, 0, bytes.length, 1, Buffer.alloc(200), 0), -1);
});

test('a filter value is found behind values of every type', () => {
  const headers: FieldTable = new Map([
    ['a', int(1)],
    ['b', { type: 'D', value: { scale: 1, value: 5 } }],
    ['c', { type: 'V', value: null }],
    ['d', { type: 'A', value: [longstr('x')] }],
    ['e', { type: 's', value: 5 }],
    ['f', { type: 'd', value: 1.5 }],
    ['x-stream-filter-value', longstr('Zürich')],
  ]);
  const bytes = encodeProperties({ contentType: 'a', headers });
  assert.equal(streamFilterValue(bytes, 0, bytes.length), 'Zürich');
});

test('there is no filter value without headers, of another type, or behind what is broken', () => {
  const none = encodeProperties({});
  assert.equal(streamFilterValue(none, 0, none.length), null);
  const number = encodeProperties({ headers: new Map([['x-stream-filter-value', int(1)]]) });
  assert.equal(streamFilterValue(number, 0, number.length), null);
  const broken = encodeProperties({
    headers: new Map([
      ['a', int(1)],
      ['x-stream-filter-value', longstr('v')],
    ]),
  });
  assert.equal(streamFilterValue(broken, 0, broken.length), 'v');
  broken[2 + 4 + 2] = 0x00;
  assert.equal(streamFilterValue(broken, 0, broken.length), null);
  broken.writeUInt32BE(0xffff_fff0, 2);
  assert.equal(streamFilterValue(broken, 0, broken.length), null);
});
