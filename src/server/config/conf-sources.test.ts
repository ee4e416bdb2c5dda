import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, refusal } from '../../../test/support/config-texts.ts';

const MAIN = '/etc/rabbitmq/rabbitmq.conf';

test('without --config the usual file counts, and after it conf.d in name order', () => {
  const { config } = load({
    files: {
      [MAIN]: 'heartbeat = 1\ncluster_name = main\nchannel_max = 1',
      '/etc/rabbitmq/conf.d/20-b.conf': 'heartbeat = 20',
      '/etc/rabbitmq/conf.d/10-a.conf': 'heartbeat = 10\nchannel_max = 10',
      '/etc/rabbitmq/conf.d/README': 'not = a configuration file',
      '/etc/rabbitmq/conf.d/.hidden.conf': 'heartbeat = 5',
    },
  });
  assert.equal(config.limits.heartbeatSeconds, 20);
  assert.equal(config.limits.channelMax, 10);
  assert.equal(config.clusterName, 'main');
  assert.deepEqual(config.configFiles, [MAIN, '/etc/rabbitmq/conf.d/10-a.conf', '/etc/rabbitmq/conf.d/20-b.conf']);
});

test('no file at all is the defaults', () => {
  assert.deepEqual(load({}).config.configFiles, []);
});

test('--config is the only source', () => {
  const { config } = load({
    conf: 'heartbeat = 7',
    files: { [MAIN]: 'channel_max = 1' },
    env: { RABBITMQ_CONFIG_FILE: '/none', RABBITMQ_CONFIG_FILES: '/none' },
  });
  assert.equal(config.limits.heartbeatSeconds, 7);
  assert.equal(config.limits.channelMax, 2047);
});

test('--config takes a directory', () => {
  const { config } = load({ argv: ['--config', '/c/'], files: { '/c/2.conf': 'heartbeat = 2', '/c/1.conf': 'heartbeat = 1' } });
  assert.equal(config.limits.heartbeatSeconds, 2);
  assert.deepEqual(config.configFiles, ['/c/1.conf', '/c/2.conf']);
});

test('a --config that is not there is an error of the command line', () => {
  const error = refusal({ argv: ['--config', '/none.conf'] });
  assert.equal(error.exitCode, 64);
  assert.deepEqual(error.problems, ['--config /none.conf: there is no such file, or it cannot be read']);
});

test('RABBITMQ_CONFIG_FILE is a file with or without .conf, and conf.d counts after it', () => {
  const files = { '/x/my.conf': 'heartbeat = 3', [MAIN]: 'heartbeat = 1', '/etc/rabbitmq/conf.d/a.conf': 'channel_max = 4' };
  for (const RABBITMQ_CONFIG_FILE of ['/x/my', '/x/my.conf']) {
    const { config } = load({ files, env: { RABBITMQ_CONFIG_FILE } });
    assert.equal(config.limits.heartbeatSeconds, 3);
    assert.equal(config.limits.channelMax, 4);
  }
});

test('a RABBITMQ_CONFIG_FILE that is not there, or is of the classic format, is refused', () => {
  assert.deepEqual(refusal({ env: { RABBITMQ_CONFIG_FILE: '/x/my' } }).problems, [
    'RABBITMQ_CONFIG_FILE: there is no file /x/my that can be read, nor /x/my.conf',
  ]);
  assert.deepEqual(refusal({ env: { RABBITMQ_CONFIG_FILE: '/x/my.config' }, files: { '/x/my.config': '[].' } }).problems, [
    'RABBITMQ_CONFIG_FILE: /x/my.config is of the classic Erlang format, which WarrenMQ does not read; use a rabbitmq.conf',
  ]);
});

test('RABBITMQ_CONFIG_FILES is a directory or a pattern, in place of conf.d', () => {
  const files = {
    '/d/b.conf': 'heartbeat = 2',
    '/d/a.conf': 'heartbeat = 1',
    '/d/a.txt': 'x',
    '/etc/rabbitmq/conf.d/z.conf': 'heartbeat = 9',
  };
  assert.equal(load({ files, env: { RABBITMQ_CONFIG_FILES: '/d' } }).config.limits.heartbeatSeconds, 2);
  assert.equal(load({ files, env: { RABBITMQ_CONFIG_FILES: '/d/a*.conf' } }).config.limits.heartbeatSeconds, 1);
  assert.deepEqual(refusal({ files, env: { RABBITMQ_CONFIG_FILES: '/none' } }).problems, [
    'RABBITMQ_CONFIG_FILES: there is no directory /none that can be read',
  ]);
});

test('a file includes others, relative to itself, and its later lines win', () => {
  const { config } = load({
    argv: ['--config', '/c/main.conf'],
    files: {
      '/c/main.conf': 'heartbeat = 1\nchannel_max = 1\ninclude more/*.conf\ninclude /abs.conf\nheartbeat = 5',
      '/c/more/b.conf': 'channel_max = 3',
      '/c/more/a.conf': 'channel_max = 2\ninclude deeper.conf',
      '/c/more/deeper.conf': 'frame_max = 8192',
      '/abs.conf': 'cluster_name = abs',
    },
  });
  assert.equal(config.limits.heartbeatSeconds, 5);
  assert.equal(config.limits.channelMax, 3);
  assert.equal(config.limits.frameBytesMax, 8192);
  assert.equal(config.clusterName, 'abs');
});

test('a pattern may match nothing, an included name may not', () => {
  assert.deepEqual(load({ conf: 'include none/*.conf' }).warnings, []);
  assert.deepEqual(refusal({ conf: '\ninclude none.conf' }).problems, [
    'rabbitmq.conf:2: include ./none.conf: there is no such file, or it cannot be read',
  ]);
});

test('files that include themselves, or too many others, are refused', () => {
  assert.deepEqual(
    refusal({ argv: ['--config', '/a.conf'], files: { '/a.conf': 'include /b.conf', '/b.conf': 'include /a.conf' } }).problems,
    ['/b.conf:1: include /a.conf: the file includes itself'],
  );
  const chain = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`/${index}.conf`, `include /${index + 1}.conf`]));
  assert.deepEqual(refusal({ argv: ['--config', '/0.conf'], files: chain }).problems, [
    '/8.conf:1: include /9.conf: includes are nested more than 8 deep',
  ]);
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`/d/${index}.conf`, 'heartbeat = 1']));
  const { problems } = refusal({ argv: ['--config', '/d'], files: many });
  assert.equal(problems.length, 100);
  assert.match(problems[0] ?? '', /not read: more than 200 configuration files$/);
});

test('a tree of includes that doubles at every step is cut off', () => {
  const files: Record<string, string> = {};
  for (let depth = 0; depth < 8; depth++) files[`/${depth}.conf`] = `include /${depth + 1}.conf\n`.repeat(20);
  files['/8.conf'] = 'heartbeat = 1';
  // There were 20^8 files to read: that this ends is the proof.
  const { problems } = refusal({ argv: ['--config', '/0.conf'], files });
  assert.match(problems[0] ?? '', /not read: more than 200 configuration files$/);
});

test('a pattern of many stars is no trap', () => {
  const name = `${'a'.repeat(200)}.conf`;
  // There are 10^58 ways in which the stars could stand for the letters.
  assert.deepEqual(load({ conf: `include d/${'*a'.repeat(100)}b`, files: { [`./d/${name}`]: 'x' } }).warnings, []);
});
