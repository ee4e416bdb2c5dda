import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonFormat } from './json-format.ts';
import type { LogEntry } from './log-entry.ts';
import { textFormat } from './text-format.ts';
import { timestamp } from './timestamp.ts';

const stamp = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d$/;
const millis = Date.UTC(2026, 10, 20, 18, 30, 0) + 123.456;

function entry(parts: Partial<LogEntry>): LogEntry {
  return { timeMillis: millis, level: 'info', category: 'connection', text: 'hello', error: undefined, ...parts };
}

test('times have microseconds and the offset of local time', () => {
  assert.match(timestamp(millis), stamp);
  assert.equal(Date.parse(timestamp(millis)), Math.floor(millis));
  assert.match(timestamp(millis), /\.12345[56]/);
  assert.match(timestamp(999.9999), /\.999999/);
});

test('a line of text has the parts of a line of RabbitMQ', () => {
  const line = textFormat(4711, false)(entry({ level: 'warning', text: 'accepting AMQP connection' }));
  assert.match(line, /^\S+ \S+ \[warning\] <0\.4711\.0> accepting AMQP connection\n$/);
});

test('text from a client cannot begin a line of its own', () => {
  const lines = textFormat(1, false)(entry({ text: "user 'x\n2026-11-20 [info] <0.1.0> forged'", error: new Error('y\nforged') }));
  for (const line of lines.trimEnd().split('\n')) assert.match(line, /^\d{4}-\d\d-\d\d \S+ \[info\] <0\.1\.0> /);
});

test('colours are those of the level and end with the line', () => {
  const format = textFormat(1, true);
  const error = format(entry({ level: 'error' }));
  assert.ok(error.startsWith('\u001b[38;5;160m2026-') && error.endsWith('hello\u001b[0m\n'));
  assert.match(format(entry({ level: 'info' })), /^2026.*hello\n$/);
});

test('an entry in JSON is one line with the names RabbitMQ uses', () => {
  const line = jsonFormat(7)(entry({ text: 'a "b"\n\u009b\u202e' }));
  assert.equal(line.split('\n').length, 2);
  assert.doesNotMatch(line.trimEnd(), /[\p{Cc}\u202e]/u);
  const json = JSON.parse(line) as Record<string, unknown>;
  assert.match(String(json['time']), stamp);
  assert.deepEqual({ ...json, time: '' }, { time: '', level: 'info', msg: 'a "b"\n\u009b\u202e', domain: 'rabbitmq.connection', pid: 7 });
  assert.equal((JSON.parse(jsonFormat(7)(entry({ category: 'default' }))) as { domain: string }).domain, 'rabbitmq');
});

test('an exception in JSON is a field of its own', () => {
  const json = JSON.parse(jsonFormat(7)(entry({ error: new Error('broken') }))) as { error: string };
  assert.match(json.error, /^Error: broken\n +at /);
});
