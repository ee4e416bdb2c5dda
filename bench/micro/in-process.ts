// A broker with its AMQP front-end in this process, without sockets or event loop, and clients that are byte strings.
import { Link } from '../../src/net/link.ts';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { encodeBodyFrames } from '../../src/wire/amqp091/frame.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import { SimBroker } from '../../test/support/sim-broker.ts';
import { Sink } from './sink.ts';

export type { Sink } from './sink.ts';

/** Those that were written to since the last turn. */
const dirty: Sink[] = [];

export const broker = new SimBroker();
let connectionCount = 0;

export function turn(): void {
  while (broker.scheduler.runTurn());
  for (let i = 0; i < dirty.length; i++) (dirty[i] as Sink).tick();
  dirty.length = 0;
}

export function connect(): Sink {
  const sink = new Sink();
  sink.onDirty = one => dirty.push(one);
  const facts = {
    peerHost: '127.0.0.1',
    peerPort: ++connectionCount,
    host: '127.0.0.1',
    port: 5672,
    isTls: false,
    isWebSocket: false,
    tls: null,
    peerCertificate: null,
  };
  broker.frontEnd.accept(new Link(sink, facts, 1024 * 1024));
  const none = new Map();
  const response = Buffer.from('\0guest\0guest');
  for (const bytes of [
    Buffer.from('AMQP\0\0\x09\x01', 'latin1'),
    methods.encodeConnectionStartOk(0, { clientProperties: none, mechanism: 'PLAIN', response, locale: 'en_US' }),
    methods.encodeConnectionTuneOk(0, { channelMax: 2047, frameMax: 131_072, heartbeat: 0 }),
    methods.encodeConnectionOpen(0, { virtualHost: '/' }),
    methods.encodeChannelOpen(1),
  ]) {
    sink.onData(bytes);
    turn();
  }
  return sink;
}

/** Of every message. */
export const properties = encodeProperties({ deliveryMode: 1 });

/** `count` messages to the default exchange, or another, as a client sends them in one piece. */
export function publishes(count: number, routingKey: string, bodyBytes: number, exchange = ''): Buffer {
  const one = Buffer.concat([
    methods.encodeBasicPublish(1, { exchange, routingKey, mandatory: false, immediate: false }),
    encodeContentHeaderFrame(1, bodyBytes, properties),
    ...encodeBodyFrames(1, Buffer.alloc(bodyBytes, 97), 131_072),
  ]);
  return Buffer.concat(Array.from({ length: count }, () => one));
}
