import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expiryMillisMax } from '../queues/queue-arguments.ts';
import { expirationMillis, parseExpiration } from './expiration.ts';

test('an expiration is a number of milliseconds, up to as many as RabbitMQ takes', () => {
  for (const [text, millis] of [
    ['0', 0],
    ['1', 1],
    ['007', 7],
    ['+5', 5],
    ['60000', 60_000],
    ['4294967295', 4_294_967_295],
    [String(expiryMillisMax), expiryMillisMax],
  ] as const) {
    assert.equal(expirationMillis(text), millis);
    assert.equal(parseExpiration(text), millis);
  }
});

test('what is none is refused with RabbitMQ’s reason', () => {
  for (const [text, reason] of [
    ['', 'no_integer'],
    ['abc', 'no_integer'],
    [' 5', 'no_integer'],
    ['0x10', '{leftover_string,"x10"}'],
    ['1.5', '{leftover_string,".5"}'],
    ['5 ', '{leftover_string," "}'],
    ['1e3', '{leftover_string,"e3"}'],
    ['-1', '{value_negative,-1}'],
    [String(expiryMillisMax + 1), `{value_too_large,${expiryMillisMax + 1}}`],
    ['9'.repeat(255), `{value_too_large,${'9'.repeat(255)}}`],
    ['5\n', '{leftover_string,"\n"}'],
  ] as const) {
    assert.equal(expirationMillis(text), -1, text);
    assert.throws(() => parseExpiration(text), { message: `PRECONDITION_FAILED - invalid expiration '${text}': ${reason}` });
  }
});
