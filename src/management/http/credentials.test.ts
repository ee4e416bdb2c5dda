import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialsOf } from './credentials.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('Basic credentials are read, passwords with colons and other letters too', () => {
  assert.deepEqual(credentialsOf({ authorization: basic('a:b:c') }), { kind: 'basic', username: 'a', password: 'b:c' });
  assert.deepEqual(credentialsOf({ authorization: basic('ü:é') }), { kind: 'basic', username: 'ü', password: 'é' });
  assert.deepEqual(credentialsOf({ authorization: basic('a:') }), { kind: 'basic', username: 'a', password: '' });
  assert.equal(credentialsOf({ authorization: basic('a:b').replace('Basic', 'basic') }).kind, 'basic');
});

test('what cannot be read is told from what is not there', () => {
  assert.equal(credentialsOf({}).kind, 'none');
  assert.equal(credentialsOf({ authorization: 'Basic' }).kind, 'malformed');
  assert.equal(credentialsOf({ authorization: 'Basic !!!' }).kind, 'malformed');
  assert.equal(credentialsOf({ authorization: basic('nocolon') }).kind, 'malformed');
  assert.equal(credentialsOf({ authorization: `Basic ${'A'.repeat(9000)}` }).kind, 'malformed');
  assert.equal(credentialsOf({ authorization: 'Bearer abc' }).kind, 'unsupported');
});

test("a session's cookie is found among others", () => {
  assert.deepEqual(credentialsOf({ cookie: 'a=1; warren_session=tok; b=2' }), { kind: 'session', token: 'tok' });
  assert.equal(credentialsOf({ cookie: 'a=1' }).kind, 'none');
  assert.equal(credentialsOf({ cookie: 'warren_session=tok', authorization: 'Bearer x' }).kind, 'unsupported', 'the header counts');
});
