// The short form of the MQTT fuzzer; npm run fuzz -- --protocol mqtt is the long one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttFuzzer } from './mqtt-fuzzer.ts';

test('2,000 MQTT sessions of every kind: nothing thrown, only documented reasons, an ordinary client served, memory flat', () => {
  const { report } = new MqttFuzzer(2028).run(2000, 20_000);
  assert.ok(report.sessions >= 2000 && report.packets >= 20_000);
  // The reasons show that the sessions come to all the places where something can be refused.
  for (const reason of [0x10, 0x11, 0x80, 0x81, 0x82, 0x84, 0x85, 0x86, 0x8e, 0x8f, 0x90, 0x92, 0x93, 0x94, 0x97])
    assert.ok((report.reasons.get(reason) ?? 0) > 0, `no session was told 0x${reason.toString(16)}`);
  assert.ok(report.heapLast - report.heapFirst < 10_000_000, `${report.heapLast - report.heapFirst} bytes more than at first`);
});
