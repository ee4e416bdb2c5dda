// The short form of STOMP's fuzzer; npm run fuzz is the long one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StompFuzzer } from './stomp-fuzzer.ts';

test('20,000 STOMP frames of every kind: nothing thrown, nothing our own fault, an ordinary client served, memory flat', () => {
  const report = new StompFuzzer(2026).run(20_000);
  assert.ok(report.frames >= 20_000);
  assert.ok(report.delivered > 0 && report.receipts > 0);
  for (const message of [
    'Invalid frame',
    'Bad command',
    'Unknown destination',
    'Invalid destination',
    'not_found',
    'precondition_failed',
    'Bad transaction',
    'Message not found',
  ]) {
    assert.ok((report.errors[message] ?? 0) > 0, `no session was told ${message}: ${JSON.stringify(report.errors)}`);
  }
  assert.ok(report.heap.last - report.heap.first < 10_000_000, `${report.heap.last - report.heap.first} bytes more than at first`);
});
