import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FieldTable, int, longstr, table } from '../../base/field-table.ts';
import { decodeProperties, encodeProperties, type Properties } from '../../wire/amqp091/properties.ts';
import { amqp091Format } from './amqp-format.ts';

const all: Properties = {
  contentType: 'text/plain',
  contentEncoding: 'gzip',
  headers: new Map([['a', table(new Map([['b', int(1)]]))]]),
  deliveryMode: 2,
  priority: 9,
  correlationId: 'c',
  replyTo: 'r',
  expiration: '60000',
  messageId: 'm',
  timestamp: 1_700_000_000,
  type: 't',
  userId: 'u',
  appId: 'a',
  clusterId: 'x',
};

test('what the format describes of properties, it encodes to the same properties', () => {
  for (const properties of [all, {}, { timestamp: 2n ** 63n }, { headers: new Map() }] as Properties[]) {
    const bytes = encodeProperties(properties);
    const again = amqp091Format.encode(amqp091Format.describe(bytes, 0, bytes.length));
    assert.deepEqual(decodeProperties(again, 0, again.length), decodeProperties(bytes, 0, bytes.length));
  }
});

test('what another protocol describes and has no place in the format is left out, up to the limit and one past it', () => {
  const described: FieldTable = new Map([
    ['correlation_id', longstr('c'.repeat(255))],
    ['message_id', longstr('m'.repeat(256))],
    ['priority', int(256)],
    ['delivery_mode', longstr('two')],
    ['headers', longstr('none')],
    ['reply_to', { type: 'S', value: Buffer.from([0xff]) }],
  ]);
  const bytes = amqp091Format.encode(described);
  assert.deepEqual(decodeProperties(bytes, 0, bytes.length), { correlationId: 'c'.repeat(255), replyTo: '\udcff' });
});
