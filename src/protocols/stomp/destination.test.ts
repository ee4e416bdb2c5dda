import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDestination, parseDestination } from './destination.ts';
import { StompError } from './stomp-error.ts';

test('every kind of destination is read, slashes in names are %2F', () => {
  const cases: readonly (readonly [text: string, kind: string, name: string, key: string])[] = [
    ['/queue/a', 'queue', 'a', ''],
    ['plain', 'queue', 'plain', ''],
    ['/queue/a%2Fb%25', 'queue', 'a/b%25', ''],
    ['/topic/a.*.#', 'topic', 'a.*.#', ''],
    ['/exchange/logs', 'exchange', 'logs', ''],
    ['/exchange/logs/', 'exchange', 'logs', ''],
    ['/exchange/lo%2Fgs/k%2Fey', 'exchange', 'lo/gs', 'k/ey'],
    ['/amq/queue/a', 'amqqueue', 'a', ''],
    ['/reply-queue/amq.gen/x/y', 'reply_queue', 'amq.gen/x/y', ''],
    ['/temp-queue/mine', 'temp_queue', 'mine', ''],
  ];
  for (const [text, kind, name, key] of cases) assert.deepEqual(parseDestination(text), { kind, name, key }, text);
});

test('what is no destination is refused in RabbitMQ’s words', () => {
  const cases: readonly (readonly [text: string, message: string, detail: string])[] = [
    ['/queue', 'Invalid destination', "'' is not a valid queue destination\n"],
    ['/queue/', 'Invalid destination', "'/' is not a valid queue destination\n"],
    ['/queue/a/b', 'Invalid destination', "'/a/b' is not a valid queue destination\n"],
    ['/topic/', 'Invalid destination', "'/' is not a valid topic destination\n"],
    ['/exchange//key', 'Invalid destination', "'//key' is not a valid exchange destination\n"],
    ['/exchange/a/b/c', 'Invalid destination', "'/a/b/c' is not a valid exchange destination\n"],
    ['/amq/queue', 'Invalid destination', "'' is not a valid amqqueue destination\n"],
    ['/temp-queue/a/b', 'Invalid destination', "'/a/b' is not a valid temp_queue destination\n"],
    [
      '/something/else',
      'Unknown destination',
      "'/something/else' is not a valid destination.\nValid destination types are: /temp-queue, /exchange, /topic, /queue, /amq/queue, /reply-queue.\n",
    ],
    ['queue/a', 'Unknown destination', "'queue/a' is not a valid destination.\n"],
  ];
  for (const [text, message, detail] of cases) {
    assert.throws(
      () => parseDestination(text),
      error => error instanceof StompError && error.message === message && error.detail.startsWith(detail),
      text,
    );
  }
});

test('a message says where it was sent to, escaped', () => {
  assert.equal(formatDestination('', 'a/b%c'), '/queue/a%2Fb%25c');
  assert.equal(formatDestination('', 'grün'), '/queue/gr%C3%BCn');
  assert.equal(formatDestination('amq.topic', 'a.b'), '/topic/a.b');
  assert.equal(formatDestination('logs', ''), '/exchange/logs');
  assert.equal(formatDestination('lo/gs', 'k y\n'), '/exchange/lo%2Fgs/k y%0A');
  for (const name of ['a', 'a/b', 'x.y']) assert.equal(parseDestination(formatDestination('', name)).name, name);
});
