import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { bool, table } from '../../../src/base/field-table.ts';
import { type AddressBlock, loopbackBlocks } from '../../../src/net/listener.ts';
import { protocolHeader } from '../../../src/wire/amqp091/frame.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver, type ConnectOptions } from '../../support/amqp-driver.ts';
import { CertificateStore } from '../../support/certificates.ts';
import { type Edge, type EdgeOptions, outerAddress, tlsWith, withEdge } from '../../support/edge.ts';
import { proxyHeader2, proxyLine, proxyTlv } from '../../support/proxy-header.ts';
import { waitUntil } from '../../support/wait-until.ts';

const store = new CertificateStore();
after(() => store.dispose());

const withProxy = (run: (edge: Edge) => Promise<void>, options: EdgeOptions = {}): Promise<void> =>
  withEdge({ ...options, listener: { proxySources: loopbackBlocks, ...options.listener } }, run);

/** A socket that has sent this much before anything else. */
async function dial(port: number, ...head: Uint8Array[]): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  for (const bytes of head) socket.write(bytes);
  return socket;
}

/** What the server sends first, null when it closes without a word. */
async function answer(socket: net.Socket): Promise<Buffer | null> {
  const came = Promise.withResolvers<Buffer | null>();
  socket.on('data', bytes => came.resolve(bytes));
  socket.on('close', () => came.resolve(null));
  const bytes = await came.promise;
  socket.destroy();
  return bytes;
}

/** Logs in behind a header; gives the text of a refusal, or ''. */
async function login(port: number, header: Uint8Array, options: Partial<ConnectOptions> = {}): Promise<string> {
  const driver = await AmqpDriver.raw({ port });
  driver.send(header);
  driver.send(protocolHeader);
  await driver.expect(methods.ConnectionStart, 0);
  const response = Buffer.from(`\0${options.user ?? 'guest'}\0${options.password ?? 'guest'}`);
  const clientProperties = new Map([['capabilities', table(new Map([['authentication_failure_close', bool(true)]]))]]);
  driver.send(methods.encodeConnectionStartOk(0, { clientProperties, mechanism: 'PLAIN', response, locale: 'en_US' }));
  const frame = await driver.next();
  driver.destroy();
  if (frame.method === methods.ConnectionClose) return frame.args.replyText;
  assert.equal(frame.method, methods.ConnectionTune);
  return '';
}

test('the client is who the header says, for its name and for the loopback rule', async () => {
  await withProxy(async ({ broker, port, links }) => {
    const remote = { source: '203.0.113.9', destination: '198.51.100.7', sourcePort: 51_234, destinationPort: 5672 };
    for (const header of [
      proxyLine('203.0.113.9', '198.51.100.7', 51_234, 5672),
      proxyHeader2({ ...remote, tlvs: proxyTlv(4, Buffer.alloc(99)) }),
    ]) {
      assert.match(await login(port, header), /ACCESS_REFUSED/);
      const { facts } = links.at(-1) ?? assert.fail();
      assert.deepEqual(facts, {
        peerHost: '203.0.113.9',
        peerPort: 51_234,
        host: '198.51.100.7',
        port: 5672,
        isTls: false,
        isWebSocket: false,
        tls: null,
        peerCertificate: null,
      });
    }
    const { core } = broker;
    core.access.addUser({ ...(core.access.user('guest') ?? assert.fail()), name: 'anyone' });
    core.access.putPermission({ user: 'anyone', vhost: '/', configure: '.*', write: '.*', read: '.*' });
    assert.equal(await login(port, proxyHeader2(remote), { user: 'anyone' }), '');
    assert.match(await login(port, proxyHeader2({ source: '::ffff:203.0.113.9', destination: '::1' })), /ACCESS_REFUSED/);
    assert.equal(await login(port, proxyHeader2({ source: '::ffff:127.0.0.1', destination: '::1' })), '');
    assert.equal(await login(port, proxyHeader2({ source: '127.0.0.9' })), '');
  });
});

test('a header that says nothing of a client leaves the connection its own ends', async () => {
  await withProxy(async ({ port, links }) => {
    const headers = [
      proxyHeader2({ isLocal: true }),
      proxyHeader2({ family: 0 }),
      proxyHeader2({ family: 0x31, payload: Buffer.alloc(216, 0x2f) }),
      Buffer.from('PROXY UNKNOWN\r\n'),
    ];
    for (const header of headers) {
      assert.equal(await login(port, header), '');
      const { facts } = links.at(-1) ?? assert.fail();
      assert.equal(facts.peerHost, '127.0.0.1');
      assert.equal(facts.port, port);
    }
  });
});

test('only listed sources may connect at all', async () => {
  const elsewhere: readonly AddressBlock[] = [
    { address: '192.0.2.0', prefixBits: 24, family: 'ipv4' },
    { address: '2001:db8::', prefixBits: 32, family: 'ipv6' },
  ];
  for (const proxySources of [elsewhere, []]) {
    await withProxy(
      async ({ port, admission, log, links }) => {
        assert.equal(await answer(await dial(port, proxyHeader2({}), protocolHeader)), null);
        assert.equal(await answer(await dial(port, protocolHeader)), null);
        await waitUntil(() => admission.connectionCount === 0);
        assert.equal(admission.refused['proxy-source'], 2);
        assert.equal(links.length, 0);
        assert.match(log.join('\n'), /refusing a connection from 127\.0\.0\.1 on 127\.0\.0\.1:\d+: it is none of the proxies/);
      },
      { listener: { proxySources } },
    );
  }
});

test('a connection without a header, or with a wrong one, is closed without a word', async () => {
  await withProxy(async ({ port, admission, links }) => {
    const wrong = [
      protocolHeader,
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      proxyHeader2({ version: 3 }),
      Buffer.from('PROXY TCP4 1 2 3 4\r\n'),
    ];
    for (const bytes of wrong) assert.equal(await answer(await dial(port, bytes)), null);
    await waitUntil(() => admission.connectionCount === 0);
    assert.equal(admission.refused['proxy-header'], wrong.length);
    assert.equal(links.length, 0);
  });
});

test('a header has its time, however it trickles in', async () => {
  await withProxy(
    async ({ port, admission, log }) => {
      const silent = await dial(port);
      const trickling = await dial(port);
      const header = proxyHeader2({ tlvs: Buffer.alloc(4000) });
      let sent = 0;
      const timer = setInterval(() => trickling.write(header.subarray(sent, ++sent)), 20).unref();
      const startMillis = performance.now();
      await Promise.all([silent, trickling].map(async socket => assert.equal(await answer(socket), null)));
      clearInterval(timer);
      const took = performance.now() - startMillis;
      assert.ok(took > 150 && took < 4000, `${took} ms`);
      await waitUntil(() => admission.connectionCount === 0);
      assert.match(log.join('\n'), /no PROXY header came in time/);
    },
    { listener: { proxyHeaderTimeoutMillis: 300 } },
  );
});

test('a client that leaves in the middle of its header gives its place back', async () => {
  await withProxy(async ({ port, admission }) => {
    const leaving = await dial(port, Buffer.from('PROXY TC'));
    const resetting = await dial(port, proxyHeader2({ tlvs: Buffer.alloc(99) }).subarray(0, 40));
    await waitUntil(() => admission.connectionCount === 2);
    leaving.end();
    resetting.resetAndDestroy();
    await waitUntil(() => admission.connectionCount === 0);
    assert.equal(admission.unauthenticatedCount, 0);
  });
});

test('header and frames may come in any pieces', async () => {
  await withProxy(async ({ port }) => {
    const bytes = Buffer.concat([proxyHeader2({ source: '127.0.0.1', tlvs: Buffer.alloc(20) }), protocolHeader]);
    for (const cut of [1, 12, 16, 27, 28, 47, 48, 49, 52, bytes.length]) {
      const socket = await dial(port, bytes.subarray(0, cut));
      const start = answer(socket);
      setImmediate(() => socket.write(bytes.subarray(cut)));
      assert.equal((await start)?.readUInt32BE(7), methods.ConnectionStart, `cut at ${cut}`);
    }
  });
});

test('TLS begins behind the header on the same connection', async () => {
  const root = store.make({ subject: '/CN=root', isAuthority: true });
  const server = store.make({ subject: '/CN=localhost', altNames: 'DNS:localhost' }, root);
  await withProxy(
    async ({ port, links, admission }) => {
      const header = proxyHeader2({ source: '203.0.113.9', tlvs: Buffer.alloc(300) });
      for (const isTogether of [true, false]) {
        const socket = await dial(port);
        // Corked, the hello goes out in one piece with the header.
        if (isTogether) socket.cork();
        socket.write(header);
        const secure = tls.connect({ socket, ca: root.pem, servername: 'localhost' });
        secure.on('error', () => {});
        setImmediate(() => socket.uncork());
        await once(secure, 'secureConnect');
        secure.write(protocolHeader);
        assert.equal((await answer(secure))?.readUInt32BE(7), methods.ConnectionStart);
        const { facts } = links.at(-1) ?? assert.fail();
        assert.equal(facts.peerHost, '203.0.113.9');
        assert.equal(facts.isTls, true);
      }
      // Plain AMQP behind the header.
      assert.equal(await answer(await dial(port, header, protocolHeader)), null);
      await waitUntil(() => admission.connectionCount === 0);
      assert.equal(admission.refused.tls, 1);
      assert.equal(admission.countOf('203.0.113.9'), 0);
    },
    { listener: { tls: tlsWith(server) } },
  );
});

test('the limit per address is of the clients, not of the proxy', async () => {
  await withProxy(
    async ({ port, admission }) => {
      const open: net.Socket[] = [];
      const connect = async (source: string): Promise<boolean> => {
        const socket = await dial(port, proxyHeader2({ source }), protocolHeader);
        open.push(socket);
        const came = Promise.withResolvers<boolean>();
        socket.on('data', () => came.resolve(true));
        socket.on('close', () => came.resolve(false));
        return came.promise;
      };
      assert.deepEqual(await Promise.all(['192.0.2.1', '192.0.2.1', '192.0.2.2'].map(connect)), [true, true, true]);
      assert.equal(await connect('192.0.2.1'), false);
      assert.equal(await connect('192.0.2.2'), true);
      assert.equal(admission.countOf('127.0.0.1'), 0);
      open[0]?.destroy();
      await waitUntil(() => admission.countOf('192.0.2.1') === 1);
      assert.equal(await connect('192.0.2.1'), true);
      for (const socket of open) socket.destroy();
    },
    { limits: { connectionsPerAddressMax: 2 } },
  );
});

test("what a proxy on another machine calls loopback is not this machine's", async t => {
  const here = outerAddress();
  if (here === undefined) {
    t.skip('the machine has no address but loopback');
    return;
  }
  const proxySources: readonly AddressBlock[] = [{ address: here, prefixBits: 32, family: 'ipv4' }];
  await withProxy(
    async ({ port, links }) => {
      const socket = net.connect({ port, host: here });
      socket.on('error', () => {});
      socket.write(proxyHeader2({ source: '127.0.0.1' }));
      await waitUntil(() => links.length === 1);
      assert.equal(links[0]?.facts.peerHost, here);
      socket.destroy();
    },
    { listener: { proxySources, host: '0.0.0.0' } },
  );
});
