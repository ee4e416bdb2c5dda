import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { bool, table } from '../../../src/base/field-table.ts';
import { Secret } from '../../../src/base/secret.ts';
import { ListenError } from '../../../src/net/listen-error.ts';
import { loadTlsContexts, TlsFileError, type TlsOptions } from '../../../src/net/tls-contexts.ts';
import { protocolHeader } from '../../../src/wire/amqp091/frame.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, queueDeclare } from '../../support/amqp-requests.ts';
import { type Certificate, CertificateStore } from '../../support/certificates.ts';
import { closeOf, type Edge, tlsWith, withEdge } from '../../support/edge.ts';
import { waitUntil } from '../../support/wait-until.ts';

const store = new CertificateStore();
after(() => store.dispose());
const root = store.make({ subject: '/CN=root', isAuthority: true });
const server = store.make({ subject: '/CN=localhost', altNames: 'DNS:localhost,IP:127.0.0.1' }, root);
const intermediate = store.make({ subject: '/CN=intermediate', isAuthority: true }, root);
const alice = store.make({ subject: '/O=Warren/CN=alice' }, root);
const bob = store.make({ subject: '/CN=bob' }, intermediate);

const withTls = (
  options: Partial<TlsOptions>,
  run: (edge: Edge) => Promise<void>,
  more: { timeoutMillis?: number; mechanisms?: string[] } = {},
) =>
  withEdge(
    {
      listener: { tls: tlsWith(server, options), tlsHandshakeTimeoutMillis: more.timeoutMillis ?? 5000 },
      ...(more.mechanisms === undefined ? {} : { settings: { mechanisms: more.mechanisms } }),
    },
    run,
  );
/** Options of a client that trusts our root. */
const client = (options: tls.ConnectionOptions = {}): tls.ConnectionOptions => ({ ca: root.pem, servername: 'localhost', ...options });
const as = (certificate: Certificate, options: tls.ConnectionOptions = {}): tls.ConnectionOptions =>
  client({ cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile), ...options });

/** Connects and sends the protocol header: true when the server answers to it, false when it closes. */
async function isLetIn(port: number, options: tls.ConnectionOptions): Promise<boolean> {
  const socket = tls.connect({ port, host: '127.0.0.1', ...options });
  socket.on('error', () => {});
  socket.on('secureConnect', () => socket.write(protocolHeader));
  const answered = Promise.withResolvers<boolean>();
  socket.on('data', () => answered.resolve(true));
  socket.on('close', () => answered.resolve(false));
  const isAnswered = await answered.promise;
  socket.destroy();
  return isAnswered;
}

test('a client speaks AMQP over TLS 1.3 and over TLS 1.2, and the link knows which', async () => {
  await withTls({}, async ({ port, links }) => {
    for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
      const driver = await AmqpDriver.connect({ port, tls: client({ minVersion: version, maxVersion: version }) });
      await driver.openChannel(1);
      const queue = await driver.call(queueDeclare(1, { exclusive: true }), methods.QueueDeclareOk);
      driver.publish(1, { routingKey: queue.queue, body: Buffer.alloc(300_000, 7) });
      driver.send(basicConsume(1, { queue: queue.queue, noAck: true }));
      await driver.expect(methods.BasicConsumeOk, 1);
      assert.deepEqual((await driver.nextDelivery(1)).body, Buffer.alloc(300_000, 7));
      await driver.end();
      const facts = links.at(-1)?.facts;
      assert.equal(facts?.isTls, true);
      assert.equal(facts.tls?.version, version);
      assert.match(facts.tls.cipherSuite, version === 'TLSv1.3' ? /^TLS_AES/ : /^TLS_ECDHE_ECDSA_WITH/);
      assert.equal(facts.peerCertificate, null);
      assert.equal(facts.peerHost, '127.0.0.1');
      assert.equal(facts.port, port);
    }
  });
});

test('versions and ciphers that are not offered are refused', async () => {
  await withTls({}, async ({ port, admission }) => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    assert.equal(await isLetIn(port, client(old)), false);
    // No forward secrecy, no authenticated encryption.
    assert.equal(await isLetIn(port, client({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' })), false);
    assert.equal(await isLetIn(port, client()), true);
    await waitUntil(() => admission.refused.tls === 2);
  });
  await withTls({ versions: ['TLSv1.3'] }, async ({ port }) => {
    assert.equal(await isLetIn(port, client({ maxVersion: 'TLSv1.2' })), false);
    assert.equal(await isLetIn(port, client()), true);
  });
  await withTls({ versions: ['TLSv1.2'], ciphers: ['ECDHE-ECDSA-AES256-GCM-SHA384'] }, async ({ port, links }) => {
    assert.equal(await isLetIn(port, client({ minVersion: 'TLSv1.3' })), false);
    assert.equal(await isLetIn(port, client({ ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })), false);
    assert.equal(await isLetIn(port, client()), true);
    assert.equal(links.at(-1)?.facts.tls?.cipher, 'ECDHE-ECDSA-AES256-GCM-SHA384');
  });
});

test('the server chooses among ciphers by its own order when it is told to', async () => {
  const ciphers = ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256'];
  for (const honorCipherOrder of [true, false]) {
    await withTls({ versions: ['TLSv1.2'], ciphers, honorCipherOrder }, async ({ port, links }) => {
      assert.equal(await isLetIn(port, client({ ciphers: ciphers.toReversed().join(':') })), true);
      assert.equal(links[0]?.facts.tls?.cipher, ciphers[honorCipherOrder ? 0 : 1]);
    });
  }
});

test('the certificate goes by the name that the client asks for', async () => {
  const shop = store.make({ subject: '/CN=shop.example', altNames: 'DNS:shop.example' }, root);
  const wild = store.make({ subject: '/CN=wild', altNames: 'DNS:*.example.net' }, root);
  const sni = [
    { hostname: 'shop.example', certFile: shop.certFile, keyFile: shop.keyFile, password: null },
    { hostname: '*.example.net', certFile: wild.certFile, keyFile: wild.keyFile, password: null },
  ];
  await withTls({ sni }, async ({ port }) => {
    const served = async (servername: string): Promise<string> => {
      const socket = tls.connect({ port, host: '127.0.0.1', ca: root.pem, servername, checkServerIdentity: () => undefined });
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return String(subject.CN);
    };
    assert.equal(await served('shop.example'), 'shop.example');
    assert.equal(await served('SHOP.Example'), 'shop.example');
    assert.equal(await served('a.example.net'), 'wild');
    assert.equal(await served('a.b.example.net'), 'localhost');
    assert.equal(await served('elsewhere.example'), 'localhost');
  });
});

test('a client certificate is asked for, and must verify in the whole of its chain', async () => {
  const strange = store.make({ subject: '/CN=alice' });
  const otherRoot = store.make({ subject: '/CN=root', isAuthority: true });
  const forged = store.make({ subject: '/O=Warren/CN=alice' }, otherRoot);
  const expired = store.make({ subject: '/CN=old', isExpired: true }, root);
  const notAuthority = store.make({ subject: '/CN=mallory' }, alice);
  for (const failIfNoPeerCert of [true, false]) {
    await withTls({ verify: 'peer', caFile: root.certFile, failIfNoPeerCert }, async ({ port, links, log, admission }) => {
      for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
        const by = { minVersion: version, maxVersion: version };
        for (const bad of [strange, forged, expired, notAuthority]) assert.equal(await isLetIn(port, as(bad, by)), false);
        assert.equal(links.length, 0, 'nobody got to the protocol');
        assert.equal(await isLetIn(port, client(by)), !failIfNoPeerCert);
        if (!failIfNoPeerCert) assert.equal(links.at(-1)?.facts.peerCertificate, null);
        assert.equal(await isLetIn(port, as(alice, by)), true);
        assert.equal(await isLetIn(port, as(bob, by)), true, 'with an intermediate certificate that the client sends');
        const certificate = links.at(-2)?.facts.peerCertificate;
        assert.equal(certificate?.subject, 'O=Warren\nCN=alice');
        assert.equal(certificate.issuer, 'CN=root');
        assert.ok(Date.parse(certificate.validFrom) < Date.now() && Date.now() < Date.parse(certificate.validTo));
        (links as unknown[]).length = 0;
      }
      await waitUntil(() => admission.refused.tls === (failIfNoPeerCert ? 10 : 8));
      assert.match(log.join('\n'), /TLS handshake with 127\.0\.0\.1 on 127\.0\.0\.1:\d+ failed: .*certificate does not verify/);
    });
  }
});

test('a certificate that was not asked for is nobody', async () => {
  await withTls({ verify: 'none', caFile: root.certFile }, async ({ port, links }) => {
    assert.equal(await isLetIn(port, as(alice)), true);
    assert.equal(links[0]?.facts.peerCertificate, null);
  });
});

/** Whether this Node.js tells a server the chain of its client's certificate: some releases do not. (nodejs/node#65579) */
async function doesNodeTellChains(): Promise<boolean> {
  const [cert, key] = [readFileSync(bob.certFile), readFileSync(bob.keyFile)];
  const probe = tls.createServer({ cert, key, ca: root.pem, requestCert: true }).listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const dialling = tls.connect({
    port: (probe.address() as net.AddressInfo).port,
    host: '127.0.0.1',
    ...as(bob),
    rejectUnauthorized: false,
  });
  const [secured] = (await once(probe, 'secureConnection')) as [tls.TLSSocket];
  const tells = secured.getPeerX509Certificate()?.issuerCertificate !== undefined;
  dialling.destroy();
  probe.close();
  return tells;
}

test('a chain may have no more intermediate certificates than depth', async () => {
  const tellsChain = await doesNodeTellChains();
  const below = store.make({ subject: '/CN=below', isAuthority: true }, intermediate);
  const carol = store.make({ subject: '/CN=carol' }, below);
  for (const [depth, expected] of [
    [0, [true, false, false]],
    [1, [true, true, !tellsChain]],
    [2, [true, true, true]],
  ] as const) {
    await withTls({ verify: 'peer', caFile: root.certFile, failIfNoPeerCert: true, depth }, async ({ port }) => {
      const letIn: boolean[] = [];
      for (const who of [alice, bob, carol]) letIn.push(await isLetIn(port, as(who)));
      assert.deepEqual(letIn, expected);
    });
  }
});

test('with client certificates no session is resumed, so that each connection is checked', async () => {
  for (const verify of ['peer', 'none'] as const) {
    await withTls({ verify, caFile: root.certFile }, async ({ port }) => {
      for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
        const options = as(alice, { minVersion: version, maxVersion: version, port, host: '127.0.0.1' });
        const first = tls.connect(options as tls.ConnectionOptions);
        let session: Buffer | null = null;
        first.on('session', given => (session = given));
        await once(first, 'secureConnect');
        first.write(protocolHeader);
        await once(first, 'data');
        first.destroy();
        const second = tls.connect({ ...options, ...(session === null ? {} : { session }) } as tls.ConnectionOptions);
        await once(second, 'secureConnect');
        assert.equal(second.isSessionReused(), verify === 'none', `${verify} ${version}`);
        second.destroy();
      }
    });
  }
});

/** Logs in by certificate, up to connection.open-ok. */
async function openExternal(driver: AmqpDriver): Promise<void> {
  driver.send(protocolHeader);
  const { mechanisms } = await driver.expect(methods.ConnectionStart, 0);
  assert.match(mechanisms.toString(), /\bEXTERNAL\b/);
  // So that a refusal comes as connection.close, and at once.
  const clientProperties = new Map([['capabilities', table(new Map([['authentication_failure_close', bool(true)]]))]]);
  driver.send(methods.encodeConnectionStartOk(0, { clientProperties, mechanism: 'EXTERNAL', response: Buffer.alloc(0), locale: 'en_US' }));
  const tune = await driver.expect(methods.ConnectionTune, 0);
  driver.send(methods.encodeConnectionTuneOk(0, { ...tune, heartbeat: 0 }));
  driver.send(methods.encodeConnectionOpen(0, { virtualHost: '/' }));
  await driver.expect(methods.ConnectionOpenOk, 0);
}

test('a client logs in with its certificate by EXTERNAL, which only TLS connections are offered', async () => {
  const mechanisms = ['PLAIN', 'EXTERNAL'];
  await withTls(
    { verify: 'peer', caFile: root.certFile },
    async ({ broker, port, log }) => {
      const { core } = broker;
      const name = 'CN=alice,O=Warren';
      core.access.addUser({
        name,
        passwordHash: '',
        hashingAlgorithm: 'rabbit_password_hashing_sha256',
        tags: [],
        limits: { maxConnections: null, maxChannels: null },
      });
      core.access.putPermission({ user: name, vhost: '/', configure: '.*', write: '.*', read: '.*' });

      const driver = await AmqpDriver.raw({ port, tls: as(alice) });
      await openExternal(driver);
      await driver.openChannel(1);
      const { queue } = await driver.call(queueDeclare(1, { exclusive: true }), methods.QueueDeclareOk);
      driver.publish(1, { routingKey: queue, body: 'from alice', properties: { userId: name } });
      driver.send(methods.encodeBasicGet(1, { queue, noAck: true }));
      assert.equal((await driver.nextDelivery(1)).body.toString(), 'from alice');
      assert.equal([...core.connections].find(connection => connection.user === name)?.describe().isTls, true);
      await driver.end();

      // Known to the authority, but no user here.
      const stranger = await AmqpDriver.raw({ port, tls: as(bob) });
      await assert.rejects(openExternal(stranger), /403 "ACCESS_REFUSED - Login was refused using authentication mechanism EXTERNAL/);
      // No certificate at all.
      const nobody = await AmqpDriver.raw({ port, tls: client() });
      await assert.rejects(openExternal(nobody), /403 "ACCESS_REFUSED - Login was refused using authentication mechanism EXTERNAL/);
      assert.equal(log.filter(text => text.includes('EXTERNAL login refused')).length, 2);

      // A password does as well as before.
      const plain = await AmqpDriver.connect({ port, tls: as(alice) });
      await plain.end();
      const unsecured = await AmqpDriver.raw({ port: broker.port });
      unsecured.send(protocolHeader);
      assert.equal((await unsecured.expect(methods.ConnectionStart, 0)).mechanisms.toString(), 'PLAIN');
      unsecured.destroy();
    },
    { mechanisms },
  );
});

test('certificates are read anew without a restart, and a bad file changes nothing', async () => {
  const renewed = store.make({ subject: '/CN=renewed', altNames: 'DNS:localhost' }, root);
  const certFile = store.write('in-use.pem', readFileSync(server.certFile, 'utf8'));
  const keyFile = store.write('in-use.key', readFileSync(server.keyFile, 'utf8'));
  const caFile = store.write('in-use-ca.pem', root.pem);
  const otherRoot = store.make({ subject: '/CN=other', isAuthority: true });
  const dave = store.make({ subject: '/CN=dave' }, otherRoot);
  const sni = [{ hostname: 'localhost.', certFile, keyFile, password: null }];
  await withTls({ certFile, keyFile, caFile, verify: 'peer', sni }, async ({ listener, port }) => {
    const served = async (): Promise<string> => {
      const socket = tls.connect({ port, host: '127.0.0.1', ...client() });
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return String(subject.CN);
    };
    assert.equal(await served(), 'localhost');
    const driver = await AmqpDriver.connect({ port, tls: client() });

    // Half a renewal: the new certificate with the old key.
    writeFileSync(certFile, renewed.pem);
    await assert.rejects(listener.reloadCertificates(), (error: unknown) => {
      assert.ok(error instanceof TlsFileError);
      assert.equal(error.message, `the private key ${keyFile} does not belong to the certificate ${certFile}`);
      return true;
    });
    assert.equal(await served(), 'localhost');

    writeFileSync(keyFile, readFileSync(renewed.keyFile));
    await listener.reloadCertificates();
    assert.equal(await served(), 'renewed');

    assert.equal(await isLetIn(port, as(dave)), false);
    writeFileSync(caFile, root.pem + otherRoot.pem);
    await listener.reloadCertificates();
    assert.equal(await isLetIn(port, as(dave)), true);

    for (let i = 0; i < 20; i++) await listener.reloadCertificates();
    await driver.openChannel(1);
    await driver.end();
  });
});

test('files that cannot be used are named in one sentence', async () => {
  const locked = store.make({ subject: '/CN=locked', password: 'opensesame' }, root);
  const rsa = store.make({ subject: '/CN=rsa', keyType: 'rsa' }, root);
  const nothing = store.write('nothing.pem', 'nothing');
  const broken = store.write('broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  const load = (options: Partial<TlsOptions>): Promise<unknown> => loadTlsContexts(tlsWith(server, options));
  const refuses = async (options: Partial<TlsOptions>, message: RegExp): Promise<void> => {
    await assert.rejects(load(options), (error: unknown) => {
      assert.ok(error instanceof TlsFileError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /opensesame|\n/);
      return true;
    });
  };
  await load({ certFile: locked.certFile, keyFile: locked.keyFile, password: new Secret('opensesame') });
  await refuses({ certFile: locked.certFile, keyFile: locked.keyFile }, /\.key is encrypted and needs a password/);
  await refuses(
    { certFile: locked.certFile, keyFile: locked.keyFile, password: new Secret('opensesamee') },
    /the password of the private key .* is wrong/,
  );
  await refuses({ certFile: '/nowhere/cert.pem' }, /cannot read \/nowhere\/cert\.pem: ENOENT/);
  await refuses({ keyFile: '/nowhere/key.pem' }, /cannot read \/nowhere\/key\.pem: ENOENT/);
  await refuses({ certFile: nothing }, /nothing\.pem holds no certificate in PEM/);
  await refuses({ keyFile: nothing }, /nothing\.pem holds no private key that can be read/);
  await refuses({ certFile: broken }, /broken\.pem holds a certificate that cannot be read/);
  await refuses({ caFile: nothing }, /nothing\.pem holds no certificate in PEM/);
  await refuses({ caFile: broken }, /broken\.pem holds a certificate that cannot be read/);
  await refuses({ keyFile: alice.keyFile }, /does not belong to the certificate/);
  // Keys of different kinds, which OpenSSL does not compare.
  await refuses({ keyFile: rsa.keyFile }, /does not belong to the certificate/);
  await refuses({ ciphers: ['NONE-SUCH'] }, /no cipher match/);
  await refuses(
    { sni: [{ hostname: 'x', certFile: nothing, keyFile: server.keyFile, password: null }] },
    /nothing\.pem holds no certificate/,
  );
});

test('a listener whose certificate cannot be used does not start', async () => {
  await assert.rejects(
    withTls({ certFile: '/nowhere/cert.pem' }, async () => {}),
    TlsFileError,
  );
  await assert.rejects(
    withEdge({ listener: { tls: tlsWith(server), socketPath: `${store.dir}/tls.sock` } }, async () => {}),
    (error: unknown) => error instanceof ListenError && /TLS on a Unix socket/.test(error.message),
  );
});

test('plain AMQP on a TLS port is closed at once, and TLS on a plain port too', async () => {
  await withTls({}, async ({ broker, port, admission, log }) => {
    const startMillis = performance.now();
    const plain = net.connect({ port, host: '127.0.0.1' });
    plain.on('error', () => {});
    plain.write(protocolHeader);
    await closeOf(plain);
    await waitUntil(() => admission.refused.tls === 1);
    assert.match(log.at(-1) ?? '', /wrong version number/);
    assert.equal(await isLetIn(broker.port, client()), false);
    assert.ok(performance.now() - startMillis < 3000);
  });
});

test('a handshake has its time, however it trickles in, and gives its place back', async () => {
  await withTls(
    {},
    async ({ port, admission, log }) => {
      const silent = net.connect({ port, host: '127.0.0.1' });
      const trickling = net.connect({ port, host: '127.0.0.1' });
      const hello = Buffer.from('\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03', 'latin1');
      let sent = 0;
      const timer = setInterval(() => trickling.write(Buffer.from([hello[sent++] ?? 0])), 20).unref();
      const startMillis = performance.now();
      for (const socket of [silent, trickling]) socket.on('error', () => {});
      await waitUntil(() => admission.unauthenticatedCount === 2);
      await Promise.all([closeOf(silent), closeOf(trickling)]);
      clearInterval(timer);
      const took = performance.now() - startMillis;
      assert.ok(took > 200 && took < 4000, `${took} ms`);
      await waitUntil(() => admission.connectionCount === 0 && admission.refused.tls === 2);
      assert.match(log.at(-1) ?? '', /timeout/);
    },
    { timeoutMillis: 400 },
  );
});

test('a handshake that does not come to its end has an end in bytes', async () => {
  await withTls({}, async ({ port, admission, log }) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    // A hello of 128 KiB in records of 16 KiB, which OpenSSL would wait for.
    const record = Buffer.concat([Buffer.from([0x16, 3, 1, 0x40, 0]), Buffer.alloc(0x4000)]);
    record.writeUInt32BE((1 << 24) | 0x1_ff00, 5);
    socket.write(record);
    const rest = Buffer.concat([Buffer.from([0x16, 3, 1, 0x40, 0]), Buffer.alloc(0x4000)]);
    for (let i = 0; i < 5; i++) socket.write(rest);
    await closeOf(socket);
    await waitUntil(() => admission.refused.tls === 1);
    assert.match(log.at(-1) ?? '', /too many bytes|excessive message size|length/);
  });
});

test('a client cannot renegotiate', async () => {
  await withTls({ versions: ['TLSv1.2'] }, async ({ port }) => {
    const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2'], { stdio: 'pipe' });
    let output = '';
    for (const stream of [client.stdout, client.stderr]) stream.setEncoding('utf8').on('data', text => (output += text));
    await waitUntil(() => output.includes('Verify return code'));
    // What s_client takes as the wish to renegotiate.
    client.stdin.write('R\n');
    await once(client, 'exit');
    assert.match(output, /RENEGOTIATING[^]*no renegotiation/);
  });
});

test('a thousand broken handshakes leave nothing behind', async () => {
  await withTls({ verify: 'peer', caFile: root.certFile }, async ({ port, admission, listener }) => {
    // A real hello to break: what a client sends first.
    const sink = net.createServer().listen(0, '127.0.0.1');
    await once(sink, 'listening');
    const hello = Promise.withResolvers<Buffer>();
    sink.on('connection', socket => socket.once('data', bytes => hello.resolve(bytes)));
    const dialling = tls.connect({ port: (sink.address() as net.AddressInfo).port, host: '127.0.0.1', ...client() });
    dialling.on('error', () => {});
    const good = await hello.promise;
    dialling.destroy();
    sink.close();
    let seed = 4711;
    const random = (below: number): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) % below;
    for (let round = 0; round < 50; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const bytes = Buffer.from(good.subarray(0, random(good.length) + 1));
          for (let changes = random(4); changes > 0; changes--) bytes[random(bytes.length)] = random(256);
          const socket = net.connect({ port, host: '127.0.0.1' });
          socket.on('error', () => {});
          socket.on('data', () => {});
          await once(socket, 'connect');
          socket.write(bytes);
          if (random(2) === 0) socket.end(Buffer.alloc(random(100), random(256)));
          else socket.resetAndDestroy();
          await closeOf(socket);
        }),
      );
    }
    await waitUntil(() => admission.connectionCount === 0 && listener.connectionCount === 0);
    assert.equal(admission.unauthenticatedCount, 0);
    assert.equal(await isLetIn(port, as(alice)), true);
  });
});
