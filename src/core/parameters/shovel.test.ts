// What RabbitMQ says to the same is in test/integration/management/provisioning.test.ts; here is what it crashes at, and what later releases know.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../base/field-table.ts';
import { upstreamProblems, upstreamSetProblems } from './federation.ts';
import { shovelProblems } from './shovel.ts';

const shovel = (changes: { [key: string]: Json }): { [key: string]: Json } => ({
  'src-uri': 'amqp://a',
  'src-queue': 'q',
  'dest-uri': 'amqp://b',
  ...changes,
});

test('a shovel of what is no object, or of an unknown protocol, is refused', () => {
  for (const value of ['text', null, 7, ['x']]) assert.notDeepEqual(shovelProblems('s', value), []);
  const named = 'should be one of [<<"amqp10">>,<<"amqp091">>,<<"local">>], actually was <<"mqtt">>';
  assert.deepEqual(shovelProblems('s', shovel({ 'src-protocol': 'mqtt' })), [`src-protocol ${named}`]);
  assert.deepEqual(shovelProblems('s', shovel({ 'dest-protocol': 'mqtt' })), [`dest-protocol ${named}`]);
  assert.deepEqual(shovelProblems('s', shovel({ 'src-protocol': 7 })), ['src-protocol should be binary, actually was 7']);
  assert.deepEqual(shovelProblems('s', shovel({ 'src-queue-args': 7 })), ['src-queue-args not a list 7']);
});

test('a shovel may say what later releases of RabbitMQ know', () => {
  assert.deepEqual(
    shovelProblems(
      's',
      shovel({
        'src-protocol': 'local',
        'src-predeclared': true,
        'src-consumer-args': { 'x-stream-offset': 'first' },
        'dest-protocol': 'amqp091',
        'dest-predeclared': true,
      }),
    ),
    [],
  );
});

test('an upstream may say what later releases of RabbitMQ know, and nothing else', () => {
  assert.deepEqual(upstreamProblems('u', { uri: 'amqp://a', 'queue-type': 'quorum', 'channel-use-mode': 'single' }), []);
  assert.deepEqual(upstreamProblems('u', 'amqp://a'), ['u not a list <<"amqp://a">>']);
  assert.deepEqual(upstreamSetProblems('u', ['up']), ['u not a list <<"up">>']);
  assert.deepEqual(upstreamSetProblems('u', 'up'), ['u should be list, actually was <<"up">>']);
  assert.deepEqual(upstreamSetProblems('u', { upstream: 'up' }), ['u should be list, actually was #{<<"upstream">> => <<"up">>}']);
});
