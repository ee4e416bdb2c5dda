// A broker with its AMQP front-end in this process, without sockets or event loop, and clients that are byte strings.
import type { ByteSocket } from '../../src/net/byte-socket.ts';
import { Link } from '../../src/net/link.ts';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { encodeBodyFrames } from '../../src/wire/amqp091/frame.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import { SimBroker } from '../../test/support/sim-broker.ts';

/** Those that were written to since the last turn. */
const dirty: Sink[] = [];

/** Takes everything at once and keeps nothing but the last bytes. */
export class Sink implements ByteSocket {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 5672;
  readonly writableLength = 0;
  bytesWritten = 0;
  onData: (bytes: Buffer) => void = () => {};
  onClosed: () => void = () => {};
  readonly #written: (() => void)[] = [];

  write(bytes: Buffer, written: () => void): boolean {
    this.bytesWritten += bytes.length;
    if (this.#written.length === 0) dirty.push(this);
    this.#written.push(written);
    return true;
  }

  /** Calls back for what was written. */
  tick(): void {
    for (let i = 0; i < this.#written.length; i++) (this.#written[i] as () => void)();
    this.#written.length = 0;
  }

  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
  unshift(): void {}
  end(): void {}
  destroy(): void {}

  on(event: string, listener: unknown): this {
    if (event === 'data') this.onData = listener as (bytes: Buffer) => void;
    if (event === 'close') this.onClosed = listener as () => void;
    return this;
  }
}

export const broker = new SimBroker();
let connectionCount = 0;

export function turn(): void {
  while (broker.scheduler.runTurn());
  for (let i = 0; i < dirty.length; i++) (dirty[i] as Sink).tick();
  dirty.length = 0;
}

export function connect(): Sink {
  const sink = new Sink();
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
