import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import tls from 'node:tls';
import { loopbackBlocks } from '../../../src/net/listener.ts';
import { CertificateStore } from '../../support/certificates.ts';
import { tlsWith } from '../../support/edge.ts';
import { StompDriver } from '../../support/stomp-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withStomp } from '../../support/with-stomp.ts';

test('the highest version both know is agreed on, 1.0 without being asked for', async () => {
  await withStomp(async ({ raw }) => {
    for (const [accepted, version] of [
      [undefined, '1.0'],
      ['1.0,1.1', '1.1'],
      ['1.2,1.1,1.0,9.9', '1.2'],
    ] as const) {
      const client = raw();
      client.send('STOMP', { ...(accepted === undefined ? {} : { 'accept-version': accepted }), login: 'guest', passcode: 'guest' });
      const { headers } = await client.expect('CONNECTED');
      assert.equal(headers.version, version);
      assert.equal(headers.server, 'RabbitMQ/3.13.7');
      assert.equal(headers['heart-beat'], '0,0');
      assert.match(headers.session ?? '', /^session-[\w-]{22}$/);
    }
    const future = raw();
    future.send('CONNECT', { 'accept-version': '2.0', login: 'guest', passcode: 'guest' });
    assert.equal(await future.expectError('Version mismatch'), 'Supported versions are 1.0,1.1,1.2\n');
    await future.closed();
  });
});

test('a login that fails is told and ends the connection', async () => {
  await withStomp(async ({ raw, broker }) => {
    const attempts: readonly (readonly [headers: Record<string, string>, detail: string])[] = [
      [{ login: 'guest', passcode: 'wrong' }, "Access refused for user 'guest'"],
      [{ login: 'nobody', passcode: 'x' }, "Access refused for user 'nobody'"],
      [{}, "Access refused for user ''"],
      [{ login: 'guest' }, "Access refused for user 'guest'"],
      [{ login: 'guest', passcode: 'guest', host: 'absent' }, "Virtual host 'absent' access denied"],
      [{ login: 'guest', passcode: 'guest', 'heart-beat': 'often' }, "Invalid heart-beat header 'often'\n"],
    ];
    for (const [headers, detail] of attempts) {
      const client = raw();
      client.send('CONNECT', headers);
      assert.equal(await client.expectError('Bad CONNECT'), detail);
      await client.closed();
    }
    assert.equal(broker.core.counters.authenticationsFailed, 4);
    const silent = raw();
    silent.send('SEND', { destination: '/queue/a' });
    assert.equal(await silent.expectError('Illegal command'), 'You must log in using CONNECT first');
    await silent.closed();
    assert.equal(broker.core.vhosts.get('/')?.queues.size, 0);
  });
});

test('guest logs in from this machine only', async () => {
  await withStomp(
    async ({ raw }) => {
      const client = raw();
      client.raw('PROXY TCP4 198.51.100.1 198.51.100.2 1234 61613\r\n');
      client.send('CONNECT', { login: 'guest', passcode: 'guest' });
      assert.equal(await client.expectError('Bad CONNECT'), 'non-loopback access denied');
      await client.closed();
    },
    { listeners: [{}, { protocol: 'stomp', proxySources: loopbackBlocks }] },
  );
});

test('over TLS, the certificate says who a client is that does not say so itself', async () => {
  const store = new CertificateStore();
  try {
    const root = store.make({ subject: '/CN=root', isAuthority: true });
    const server = store.make({ subject: '/CN=localhost', altNames: 'DNS:localhost' }, root);
    const guest = store.make({ subject: '/CN=guest' }, root);
    const tlsOptions = tlsWith(server, { caFile: root.certFile, verify: 'peer' });
    await withStomp(
      async ({ port, broker }) => {
        const cert = readFileSync(guest.certFile);
        const key = readFileSync(guest.keyFile);
        const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: root.pem, cert, key });
        const client = new StompDriver(port, socket);
        client.send('CONNECT', { 'accept-version': '1.2' });
        await client.expect('CONNECTED');
        const [connection] = broker.core.connections;
        assert.deepEqual([connection?.user, connection?.describe().isTls], ['guest', true]);
        client.destroy();
      },
      {
        listeners: [{}, { protocol: 'stomp', tls: tlsOptions }],
        stomp: { certificateLogin: true, certificateName: { from: 'common_name', sanType: 'dns', sanIndex: 0 } },
      },
    );
  } finally {
    store.dispose();
  }
});

test('a client that does not log in is disconnected after a while', async () => {
  await withStomp(
    async ({ raw, broker }) => {
      const client = raw();
      await client.closed();
      await waitUntil(() => broker.core.connections.size === 0);
    },
    { stomp: { loginMillis: 600 } },
  );
});

test('the default login is for clients that name nobody, and need not even connect where that is allowed', async () => {
  const defaultLogin = { user: 'guest', password: 'guest' };
  await withStomp(
    async ({ raw, broker }) => {
      const client = raw();
      client.send('CONNECT', { 'accept-version': '1.1' });
      await client.expect('CONNECTED');
      assert.equal([...broker.core.connections][0]?.user, 'guest');
      const implicit = raw();
      implicit.send('SEND', { destination: '/queue/a', receipt: 'r' }, 'x');
      assert.equal(await implicit.expectError('Illegal command'), 'You must log in using CONNECT first');
    },
    { stomp: { defaultLogin } },
  );
  await withStomp(
    async ({ raw, broker }) => {
      const implicit = raw();
      await implicit.request('SEND', { destination: '/queue/a' }, 'x');
      assert.equal(broker.core.vhosts.get('/')?.queues.get('a')?.readyCount, 1);
      assert.equal([...broker.core.connections][0]?.protocol, 'STOMP 1.0');
      const other = raw();
      other.send('CONNECT', { login: 'guest', passcode: 'wrong' });
      assert.equal(await other.expectError('Bad CONNECT'), "Access refused for user 'guest'");
    },
    { stomp: { defaultLogin, implicitConnect: true } },
  );
});

test('virtual hosts are entered by the host header, with their permissions and limits', async () => {
  await withStomp(async ({ raw, open, broker }) => {
    const { core } = broker;
    core.addVhost({ name: 'other', description: '', tags: [], defaultQueueType: null });
    core.access.putPermission({ user: 'guest', vhost: 'other', configure: '^mine', write: '^(mine|amq.default)', read: '^mine' });
    const client = await open({ host: 'other' });
    await client.request('SEND', { destination: '/queue/mine' }, 'x');
    assert.equal(core.vhosts.get('other')?.queues.get('mine')?.readyCount, 1);
    client.send('SEND', { destination: '/queue/yours' }, 'x');
    assert.equal(await client.expectError('access_refused'), "configure access to queue 'yours' in vhost 'other' refused for user 'guest'");
    await client.closed();
    const reader = await open({ host: 'other' });
    reader.send('SUBSCRIBE', { id: '0', destination: '/topic/a' });
    assert.match(await reader.expectError('access_refused'), /^configure access to queue 'stomp-subscription-/);
    await reader.closed();
    assert.equal(core.vhosts.get('other')?.queues.size, 1);
    core.vhosts.get('other')!.limits = { connectionsMax: 0, queuesMax: -1 };
    const late = raw();
    late.send('CONNECT', { login: 'guest', passcode: 'guest', host: 'other' });
    assert.equal(await late.expectError('Bad CONNECT'), 'Connection refused: vhost connection limit reached');
  });
});

test('what a frame got wrong is told, and the session goes on', async () => {
  await withStomp(async ({ open }) => {
    const client = await open();
    const wrong: readonly (readonly [command: string, headers: Record<string, string>, message: string, detail: string])[] = [
      ['NONSENSE', {}, 'Bad command', 'Could not interpret command "NONSENSE"\n'],
      ['SEND', {}, 'Missing destination', "'SEND' must include a 'destination' header\n"],
      ['SUBSCRIBE', { id: '0' }, 'Missing destination', "'SUBSCRIBE' must include a 'destination' header\n"],
      ['SEND', { destination: '/temp-queue/a' }, 'Invalid destination', "'/temp-queue/a' is not a valid destination for 'SEND'\n"],
      [
        'SUBSCRIBE',
        { id: '0', destination: '/temp-queue/a' },
        'Invalid destination',
        "'/temp-queue/a' is not a valid destination for 'SUBSCRIBE'\n",
      ],
      ['SEND', { destination: '' }, 'Invalid destination', 'Destination cannot be blank'],
      ['SEND', { destination: '/queue/a', 'message-id': '1' }, 'Invalid header', "'message-id' is not allowed on 'SEND'.\n"],
      ['SEND', { destination: '/queue/a', priority: '256' }, 'Invalid header', "'priority' must be from 0 to 255\n"],
      ['SEND', { destination: '/queue/a', type: 'x'.repeat(256) }, 'Invalid header', "'type' is longer than 255 bytes\n"],
      ['SEND', { destination: '/queue/a', ['x'.repeat(256)]: '' }, 'Invalid header', "a header's name is longer than 255 bytes\n"],
      ['SEND', { destination: '/queue/b', 'x-max-length': 'ten' }, 'Invalid header', "'x-max-length' must be a whole number\n"],
      [
        'SUBSCRIBE',
        { id: '0', destination: '/queue/a', ack: 'never' },
        'Invalid header',
        "'ack' must be auto, client or client-individual\n",
      ],
      ['SUBSCRIBE', { id: '/temp-queue/x', destination: '/queue/a' }, 'Invalid header', "'id' may not start with /temp-queue/\n"],
      ['SUBSCRIBE', { destination: '/topic/a', durable: 'true' }, 'Missing Header', "Header 'id' is required for durable subscriptions"],
      ['UNSUBSCRIBE', {}, 'Missing destination or id', "UNSUBSCRIBE must include a 'destination' or 'id' header"],
      ['UNSUBSCRIBE', { id: '/temp-queue/x' }, 'Invalid id', "UNSUBSCRIBE 'id' may not start with /temp-queue/\n"],
      [
        'UNSUBSCRIBE',
        { id: '9' },
        'No subscription found',
        'UNSUBSCRIBE must refer to an existing subscription.\nSubscription to <<"id=\'9\'">> not found.\n',
      ],
      ['ACK', {}, 'Missing header', '\'ACK\' must include the <<"id">> header\n'],
      ['NACK', { id: 'T_0@@session-x@@1' }, 'Invalid header', '\'NACK\' must include a valid <<"id">> header\n'],
      ['BEGIN', {}, 'Missing transaction', "'BEGIN' must include a 'transaction' header\n"],
      ['ABORT', { transaction: 'x' }, 'Bad transaction', 'Invalid transaction identifier: <<"x">>\n'],
      ['SEND', { destination: '/queue/a', transaction: 'x' }, 'Bad transaction', 'Invalid transaction identifier: <<"x">>\n'],
    ];
    for (const [command, headers, message, detail] of wrong) {
      client.send(command, { ...headers, receipt: 'never' });
      assert.equal(await client.expectError(message), detail, command);
    }
    await client.request('SEND', { destination: '/queue/a' }, 'still here');
  });
});

test('what the broker refuses ends the connection, named as AMQP names it', async () => {
  await withStomp(async ({ open }) => {
    const refused: readonly (readonly [command: string, headers: Record<string, string>, name: string, detail: string])[] = [
      ['SEND', { destination: '/exchange/absent/key' }, 'not_found', "no exchange 'absent' in vhost '/'"],
      [
        'SEND',
        { destination: '/exchange/amq.rabbitmq.trace' },
        'access_refused',
        "cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'",
      ],
      ['SUBSCRIBE', { id: '0', destination: '/amq/queue/absent' }, 'not_found', "no queue 'absent' in vhost '/'"],
      ['SUBSCRIBE', { id: '0', destination: '/exchange/absent' }, 'not_found', "no exchange 'absent' in vhost '/'"],
      ['SEND', { destination: '/queue/amq.mine' }, 'access_refused', "queue name 'amq.mine' contains reserved prefix 'amq.*'"],
      ['SEND', { destination: '/queue/a', expiration: 'soon' }, 'precondition_failed', "invalid expiration 'soon': no_integer"],
      [
        'SEND',
        { destination: '/queue/a', 'user-id': 'root' },
        'precondition_failed',
        "user_id property set to 'root' but authenticated user was 'guest'",
      ],
      ['SEND', { destination: '/queue/a', CC: 'b' }, 'precondition_failed', 'invalid message: {unacceptable_type_in_header,"CC",longstr}'],
      ['CONNECT', {}, 'Illegal command', 'You are already logged in'],
    ];
    for (const [command, headers, name, detail] of refused) {
      const client = await open();
      client.send(command, headers);
      assert.equal(await client.expectError(name), detail);
      await client.closed();
    }
    const client = await open();
    await client.request('SUBSCRIBE', { id: '0', destination: '/queue/a' });
    client.send('SUBSCRIBE', { id: '0', destination: '/queue/b' });
    assert.equal(await client.expectError('Duplicated subscription identifier'), "A subscription identified by 'T_0' already exists.");
    await client.closed();
  });
});

test('a malformed frame is told and ends the connection', async () => {
  await withStomp(async ({ open, broker }) => {
    for (const [bytes, detail] of [
      ['SEND\nnocolon\n\n\0', /^header without value/],
      ['SEND\na:\\x\n\n\0', /^bad escape/],
      ['SEND\ndestination:/queue/a\0', /^the frame ends within its headers/],
      ['SEND\ncontent-length:1\n\nabc\0', /^the body is longer/],
      ['SEND\ncontent-length:1000000000\n\n', /^frame is larger than 4194304 bytes/],
      [`SEND\n${'h:v\n'.repeat(20_000)}`, /^frame headers are longer than 65536 bytes/],
      ['X'.repeat(200_000), /^frame headers are longer/],
    ] as const) {
      const client = await open();
      client.raw(bytes);
      assert.match(await client.expectError('Invalid frame'), detail);
      await client.closed();
    }
    assert.equal(broker.core.counters.internalErrors, 0);
  });
});

test('a stranger has 8 KiB for its frame, at the limit and one past it', async () => {
  await withStomp(async ({ raw }) => {
    const head = 'CONNECT\nlogin:guest\npasscode:guest\nfiller:';
    const connect = (bytes: number): string => `${head}${'x'.repeat(bytes - head.length - 3)}\n\n\0`;
    const fits = raw();
    fits.raw(connect(8192));
    await fits.expect('CONNECTED');
    const tooLong = raw();
    tooLong.raw(connect(8194));
    assert.match(await tooLong.expectError('Invalid frame'), /longer than 8192 bytes/);
    await tooLong.closed();
    const tooMuch = raw();
    tooMuch.raw(`CONNECT\ncontent-length:8192\n\n`);
    assert.match(await tooMuch.expectError('Invalid frame'), /larger than 8192 bytes/);
    await tooMuch.closed();
  });
});

test('limits of messages and subscriptions hold, at the limit and one past it', async () => {
  await withStomp(
    async ({ open }) => {
      const client = await open();
      await client.request('SEND', { destination: '/queue/a' }, 'x'.repeat(1000));
      for (const id of ['1', '2']) await client.request('SUBSCRIBE', { id, destination: '/queue/b' });
      client.send('SUBSCRIBE', { id: '3', destination: '/queue/b' });
      assert.equal(await client.expectError('not_allowed'), 'reached maximum (2) of consumers per channel');
      client.send('SEND', { destination: '/queue/a' }, 'x'.repeat(1001));
      assert.equal(await client.expectError('precondition_failed'), 'message size 1001 is larger than configured max size 1000');
      await client.closed();
    },
    { settings: { messageBytesMax: 1000, consumersPerChannelMax: 2 } },
  );
});

test('a client that asks and asks and reads nothing is not read any more', async () => {
  await withStomp(
    async ({ open, broker }) => {
      const client = await open();
      client.socket.pause();
      const frames = 'X\n\n\0'.repeat(16_384);
      let sent = 0;
      while (sent < 30_000_000 && client.socket.writableLength < 1_000_000) {
        client.raw(frames);
        sent += frames.length;
        await new Promise(resolve => setImmediate(resolve));
      }
      const [connection] = broker.core.connections;
      await waitUntil(() => client.socket.writableLength >= 1_000_000);
      assert.ok((connection?.describe().pendingBytes ?? 0) < 4_000_000);
    },
    { settings: { outboxBytesMax: 65_536 } },
  );
});
