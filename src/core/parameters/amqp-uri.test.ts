import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uriProblems } from './amqp-uri.ts';

test('URIs of brokers are taken in all their forms', () => {
  for (const uri of [
    'amqp://',
    'amqp:///',
    'amqp:///vhost',
    'AMQPS://h',
    'amqp://h:5671/%2F',
    'amqp://user:pass@h',
    'amqp://[::1]:5672/v',
    'amqp://u%20x:p%3Aq@h/a%2Fb?heartbeat=10&verify=verify_none',
    'amqp://a?channel_max=5',
  ]) {
    assert.deepEqual(uriProblems('uri', uri), [], uri);
  }
  assert.deepEqual(uriProblems('uri', ['amqp://a', 'amqps://b']), []);
  assert.deepEqual(uriProblems('uri', []), []);
});

test("others are refused with RabbitMQ's reasons", () => {
  for (const [uri, reason] of [
    ['', '{unable_to_parse_uri,no_scheme},[]'],
    ['host', '{unable_to_parse_uri,no_scheme},"host"'],
    ['http://h', '{unexpected_uri_scheme,"http"},"http://h"'],
    ['amqp://h:port', '{unable_to_parse_uri,{malformed_uri,"amqp://h:port"}},"amqp://h:port"'],
    ['amqp://h:65536', '{port_out_of_range,65536},"amqp://h:65536"'],
    ['amqp://h/a/b', '{invalid_vhost,"a/b"},"amqp://h/a/b"'],
    ['amqp://%zz', '{invalid_entitiy,"%zz"},"amqp://%zz"'],
    [
      'amqp://h?heartbeat=x',
      '{invalid_amqp_params_parameter,heartbeat,"x",[{"heartbeat","x"}],{not_an_integer,"x"}},"amqp://h?heartbeat=x"',
    ],
  ] as const) {
    assert.deepEqual(uriProblems('uri', uri), [`"${uri}" not a valid URI: {${reason}}`]);
  }
  assert.deepEqual(uriProblems('uri', ['amqp://a', 7, 8]), ['uri should be list, actually was 7']);
  assert.deepEqual(uriProblems('uri', { uri: 'amqp://a' }), ['uri should be list, actually was #{<<"uri">> => <<"amqp://a">>}']);
});

test('passwords are not told', () => {
  assert.deepEqual(uriProblems('uri', 'amqp://user:secret@h/a/b'), [
    '"amqp://user:****@h/a/b" not a valid URI: {{invalid_vhost,"a/b"},"amqp://user:****@h/a/b"}',
  ]);
  for (const uri of ['http://u:secret@h', 'amqp://u:secret@h:x', 'amqp://:secret@h:99999']) {
    assert.doesNotMatch(uriProblems('uri', uri).join(), /secret/, uri);
  }
});

test('a URI of a megabyte is looked through once', () => {
  const long = `amqp://${'a:'.repeat(500_000)}@`;
  const startMillis = performance.now();
  uriProblems('uri', long);
  assert.ok(performance.now() - startMillis < 1000);
});
