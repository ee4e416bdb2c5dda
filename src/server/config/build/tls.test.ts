import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CERTIFICATES, configOf as of, load, problemsOf, refusal, TLS, warningsOf } from '../../../../test/support/config-texts.ts';

test('ssl_options are read, versions and ciphers in number order', () => {
  const conf = `${TLS}ssl_options.cacertfile = /tls/ca.pem
ssl_options.password = C4NARY
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
ssl_options.depth = 2
ssl_options.versions.1 = tlsv1.2
ssl_options.ciphers.2 = B
ssl_options.ciphers.10 = C
ssl_options.ciphers.1 = A
ssl_options.honor_cipher_order = false
listeners.ssl.default = 5671`;
  const config = of(conf, CERTIFICATES);
  const { password, ...rest } = config.tls ?? assert.fail();
  assert.equal(password?.reveal(), 'C4NARY');
  assert.deepEqual(rest, {
    certFile: '/tls/cert.pem',
    keyFile: '/tls/key.pem',
    caFile: '/tls/ca.pem',
    verify: 'peer',
    failIfNoPeerCert: true,
    depth: 2,
    versions: ['TLSv1.2'],
    ciphers: ['A', 'B', 'C'],
    honorCipherOrder: false,
    sni: [],
  });
  assert.equal(config.listeners[1]?.tls, config.tls);
});

test('by default TLS is 1.3 and 1.2, without client certificates', () => {
  const { tls } = of(TLS, CERTIFICATES);
  assert.deepEqual(tls?.versions, ['TLSv1.3', 'TLSv1.2']);
  assert.equal(tls.verify, 'none');
  assert.equal(tls.failIfNoPeerCert, false);
  assert.equal(of('').tls, null);
  assert.equal(of(`ssl_options = none\n${TLS}`, CERTIFICATES).tls, null);
});

test('a TLS listener without a certificate is refused', () => {
  assert.deepEqual(problemsOf('listeners.ssl.default = 5671'), ['1: a TLS listener needs ssl_options.certfile and ssl_options.keyfile']);
});

test('half a certificate, files that are not there, and verification without authorities are refused', () => {
  assert.deepEqual(problemsOf('ssl_options.certfile = /none.pem\nssl_options.verify = verify_peer'), [
    '1: ssl_options.certfile = /none.pem: the file does not exist or cannot be read',
    '1: ssl_options.certfile needs ssl_options.keyfile as well',
    '2: ssl_options.verify = verify_peer needs ssl_options.cacertfile, the authorities that client certificates are checked against',
  ]);
});

test('TLS versions that are broken are never offered', () => {
  const { config, warnings } = load({
    conf: `${TLS}ssl_options.versions.1 = tlsv1.2\nssl_options.versions.2 = tlsv1.1`,
    files: CERTIFICATES,
  });
  assert.deepEqual(config.tls?.versions, ['TLSv1.2']);
  assert.deepEqual(warnings, ['rabbitmq.conf:4: tlsv1.1 is never offered, because it is broken']);
  assert.deepEqual(refusal({ conf: `${TLS}ssl_options.versions.1 = tlsv1`, files: CERTIFICATES }).problems, [
    'rabbitmq.conf:3: ssl_options.versions.$n leaves no TLS version; tlsv1.2 and tlsv1.3 are supported',
  ]);
});

test('fail_if_no_peer_cert without verify_peer is pointed out', () => {
  assert.deepEqual(warningsOf(`${TLS}ssl_options.fail_if_no_peer_cert = true`, CERTIFICATES), [
    '3: ssl_options.fail_if_no_peer_cert has no effect without ssl_options.verify = verify_peer',
  ]);
});

test('further host names have certificates of their own', () => {
  const conf = `${TLS}warren.sni.a.hostname = A.example.com\nwarren.sni.a.certfile = /tls/cert.pem\nwarren.sni.a.keyfile = /tls/key.pem`;
  assert.deepEqual(of(conf, CERTIFICATES).tls?.sni, [
    { hostname: 'a.example.com', certFile: '/tls/cert.pem', keyFile: '/tls/key.pem', password: null },
  ]);
  assert.deepEqual(
    refusal({ conf: `${TLS}warren.sni.a.hostname = a\nwarren.sni.b.certfile = /tls/cert.pem`, files: CERTIFICATES }).problems,
    [
      'rabbitmq.conf:4: warren.sni.b needs warren.sni.b.hostname',
      'rabbitmq.conf:3: warren.sni.a needs warren.sni.a.certfile',
      'rabbitmq.conf:3: warren.sni.a needs warren.sni.a.keyfile',
    ],
  );
});
