import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesOf as addresses, CERTIFICATES, configOf as of, problemsOf, TLS } from '../../../../test/support/config-texts.ts';

test('management and Prometheus listen on loopback unless a port is configured', () => {
  assert.deepEqual(addresses(of('').management.listeners), ['tcp default 127.0.0.1 15672']);
  assert.deepEqual(addresses(of('management.tcp.port = 8080').management.listeners), ['tcp tcp * 8080']);
  assert.deepEqual(addresses(of('management.tcp.ip = 10.0.0.1').management.listeners), ['tcp tcp 10.0.0.1 15672']);
  assert.deepEqual(addresses(of('prometheus.tcp.port = 1\nprometheus.tcp.ip = ::1').prometheus.listeners), ['tcp tcp ::1 1']);
  assert.deepEqual(of('warren.management.enabled = false').management.listeners, []);
});

test('management with TLS has no plain listener unless that is configured, too', () => {
  const tls = 'management.ssl.port = 15671\nmanagement.ssl.certfile = /tls/cert.pem\nmanagement.ssl.keyfile = /tls/key.pem\n';
  const { listeners } = of(tls, CERTIFICATES).management;
  assert.deepEqual(addresses(listeners), ['tls ssl * 15671']);
  assert.equal(listeners[0]?.tls?.certFile, '/tls/cert.pem');
  assert.deepEqual(addresses(of(`${tls}management.tcp.port = 15672`, CERTIFICATES).management.listeners), [
    'tcp tcp * 15672',
    'tls ssl * 15671',
  ]);
});

test('the oldest form of management’s listener is read', () => {
  assert.deepEqual(addresses(of('management.listener.port = 1\nmanagement.listener.ip = 10.0.0.1').management.listeners), [
    'tcp tcp 10.0.0.1 1',
  ]);
  const tls =
    'management.listener.port = 1\nmanagement.listener.ssl = true\nmanagement.listener.ssl_opts.certfile = /tls/cert.pem\nmanagement.listener.ssl_opts.keyfile = /tls/key.pem';
  assert.deepEqual(addresses(of(tls, CERTIFICATES).management.listeners), ['tls ssl * 1']);
});

test('management’s other keys', () => {
  const { management } = of(`management.path_prefix = rabbit//x/
management.rates_mode = none
management.http.max_body_size = 1MiB
management.cors.allow_origins.1 = https://a
management.cors.allow_origins.2 = https://b
management.login_session_timeout = 10
management.http_log_dir = /access
management_agent.disable_metrics_collector = true
management.sample_retention_policies.global.minute = 5
management.sample_retention_policies.detailed.10 = 5`);
  assert.equal(management.pathPrefix, '/rabbit/x');
  assert.equal(management.ratesMode, 'none');
  assert.equal(management.bodyBytesMax, 1_048_576);
  assert.deepEqual(management.cors.allowOrigins, ['https://a', 'https://b']);
  assert.equal(management.accessLogDir, '/access');
  assert.equal(management.disableStats, true);
  assert.deepEqual(
    management.retention,
    [
      { section: 'detailed', seconds: 10, intervalSeconds: 5 },
      { section: 'global', seconds: 60, intervalSeconds: 5 },
    ].reverse(),
  );
  assert.equal(of('').management.pathPrefix, '');
  assert.deepEqual(
    of('management.cors.allow_origins = none\nmanagement.cors.allow_origins.1 = https://a').management.cors.allowOrigins,
    [],
  );
  assert.equal(problemsOf('management.sample_retention_policies.global.week = 5').length, 1);
});

test('MQTT and STOMP are off until something about them is configured', () => {
  assert.deepEqual(of('').mqtt.listeners, []);
  assert.deepEqual(of('').stomp.listeners, []);
  assert.deepEqual(addresses(of('mqtt.vhost = v').mqtt.listeners), ['tcp default 127.0.0.1 1883']);
  assert.deepEqual(addresses(of('mqtt.listeners.tcp.default = 1883').mqtt.listeners), ['tcp default * 1883']);
  assert.deepEqual(of('mqtt.listeners.tcp = none').mqtt.listeners, []);
  assert.deepEqual(addresses(of(`mqtt.listeners.ssl.default = 8883\n${TLS}`, CERTIFICATES).mqtt.listeners), [
    'tcp default 127.0.0.1 1883',
    'tls default * 8883',
  ]);
  assert.deepEqual(addresses(of('stomp.listeners.tcp.1 = 127.0.0.1:61613').stomp.listeners), ['tcp 1 127.0.0.1 61613']);
  assert.deepEqual(addresses(of('web_mqtt.tcp.port = 15675').mqtt.webSocket.listeners), ['tcp tcp * 15675']);
  assert.deepEqual(of('web_stomp.tcp.listener = none\nweb_stomp.tcp.port = 15674').stomp.webSocket.listeners, []);
});

test('anonymous MQTT clients are refused unless allowed', () => {
  assert.equal(of('').mqtt.anonymousLogin, null);
  assert.equal(of('mqtt.allow_anonymous = true').mqtt.anonymousLogin?.user, 'guest');
  assert.equal(of('mqtt.allow_anonymous = true\nmqtt.default_user = m').mqtt.anonymousLogin?.user, 'm');
  assert.equal(of('mqtt.allow_anonymous = true\nanonymous_login_user = none').mqtt.anonymousLogin, null);
});

test('a default login of STOMP needs user and password', () => {
  assert.equal(of('stomp.default_user = u\nstomp.default_pass = p').stomp.defaultLogin?.user, 'u');
  assert.deepEqual(problemsOf('stomp.default_user = u'), ['1: stomp.default_user and stomp.default_pass need each other']);
});

test('streams, AMQP 1.0, the event exchange and interceptors', () => {
  const config = of(`stream.listeners.tcp.default = 5552
stream.advertised_host = h
stream.frame_max = 2MB
session_max_per_connection = 2
default_vhost = v
event_exchange.vhost = e
message_interceptors.incoming.set_header_timestamp.overwrite = false`);
  assert.deepEqual(addresses(config.stream.listeners), ['tcp default * 5552']);
  assert.deepEqual(config.stream.advertised, { host: 'h', port: null, tlsHost: null, tlsPort: null });
  assert.equal(config.stream.frameBytesMax, 2_097_152);
  assert.deepEqual(config.amqp10, { defaultVhost: 'v', sessionsPerConnectionMax: 2, linksPerSessionMax: 256 });
  assert.equal(config.eventExchange.vhost, 'e');
  assert.deepEqual(config.interceptors, [{ name: 'set_header_timestamp', overwrite: false }]);
  assert.equal(problemsOf('message_interceptors.incoming.mine.overwrite = true').length, 1);
});
