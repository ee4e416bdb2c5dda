import type { Duplex } from 'node:stream';
import { Link } from '../../net/link.ts';
import { InProcessSocket } from './in-process-socket.ts';

let lastPort = 0;

/**
 * Connects to the broker without a socket. Returns the client's end, which emits 'connect' when the caller has had time to listen; it counts as
 * a connection from this machine.
 */
export function connectInProcess(accept: (link: Link) => void, outboxBytesMax: number): Duplex {
  lastPort = (lastPort % 65_535) + 1;
  const [client, server] = InProcessSocket.pair(lastPort);
  const facts = {
    peerHost: '127.0.0.1',
    peerPort: lastPort,
    host: 'in-process',
    port: 0,
    isTls: false,
    isWebSocket: false,
    tls: null,
    peerCertificate: null,
  };
  accept(new Link(server, facts, outboxBytesMax));
  process.nextTick(() => {
    if (!client.destroyed) client.emit('connect');
  });
  return client;
}
