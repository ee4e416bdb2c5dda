import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesOf as addresses, CERTIFICATES, configOf as of, load, TLS } from '../../../../test/support/config-texts.ts';

test('by default there is one listener, on loopback', () => {
  assert.deepEqual(addresses(of('').listeners), ['tcp default 127.0.0.1 5672']);
});

test('a port without an address listens on every interface, one with an address there', () => {
  assert.deepEqual(addresses(of('listeners.tcp.default = 5672').listeners), ['tcp default * 5672']);
  assert.deepEqual(
    addresses(
      of('listeners.tcp.b = 127.0.0.1:5673\nlisteners.tcp.2 = ::1:5672\nlisteners.tcp.10 = :::5674\nlisteners.tcp.1 = 5').listeners,
    ),
    ['tcp 1 * 5', 'tcp 2 ::1 5672', 'tcp 10 :: 5674', 'tcp b 127.0.0.1 5673'],
  );
});

test('a unix socket is a listener', () => {
  const [listener] = of('listeners.tcp.unix = unix:/run/warren.sock:0').listeners;
  assert.equal(listener?.socketPath, '/run/warren.sock');
});

test('listeners.tcp = none opens no plain listener, whatever else is set', () => {
  assert.deepEqual(addresses(of(`listeners.tcp = none\nlisteners.tcp.a = 5672\nlisteners.ssl.a = 5671\n${TLS}`, CERTIFICATES).listeners), [
    'tls a * 5671',
  ]);
  assert.deepEqual(of('listeners.tcp = none').listeners, []);
  assert.deepEqual(addresses(of(`listeners.ssl = none\nlisteners.ssl.a = 5671\n${TLS}`, CERTIFICATES).listeners), [
    'tcp default 127.0.0.1 5672',
  ]);
});

test('the address of listeners that nothing configures can be changed for all of them', () => {
  const config = of('warren.default_listen_address = any');
  assert.deepEqual(addresses([...config.listeners, ...config.management.listeners, ...config.prometheus.listeners]), [
    'tcp default * 5672',
    'tcp default * 15672',
    'tcp default * 15692',
  ]);
});

test('--port takes the place of the file’s plain listeners and keeps the address of the first', () => {
  const conf = `listeners.tcp.1 = 10.0.0.1:5672\nlisteners.tcp.2 = 5673\nlisteners.ssl.1 = 5671\n${TLS}`;
  const listen = (...argv: string[]) => addresses(load({ conf, files: CERTIFICATES, argv }).config.listeners);
  assert.deepEqual(listen('--port', '7'), ['tcp default 10.0.0.1 7', 'tls 1 * 5671']);
  assert.deepEqual(listen('--host', '::1'), ['tcp default ::1 5672', 'tls 1 * 5671']);
  assert.deepEqual(listen('--host', 'any', '--port', '7'), ['tcp default * 7', 'tls 1 * 5671']);
  assert.deepEqual(addresses(load({ argv: ['--port', '0'] }).config.listeners), ['tcp default 127.0.0.1 0']);
  assert.deepEqual(addresses(load({ argv: ['--host', '10.0.0.1'] }).config.listeners), ['tcp default 10.0.0.1 5672']);
  assert.deepEqual(addresses(load({ conf: 'listeners.tcp = none', argv: ['--port', '7'] }).config.listeners), ['tcp default 127.0.0.1 7']);
});

test('with --port 0 every server whose port is not configured takes a free one', () => {
  const { config } = load({ argv: ['--port', '0'], conf: 'prometheus.tcp.port = 9' });
  assert.deepEqual(addresses([...config.management.listeners, ...config.prometheus.listeners]), ['tcp default 127.0.0.1 0', 'tcp tcp * 9']);
});

test('socket options and the PROXY protocol are those of every AMQP listener', () => {
  const [listener] = of(
    'tcp_listen_options.backlog = 128\ntcp_listen_options.nodelay = false\ntcp_listen_options.keepalive = true\nproxy_protocol = true',
  ).listeners;
  assert.deepEqual([listener?.backlog, listener?.noDelay, listener?.keepAlive, listener?.proxyProtocol], [128, false, true, true]);
});

test('PROXY headers are accepted from the addresses listed, else from loopback and private ones, with a warning', () => {
  assert.deepEqual(of('proxy_protocol = on\nwarren.proxy_protocol_sources = 10.1.0.0/16, ::1').proxyProtocolSources, [
    { address: '10.1.0.0', prefixBits: 16, family: 'ipv4' },
    { address: '::1', prefixBits: 128, family: 'ipv6' },
  ]);
  const { config, warnings } = load({ conf: 'proxy_protocol = on' });
  assert.ok(config.proxyProtocolSources.some(block => block.address === '127.0.0.0'));
  assert.ok(config.proxyProtocolSources.every(block => block.prefixBits > 0));
  assert.deepEqual(warnings, [
    'rabbitmq.conf:1: PROXY headers are accepted from loopback and private addresses; name the load balancers in warren.proxy_protocol_sources',
  ]);
});
