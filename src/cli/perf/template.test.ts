import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePerfOptions, type PerfOptions } from './options.ts';
import { messageProperties, messageTemplate, stampHeader } from './template.ts';

const options = parsePerfOptions([], 'id') as PerfOptions;
const common = { channel: 1, exchange: 'amq.topic', routingKey: 'some-key', frameBytesMax: 4096, options };

test('the places of key, number and time in the frames', () => {
  const made = messageTemplate({ ...common, body: null, sizeBytes: 100 });
  assert.equal(made.bytes.toString('latin1', made.keyAt, made.keyAt + 8), 'some-key');
  assert.deepEqual([made.bytes.length - made.sequenceAt, made.bytes.length - made.stampAt], [101, 97]);
});

test('a body from a file stays as it is, over frames, with the time in a header', () => {
  const body = Buffer.alloc(5000, 'x');
  const { bytes, stampAt, sequenceAt } = messageTemplate({ ...common, body, sizeBytes: body.length });
  assert.equal(sequenceAt, -1);
  assert.deepEqual(bytes.subarray(stampAt - stampHeader.length, stampAt), stampHeader);
  assert.equal(bytes.filter(byte => byte === 120).length, 5000);
});

test('names of properties are properties, others headers', () => {
  const given = { priority: 5, contentType: 'text/plain', timestamp: '1970-01-01T00:01:00Z', messageId: 7, 'x-mine': true };
  const { headers, ...properties } = messageProperties(given, true, 'application/json');
  assert.deepEqual(properties, { deliveryMode: 2, contentType: 'text/plain', priority: 5, timestamp: 60, messageId: '7' });
  assert.deepEqual([...(headers?.keys() ?? [])], ['x-mine']);
});
