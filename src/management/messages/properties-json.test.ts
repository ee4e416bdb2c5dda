import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpError } from '../http/reply.ts';
import { fromBase64, payloadToJson } from './payload-json.ts';
import { propertiesFromJson, propertiesToJson } from './properties-json.ts';

const all = {
  cluster_id: 'cl',
  app_id: 'ai',
  user_id: 'guest',
  type: 'ty',
  timestamp: 1_700_000_000,
  message_id: 'mi',
  expiration: '60000',
  reply_to: 'rt',
  correlation_id: 'ci',
  priority: 3,
  delivery_mode: 2,
  headers: { a: 1, b: 'x', c: 1.5, d: true, e: { f: 1 }, g: [1, 'z'] },
  content_encoding: 'gzip',
  content_type: 'text/plain',
};

test('properties come back as they were given, in the order RabbitMQ has', () => {
  assert.equal(JSON.stringify(propertiesToJson(propertiesFromJson(all))), JSON.stringify(all));
  assert.deepEqual(propertiesToJson({}), [], 'no properties are an empty list');
  assert.deepEqual(propertiesFromJson({ foo: 1 }), {});
});

test('properties of a wrong kind are refused with their names', () => {
  const reason = (json: Record<string, unknown>): unknown => {
    try {
      return propertiesFromJson(json);
    } catch (error) {
      return error instanceof HttpError ? error.reason : error;
    }
  };
  assert.deepEqual(reason({ delivery_mode: '2' }), ['not_int', 'delivery_mode']);
  assert.deepEqual(reason({ expiration: 5 }), ['not_string', 'expiration']);
  assert.equal(reason({ priority: 256 }), 'priority is out of range');
  assert.equal(reason({ headers: 5 }), 'headers should be an object');
  assert.equal(reason({ message_id: 'x'.repeat(256) }), 'message_id is longer than 255 bytes');
  assert.equal(reason({ headers: { ['x'.repeat(256)]: 1 } }), 'the name of a header is longer than 255 bytes');
});

test('payloads are texts where they can be', () => {
  assert.deepEqual(payloadToJson(Buffer.from('é'), 'auto'), { payload: 'é', encoding: 'string' });
  assert.deepEqual(payloadToJson(Buffer.from('é'), 'base64'), { payload: 'w6k=', encoding: 'base64' });
  assert.deepEqual(payloadToJson(Buffer.from('é').subarray(0, 1), 'auto'), { payload: 'ww==', encoding: 'base64' });
  assert.equal(fromBase64('%%%'), null);
  assert.equal(fromBase64('aGk')?.toString(), undefined);
  assert.equal(fromBase64('aG\nk=')?.toString(), 'hi');
});
