import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { makeHttpServer } from './http-server.ts';

const limits = { headersTimeout: 60, requestTimeout: 120, keepAliveTimeout: 1000, connectionsCheckingInterval: 20, maxHeaderSize: 1024 };

async function withServer(run: (connect: () => Promise<net.Socket>) => Promise<void>): Promise<void> {
  const server: Server = makeHttpServer(
    async (request, response) => {
      request.resume().on('error', () => {});
      await new Promise(resolve => request.once('close', resolve));
      response.end('ok');
    },
    null,
    limits,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  try {
    await run(async () => {
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function statusOf(socket: net.Socket): Promise<string> {
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return data.toString().split('\r\n')[0] ?? '';
}

test('a client that sends its headers slowly is not waited for', async () => {
  await withServer(async connect => {
    const socket = await connect();
    socket.write('GET / HTTP/1.1\r\nhost: ');
    assert.equal(await statusOf(socket), 'HTTP/1.1 408 Request Timeout');
  });
});

test('nor one that sends its body slowly', async () => {
  await withServer(async connect => {
    const socket = await connect();
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc');
    assert.equal(await statusOf(socket), 'HTTP/1.1 408 Request Timeout');
  });
});

test('headers that are too long and rubbish are told', async () => {
  await withServer(async connect => {
    const long = await connect();
    long.write(`GET /${'x'.repeat(2000)} HTTP/1.1\r\nhost: a\r\n\r\n`);
    assert.equal(await statusOf(long), 'HTTP/1.1 431 Request Header Fields Too Large');
    const rubbish = await connect();
    rubbish.write('AMQP\0\0\t\x01');
    assert.equal(await statusOf(rubbish), 'HTTP/1.1 400 Bad Request');
  });
});
