import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListenerInfo } from '../management/listener-info.ts';
import { certificateWarnings } from './certificate-warnings.ts';

const validTo = 'Nov 20 00:00:00 2026 GMT';
const listener: ListenerInfo = { protocol: 'amqp/ssl', host: '::', port: 5671, isTls: true, backlog: 1, certificateValidTo: validTo };
const at = (iso: string): string[] => certificateWarnings([listener], Date.parse(iso));

test('a certificate is warned of in its last thirty days, and told when it has expired', () => {
  assert.deepEqual(at('2026-10-21T00:00:00Z'), []);
  assert.deepEqual(at('2026-10-21T00:00:01Z'), [`the certificate of the amqp/ssl listener on [::]:5671 expires on ${validTo}, in 29 days`]);
  assert.deepEqual(at('2026-11-20T00:00:00Z'), [`the certificate of the amqp/ssl listener on [::]:5671 expires on ${validTo}, in 0 days`]);
  assert.deepEqual(at('2026-11-20T00:00:01Z'), [
    `the certificate of the amqp/ssl listener on [::]:5671 expired on ${validTo}: clients that check it cannot connect. Replace its file and send SIGHUP`,
  ]);
  assert.deepEqual(certificateWarnings([{ ...listener, certificateValidTo: null }], 0), []);
});
