import type { FieldTable } from '../../src/base/field-table.ts';
import { bool, longstr, table } from '../../src/base/field-table.ts';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { encodeBodyFrames, protocolHeader } from '../../src/wire/amqp091/frame.ts';
import type { ChannelCloseArguments, ConnectionCloseArguments, MethodArguments, MethodNumber } from '../../src/wire/amqp091/methods.gen.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import type { Publication } from './amqp-driver.ts';
import type { Frame } from './amqp-frames.ts';
import { describeFrame, FrameCutter } from './amqp-frames.ts';
import { type Delivery, Inbox } from './amqp-inbox.ts';
import type { FakeSocket, FakeSocketOptions } from './fake-socket.ts';
import type { SimBroker } from './sim-broker.ts';

export interface SimConnectOptions extends FakeSocketOptions {
  readonly user?: string;
  readonly vhost?: string;
  readonly frameMax?: number;
  readonly channelMax?: number;
  readonly heartbeat?: number;
  readonly clientProperties?: FieldTable;
}

export function capableClient(...names: string[]): FieldTable {
  return new Map([['capabilities', table(new Map(names.map(name => [name, bool(true)])))]]);
}

const allCapabilities = capableClient(
  'authentication_failure_close',
  'basic.nack',
  'connection.blocked',
  'consumer_cancel_notify',
  'publisher_confirms',
);

/**
 * An AMQP client of a SimBroker for tests that ask and look at the answer: everything happens within the call. It lets the broker come to
 * rest after each thing it sends.
 */
export class SimClient {
  readonly broker: SimBroker;
  readonly socket: FakeSocket;
  frameMax = 131_072;
  readonly #cutter = new FrameCutter();
  readonly #inbox = new Inbox();

  constructor(broker: SimBroker, options: FakeSocketOptions = {}) {
    this.broker = broker;
    this.socket = broker.accept(options);
  }

  /** A client whose connection is open. */
  static connect(broker: SimBroker, options: SimConnectOptions = {}): SimClient {
    const client = new SimClient(broker, options);
    client.open(options);
    return client;
  }

  /** The opening handshake. @throws Error with what came in place of what was expected */
  open(options: SimConnectOptions = {}): void {
    const user = options.user ?? 'guest';
    this.send(Buffer.from(protocolHeader));
    this.expect(methods.ConnectionStart);
    this.send(
      methods.encodeConnectionStartOk(0, {
        clientProperties: options.clientProperties ?? new Map([...allCapabilities, ['product', longstr('simulated')]]),
        mechanism: 'PLAIN',
        response: Buffer.from(`\0${user}\0${user}`),
        locale: 'en_US',
      }),
    );
    const tune = this.expect(methods.ConnectionTune);
    this.frameMax = options.frameMax ?? tune.frameMax;
    this.send(
      methods.encodeConnectionTuneOk(0, {
        channelMax: options.channelMax ?? tune.channelMax,
        frameMax: this.frameMax,
        heartbeat: options.heartbeat ?? 0,
      }),
    );
    this.send(methods.encodeConnectionOpen(0, { virtualHost: options.vhost ?? '/' }));
    this.expect(methods.ConnectionOpenOk);
  }

  openChannel(channel: number): void {
    this.call(methods.encodeChannelOpen(channel), methods.ChannelOpenOk);
  }

  /** Sends bytes and lets the broker come to rest. */
  send(bytes: Buffer): void {
    this.socket.receive(bytes);
    this.broker.settle();
  }

  call<M extends MethodNumber>(frame: Buffer, reply: M): MethodArguments[M] {
    this.send(frame);
    return this.expect(reply, frame.readUInt16BE(1));
  }

  publish(channel: number, publication: Publication): void {
    this.send(this.encodePublish(channel, publication));
  }

  encodePublish(channel: number, publication: Publication): Buffer {
    const { exchange = '', routingKey, mandatory = false, immediate = false, properties = {}, body = '' } = publication;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    return Buffer.concat([
      methods.encodeBasicPublish(channel, { exchange, routingKey, mandatory, immediate }),
      encodeContentHeaderFrame(channel, bytes.length, encodeProperties(properties)),
      ...encodeBodyFrames(channel, bytes, this.frameMax),
    ]);
  }

  /** Frames that have come and were not taken yet. */
  get frames(): readonly Frame[] {
    this.#pull();
    return this.#inbox.frames;
  }

  /** Takes what has come. */
  takeAll(): Frame[] {
    this.#pull();
    return this.#inbox.frames.splice(0);
  }

  /** The arguments of the method, which must have come. @throws Error with what has come instead */
  expect<M extends MethodNumber>(method: M, channel?: number): MethodArguments[M] {
    this.#pull();
    const args = this.#inbox.takeMethod(method, channel);
    if (args === null) throw new Error(`expected ${methods.methodNames.get(method)}, got ${this.#whatCame()}`);
    return args;
  }

  /** The next message, or null when none has come. */
  takeDelivery(channel?: number): Delivery | null {
    this.#pull();
    return this.#inbox.takeDelivery(channel);
  }

  takeDeliveries(channel?: number): Delivery[] {
    const deliveries: Delivery[] = [];
    for (let next = this.takeDelivery(channel); next !== null; next = this.takeDelivery(channel)) deliveries.push(next);
    return deliveries;
  }

  expectChannelClose(channel: number): ChannelCloseArguments {
    const args = this.expect(methods.ChannelClose, channel);
    this.send(methods.encodeChannelCloseOk(channel));
    return args;
  }

  expectConnectionClose(): ConnectionCloseArguments {
    const args = this.expect(methods.ConnectionClose);
    this.send(methods.encodeConnectionCloseOk(0));
    return args;
  }

  /** Closes in order. */
  close(): void {
    this.call(
      methods.encodeConnectionClose(0, { replyCode: 200, replyText: 'Goodbye', classId: 0, methodId: 0 }),
      methods.ConnectionCloseOk,
    );
    this.socket.hangUp();
    this.broker.settle();
  }

  /** Breaks the connection. */
  drop(): void {
    this.socket.reset();
    this.broker.settle();
  }

  #pull(): void {
    for (let bytes = this.socket.read(); bytes.length > 0; bytes = this.socket.read()) {
      for (const frame of this.#cutter.push(bytes)) this.#inbox.push(frame);
      this.broker.settle();
    }
  }

  #whatCame(): string {
    return this.#inbox.frames.map(describeFrame).join(', ') || (this.socket.isOver ? 'the end of the connection' : 'nothing');
  }
}
