import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../../../src/core/ports/logger.ts';
import { AdmissionControl } from '../../../src/net/admission.ts';
import { ListenError } from '../../../src/net/listen-error.ts';
import type { Link } from '../../../src/net/link.ts';
import { Listener, type ListenerOptions } from '../../../src/net/listener.ts';
import { protocolHeader } from '../../../src/wire/amqp091/frame.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { closeOf, withEdge } from '../../support/edge.ts';
import { waitUntil } from '../../support/wait-until.ts';

const limits = { connectionsMax: 100, connectionsPerAddressMax: 100, unauthenticatedConnectionsMax: 100 };
const hasIpv6 = await new Promise<boolean>(resolve => {
  const probe = net.createServer().once('error', () => resolve(false));
  probe.listen({ host: '::1', port: 0 }, () => probe.close(() => resolve(true)));
});

function make(options: Partial<ListenerOptions>, links: Link[] = []): Listener {
  return new Listener(options, new AdmissionControl(limits, silentLogger), link => links.push(link));
}

async function refuses(options: Partial<ListenerOptions>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(make(options).start(), (error: unknown) => {
    assert.ok(error instanceof ListenError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

test('an address that cannot be listened on is refused in one sentence', async () => {
  const first = make({});
  await first.start();
  await refuses(
    { port: first.port },
    'EADDRINUSE',
    new RegExp(`^cannot listen on 127\\.0\\.0\\.1:${first.port}: the address is in use, perhaps by another broker$`),
  );
  await refuses({ host: '192.0.2.1' }, 'EADDRNOTAVAIL', /^cannot listen on 192\.0\.2\.1:0: this machine has no such address$/);
  await refuses(
    { socketPath: '/nowhere/warren.sock' },
    'EACCES',
    /^cannot listen on \/nowhere\/warren\.sock: the directory does not exist or may not be written$/,
  );
  first.close();
});

test('several listeners take connections at the same time, each under its own address', async () => {
  const links: Link[] = [];
  const listeners = [make({}, links), make({}, links), make({ host: null }, links)];
  for (const listener of listeners) await listener.start();
  const ports = listeners.map(listener => listener.port);
  assert.equal(new Set(ports).size, 3);
  const sockets = ports.map(port => net.connect({ port, host: '127.0.0.1' }));
  await waitUntil(() => links.length === 3);
  assert.deepEqual(new Set(links.map(link => `${link.facts.host}:${link.facts.port}`)), new Set(ports.map(port => `127.0.0.1:${port}`)));
  for (const listener of listeners) {
    void listener.close();
    listener.destroyAll();
  }
  await Promise.all(sockets.map(socket => closeOf(socket)));
  await waitUntil(() => listeners.every(listener => listener.connectionCount === 0));
});

test('every interface means IPv6 and IPv4, and IPv4 addresses look like themselves', { skip: !hasIpv6 }, async () => {
  for (const host of [null, '::']) {
    await withEdge({ listener: { host } }, async ({ port, links }) => {
      for (const [address, own] of [
        ['127.0.0.1', '127.0.0.1'],
        ['::1', '::1'],
      ] as const) {
        const driver = await AmqpDriver.connect({ port, host: address });
        const { facts } = links.at(-1) ?? assert.fail();
        assert.equal(facts.peerHost, own);
        assert.equal(facts.host, own);
        assert.equal(facts.port, port);
        await driver.end();
      }
    });
  }
  await withEdge({ listener: { host: '::1' } }, async ({ port, listener, links }) => {
    assert.equal(listener.where, `[::1]:${port}`);
    const driver = await AmqpDriver.connect({ port, host: '::1' });
    assert.equal(links[0]?.facts.host, '::1');
    await driver.end();
    await assert.rejects(AmqpDriver.connect({ port, host: '127.0.0.1' }), { code: 'ECONNREFUSED' });
  });
});

test('a Unix socket takes local clients, and one that was left behind is not in the way', {
  skip: process.platform === 'win32',
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'warren-socket-'));
  const socketPath = join(dir, 'amqp.sock');
  try {
    // What a broker leaves behind that was killed: the file, and nobody behind it.
    const { execPath } = process;
    const { spawnSync } = await import('node:child_process');
    spawnSync(execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(socketPath)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    assert.ok(existsSync(socketPath));
    await withEdge({ listener: { socketPath }, limits: { connectionsPerAddressMax: 1 } }, async ({ links, listener }) => {
      for (let i = 0; i < 3; i++) {
        const socket = net.connect({ path: socketPath });
        socket.write(protocolHeader);
        await once(socket, 'data');
      }
      assert.equal(links[0]?.facts.peerHost, 'unix');
      assert.equal(links[0].facts.host, socketPath);
      assert.equal(listener.where, socketPath);
      await refuses({ socketPath }, 'EADDRINUSE', /the address is in use, perhaps by another broker$/);
      assert.ok(existsSync(socketPath), 'the socket of a running broker stays');
      listener.destroyAll();
    });
    await waitUntil(() => !existsSync(socketPath));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('a listener that was closed takes nobody, and keeps those it has', async () => {
  await withEdge({}, async ({ port, listener }) => {
    const client = await AmqpDriver.connect({ port });
    void listener.close();
    await assert.rejects(AmqpDriver.connect({ port }), { code: 'ECONNREFUSED' });
    await client.openChannel(1);
    await client.end();
  });
});

test('a client that is gone before it was looked at leaves nothing behind', async () => {
  await withEdge({}, async ({ port, admission, broker }) => {
    const sockets = Array.from({ length: 200 }, () => net.connect({ port, host: '127.0.0.1' }));
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.on('connect', () => socket.resetAndDestroy());
    }
    await Promise.all(sockets.map(socket => closeOf(socket)));
    await waitUntil(() => admission.connectionCount === 0);
    assert.equal(admission.unauthenticatedCount, 0);
    await waitUntil(() => broker.core.connections.size === 0);
  });
});
