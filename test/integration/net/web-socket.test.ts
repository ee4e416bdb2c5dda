import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { after, test } from 'node:test';
import { WebSocket } from 'ws';
import { Listener, type ListenerOptions } from '../../../src/net/listener.ts';
import { AdmissionControl } from '../../../src/net/admission.ts';
import type { Link } from '../../../src/net/link.ts';
import { defaultSettings } from '../../../src/core/settings.ts';
import { silentLogger } from '../../../src/core/ports/logger.ts';
import { defaultWebSocketOptions, type WebSocketOptions } from '../../../src/net/web-socket-options.ts';
import { strangerMessageBytesMax } from '../../../src/net/web-socket-stream.ts';
import { CertificateStore } from '../../support/certificates.ts';
import { closeOf, tlsWith } from '../../support/edge.ts';
import { waitUntil } from '../../support/wait-until.ts';

const store = new CertificateStore();
after(() => store.dispose());

interface Far {
  readonly link: Link;
  readonly received: Buffer[];
  /** Called with input, for sessions that do more than to remember it. */
  onBytes: (bytes: Buffer) => void;
  error: Error | null;
  isDrained: boolean;
}

interface Place {
  readonly port: number;
  readonly listener: Listener;
  readonly admission: AdmissionControl;
  readonly far: readonly Far[];
  open(options?: { subProtocols?: string[]; headers?: Record<string, string>; url?: string }): Promise<WebSocket>;
}

/** A listener whose links only note what comes. */
async function withPlace(
  webSocket: Partial<WebSocketOptions>,
  run: (place: Place) => Promise<void>,
  more: Partial<ListenerOptions> = {},
): Promise<void> {
  const admission = new AdmissionControl(defaultSettings, silentLogger);
  const far: Far[] = [];
  const sockets: WebSocket[] = [];
  const listener = new Listener({ webSocket: { ...defaultWebSocketOptions, ...webSocket }, ...more }, admission, link => {
    const end: Far = { link, received: [], onBytes: () => {}, error: null, isDrained: false };
    far.push(end);
    link.start({
      isTakingLarge: false,
      onBytes: (buffer, from, to) => {
        const bytes = buffer.subarray(from, to);
        end.received.push(bytes);
        end.onBytes(bytes);
      },
      onClosed: error => void (end.error = error),
      onDrained: () => void (end.isDrained = true),
      onUnsent: () => void setImmediate(() => link.outbox.flush()),
    });
  });
  await listener.start();
  try {
    await run({
      port: listener.port,
      listener,
      admission,
      far,
      async open({ subProtocols = [], headers = {}, url = `ws://127.0.0.1:${listener.port}/ws` } = {}) {
        const socket = new WebSocket(url, subProtocols, { headers, rejectUnauthorized: false });
        sockets.push(socket);
        socket.on('error', () => {});
        await once(socket, 'open');
        return socket;
      },
    });
  } finally {
    for (const socket of sockets) socket.terminate();
    void listener.close();
    listener.destroyAll();
  }
}

/** What a handshake is answered with: the status. */
async function statusOf(port: number, path: string, headers: Record<string, string> = {}, subProtocols: string[] = []): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, subProtocols, { headers });
  socket.on('error', () => {});
  const status = await new Promise<number>(resolve => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
  });
  socket.terminate();
  return status;
}

const bytesOf = (far: Far): Buffer => Buffer.concat(far.received);

test('what is sent in WebSocket messages is one stream, in either direction', async () => {
  await withPlace({}, async ({ open, far }) => {
    const socket = await open();
    const end = far[0] as Far;
    assert.equal(end.link.facts.isWebSocket, true);
    assert.equal(end.link.facts.isTls, false);
    socket.send(Buffer.from('one '));
    socket.send(Buffer.alloc(0));
    socket.send(Buffer.from('two '), { fin: false });
    socket.send(Buffer.from('three'), { fin: true });
    await waitUntil(() => bytesOf(end).length === 13);
    assert.equal(String(bytesOf(end)), 'one two three');
    const echoed: Buffer[] = [];
    socket.on('message', (data, isBinary) => {
      assert.equal(isBinary, true);
      echoed.push(data as Buffer);
    });
    const large = randomBytes(300_000);
    end.link.outbox.append(Buffer.from('small'));
    end.link.outbox.append(large);
    end.link.outbox.flush();
    await waitUntil(() => Buffer.concat(echoed).length === 300_005);
    assert.deepEqual(Buffer.concat(echoed).subarray(5), large);
    assert.equal(end.link.receivedBytes, 13);
  });
});

test('clients that send text get text, cut wherever it may be, and bytes that are no text as they are', async () => {
  await withPlace({ frames: 'as-received' }, async ({ open, far }) => {
    const socket = await open();
    const end = far[0] as Far;
    const kinds: boolean[] = [];
    const parts: Buffer[] = [];
    socket.on('message', (data, isBinary) => {
      kinds.push(isBinary);
      parts.push(data as Buffer);
    });
    const send = (bytes: Buffer): void => {
      end.link.outbox.append(bytes);
      end.link.outbox.flush();
    };
    send(Buffer.from('first'));
    await waitUntil(() => kinds.length === 1);
    socket.send('text');
    await waitUntil(() => bytesOf(end).length === 4);
    send(Buffer.from('grüße'));
    send(Buffer.from([0x67, 0xff, 0xfe]));
    send(Buffer.from('ü').subarray(0, 1));
    send(Buffer.from('ü').subarray(1));
    await waitUntil(() => kinds.length === 5);
    assert.deepEqual(kinds, [false, false, true, true, true]);
    assert.deepEqual(Buffer.concat(parts.slice(3)), Buffer.from('ü'));
    socket.send(Buffer.from('binary'));
    await waitUntil(() => bytesOf(end).length === 10);
    send(Buffer.from('last'));
    await waitUntil(() => kinds.length === 6);
    assert.equal(kinds[5], true);
    socket.send(Buffer.from([0xff]), { binary: false });
    assert.equal((await once(socket, 'close'))[0], 1007);
  });
});

test('text is refused where the protocol inside is binary', async () => {
  await withPlace({ frames: 'binary' }, async ({ open, far }) => {
    const socket = await open();
    socket.send('text');
    assert.equal((await once(socket, 'close'))[0], 1003);
    await waitUntil(() => (far[0] as Far).link.isClosed);
    assert.deepEqual(far[0]?.received, []);
  });
});

test('a message of a stranger may have 64 KiB, one of a client that has logged in what is configured, and one byte more closes', async () => {
  await withPlace({ messageBytesMax: 200_000 }, async ({ open, far, admission }) => {
    const stranger = await open();
    stranger.send(Buffer.alloc(strangerMessageBytesMax));
    await waitUntil(() => bytesOf(far[0] as Far).length === strangerMessageBytesMax);
    stranger.send(Buffer.alloc(strangerMessageBytesMax + 1));
    assert.equal((await once(stranger, 'close'))[0], 1009);
    const friend = await open();
    const end = far[1] as Far;
    assert.equal(admission.unauthenticatedCount, 1);
    end.link.authenticated();
    assert.equal(admission.unauthenticatedCount, 0);
    friend.send(Buffer.alloc(200_000));
    await waitUntil(() => bytesOf(end).length === 200_000);
    // In pieces it is no smaller.
    friend.send(Buffer.alloc(100_000), { fin: false });
    friend.send(Buffer.alloc(100_001), { fin: true });
    assert.equal((await once(friend, 'close'))[0], 1009);
    await waitUntil(() => end.error !== null);
    assert.equal(bytesOf(end).length, 200_000);
  });
});

test('the length of a message that is too large is refused before any of it has come', async () => {
  await withPlace({}, async ({ port, far }) => {
    const socket = await rawWebSocket(port);
    // A masked binary frame of 1 GiB: its head alone.
    socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4]));
    await closeOf(socket);
    await waitUntil(() => (far[0] as Far).link.isClosed);
    assert.match(String(far[0]?.error), /Max payload size exceeded/);
  });
});

test('a client that offers compression gets none, and what is compressed all the same ends its connection', async () => {
  await withPlace({}, async ({ port, far }) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(upgradeRequest.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n'));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(String(answer), /^HTTP\/1\.1 101 /);
    assert.doesNotMatch(String(answer), /extensions/i);
    // A masked binary frame of four bytes with the bit that says it is compressed.
    socket.write(Buffer.from([0xc2, 0x84, 1, 2, 3, 4, 5, 6, 7, 8]));
    await closeOf(socket);
    await waitUntil(() => (far[0] as Far).link.isClosed);
    assert.match(String(far[0]?.error), /RSV1 must be clear/);
    assert.deepEqual(far[0]?.received, []);
  });
});

test('other paths, requests that are no WebSocket, sub-protocols that are required and missing are refused', async () => {
  await withPlace({ path: '/mq', subProtocols: ['mqtt'], isSubProtocolRequired: true }, async ({ port, admission, far }) => {
    assert.equal(await statusOf(port, '/ws', {}, ['mqtt']), 404);
    assert.equal(await statusOf(port, '/mq', {}, ['other']), 400);
    assert.equal(await statusOf(port, '/mq'), 400);
    assert.equal((await fetch(`http://127.0.0.1:${port}/mq`)).status, 426);
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404);
    assert.equal((await fetch(`http://127.0.0.1:${port}/mq`, { method: 'POST', body: 'x'.repeat(100_000) })).status, 426);
    assert.equal(far.length, 0);
    await waitUntil(() => admission.connectionCount === 0);
    assert.equal(admission.refused['web-socket'], 6);
    assert.equal(await statusOf(port, '/mq?token=1', {}, ['other', 'mqtt']), 101);
  });
});

test('the preferred sub-protocol that both know is agreed on; none is needed where none is required', async () => {
  await withPlace({ subProtocols: ['v12.stomp', 'v11.stomp', 'v10.stomp'] }, async ({ open }) => {
    assert.equal((await open({ subProtocols: ['v10.stomp', 'v11.stomp'] })).protocol, 'v11.stomp');
    assert.equal((await open()).protocol, '');
  });
});

test('pages of other origins are refused, listed ones are not', async () => {
  await withPlace({ origins: ['https://shop.example.com'] }, async ({ port }) => {
    assert.equal(await statusOf(port, '/ws', { origin: 'https://evil.test' }), 403);
    assert.equal(await statusOf(port, '/ws', { origin: 'http://127.0.0.1:3000' }), 101);
    assert.equal(await statusOf(port, '/ws', { origin: 'https://shop.example.com' }), 101);
    // A name of the attacker's own that resolves to this machine.
    assert.equal(await statusOf(port, '/ws', { origin: 'http://evil.test', host: `evil.test:${port}` }), 403);
  });
});

test('a handshake that does not come in time, or is too long, ends the connection and gives its place back', async () => {
  await withPlace(
    {},
    async ({ port, admission }) => {
      const slow = net.connect(port, '127.0.0.1');
      slow.write('GET /ws HTTP/1.1\r\nHost: x\r\n');
      const long = net.connect(port, '127.0.0.1');
      long.on('error', () => {});
      long.write(`GET /ws HTTP/1.1\r\nHost: x\r\nCookie: ${'x'.repeat(20_000)}\r\n\r\n`);
      const garbage = net.connect(port, '127.0.0.1');
      garbage.write('AMQP\x00\x00\x09\x01');
      for (const socket of [slow, long, garbage]) socket.resume();
      await Promise.all([closeOf(slow), closeOf(long), closeOf(garbage)]);
      await waitUntil(() => admission.connectionCount === 0);
      assert.equal(admission.refused['web-socket'], 3);
    },
    { webSocketHandshakeTimeoutMillis: 300 },
  );
});

test('a client that is not read is held up, and gets nothing lost or out of order when reading goes on', async () => {
  await withPlace({ messageBytesMax: 1_000_000 }, async ({ open, far }) => {
    const socket = await open();
    const end = far[0] as Far;
    end.link.authenticated();
    let count = 0;
    // The first message stops reading and is partly given back.
    end.onBytes = bytes => {
      if (count++ > 0) return;
      end.received[0] = bytes.subarray(0, 2);
      end.link.pauseBefore(bytes.subarray(2));
    };
    const message = (index: number): Buffer => Buffer.from(`${String(index).padStart(9, '0')},`.repeat(1000));
    for (let i = 0; i < 1000; i++) socket.send(message(i));
    await waitUntil(() => count === 1 && socket.bufferedAmount > 0);
    const buffered = socket.bufferedAmount;
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(count, 1);
    assert.equal(socket.bufferedAmount, buffered);
    end.link.resume();
    await waitUntil(() => bytesOf(end).length === 10_000_000);
    assert.ok(bytesOf(end).equals(Buffer.concat(Array.from({ length: 1000 }, (_, index) => message(index)))));
  });
});

test('a client that does not read makes the outbox congested, and it is drained when the client does', async () => {
  await withPlace({}, async ({ open, far }) => {
    const socket = await open();
    const end = far[0] as Far;
    socket.pause();
    const piece = randomBytes(65_536);
    let sent = 0;
    while (!end.link.outbox.isCongested) {
      end.link.outbox.append(piece);
      end.link.outbox.flush();
      sent += piece.length;
    }
    assert.ok(end.link.pendingBytes > 0);
    let received = 0;
    socket.on('message', data => void (received += (data as Buffer).length));
    socket.resume();
    await waitUntil(() => received === sent && end.isDrained);
    assert.equal(end.link.pendingBytes, 0);
  });
});

test('a client that is silent is pinged; one that does not answer is disconnected, one that does is not', async () => {
  await withPlace({ idleTimeoutMillis: 200 }, async ({ open, port, far }) => {
    const alive = await open();
    let pings = 0;
    alive.on('ping', () => pings++);
    const dead = await rawWebSocket(port);
    await closeOf(dead);
    await waitUntil(() => (far[1] as Far).link.isClosed);
    await waitUntil(() => pings >= 3);
    assert.equal(far[0]?.link.isClosed, false);
  });
});

test('an orderly end comes behind what was sent; the close of either side is noticed by the other', async () => {
  await withPlace({}, async ({ open, far, admission }) => {
    const first = await open();
    const messages: string[] = [];
    first.on('message', data => messages.push(String(data)));
    far[0]?.link.outbox.append(Buffer.from('bye'));
    far[0]?.link.end();
    assert.equal((await once(first, 'close'))[0], 1000);
    assert.deepEqual(messages, ['bye']);
    const second = await open();
    second.close();
    await waitUntil(() => (far[1] as Far).link.isClosed);
    assert.equal(far[1]?.error, null);
    const third = await open();
    third.terminate();
    await waitUntil(() => (far[2] as Far).link.isClosed);
    await waitUntil(() => admission.connectionCount === 0);
  });
});

test('WebSockets over TLS', async () => {
  const certificate = store.make({ subject: '/CN=localhost', altNames: 'DNS:localhost' });
  await withPlace(
    {},
    async ({ open, port, far }) => {
      const socket = await open({ url: `wss://localhost:${port}/ws` });
      socket.send(Buffer.from('secret'));
      await waitUntil(() => far.length === 1 && bytesOf(far[0] as Far).length === 6);
      assert.equal(far[0]?.link.facts.isTls, true);
      assert.equal(far[0]?.link.facts.tls?.version, 'TLSv1.3');
      far[0]?.link.outbox.append(Buffer.from('answer'));
      far[0]?.link.outbox.flush();
      assert.equal(String((await once(socket, 'message'))[0]), 'answer');
    },
    { tls: tlsWith(certificate), host: 'localhost' },
  );
});

test('a PROXY header comes before the handshake', async () => {
  await withPlace(
    {},
    async ({ port, far }) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`PROXY TCP4 198.51.100.1 198.51.100.2 1234 80\r\n${upgradeRequest}`);
      await waitUntil(() => far.length === 1);
      assert.equal(far[0]?.link.facts.peerHost, '198.51.100.1');
      socket.write(Buffer.from([0x82, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
      await waitUntil(() => String(bytesOf(far[0] as Far)) === 'hi');
      socket.destroy();
    },
    { proxySources: [{ address: '127.0.0.0', prefixBits: 8, family: 'ipv4' }] },
  );
});

test('a listener has a limit of its own', async () => {
  await withPlace(
    {},
    async ({ port, open, listener }) => {
      const first = await open();
      await open();
      const third = net.connect(port, '127.0.0.1');
      third.on('error', () => {});
      await closeOf(third);
      first.terminate();
      await waitUntil(() => listener.connectionCount === 1);
      assert.equal(await statusOf(port, '/ws'), 101);
    },
    { connectionsMax: 2 },
  );
});

const upgradeRequest =
  'GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** A client that has shaken hands and does nothing by itself, not even answer pings. */
async function rawWebSocket(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(upgradeRequest);
  await once(socket, 'data');
  return socket;
}
