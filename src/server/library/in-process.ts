import { type Duplex, duplexPair } from 'node:stream';
import type { FrontEnd } from '../../protocols/amqp091/front-end.ts';
import { Link } from '../../net/link.ts';

let lastPort = 0;

/** Connects a stream to the broker without a socket. Returns the client's end; it counts as a connection from this machine. */
export function connectInProcess(frontEnd: FrontEnd, outboxBytesMax: number): Duplex {
  const [client, server] = duplexPair();
  lastPort = (lastPort % 65_535) + 1;
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
  frontEnd.accept(new Link(server, facts, outboxBytesMax));
  return client;
}
