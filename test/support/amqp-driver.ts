// A thin AMQP 0-9-1 client for tests: it sends what it is told, keeps what comes in order of arrival, and does nothing by itself except
// answer the server's connection.close.
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import type { FieldTable } from '../../src/base/field-table.ts';
import { bool, longstr, table } from '../../src/base/field-table.ts';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { encodeBodyFrames, protocolHeader } from '../../src/wire/amqp091/frame.ts';
import type {
  ChannelCloseArguments,
  ConnectionCloseArguments,
  ConnectionTuneArguments,
  MethodArguments,
  MethodNumber,
} from '../../src/wire/amqp091/methods.gen.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import type { Properties } from '../../src/wire/amqp091/properties.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import type { Frame } from './amqp-frames.ts';
import { describeFrame, FrameCutter } from './amqp-frames.ts';
import type { Delivery } from './amqp-inbox.ts';
import { Inbox } from './amqp-inbox.ts';

export type { Delivery } from './amqp-inbox.ts';

export interface RawOptions {
  readonly port: number;
  readonly host?: string;
  /** Given, the connection is TLS with these options. */
  readonly tls?: tls.ConnectionOptions;
  /** How long each expectation waits; 5000. */
  readonly timeoutMillis?: number;
}

export interface ConnectOptions extends RawOptions {
  readonly user?: string;
  readonly password?: string;
  readonly vhost?: string;
  /** Seconds; 0, and the driver sends none by itself. */
  readonly heartbeat?: number;
  /** Default: every capability that RabbitMQ's clients announce. */
  readonly clientProperties?: FieldTable;
  /** Default: what the server offers. */
  readonly frameMax?: number;
  readonly channelMax?: number;
}

export interface Publication {
  readonly exchange?: string;
  readonly routingKey: string;
  readonly mandatory?: boolean;
  readonly immediate?: boolean;
  readonly properties?: Properties;
  readonly body?: string | Uint8Array;
}

/** How the connection ended: by the server's connection.close, or by the socket with nothing said before. */
export type Ending =
  | { readonly kind: 'close'; readonly args: ConnectionCloseArguments }
  | { readonly kind: 'end'; readonly error: Error | null };

export class AmqpDriver {
  readonly socket: net.Socket;
  /** Never rejects. */
  readonly closed: Promise<Ending>;
  /** What the server said of itself, and its offer; empty and zero on a raw connection. */
  serverProperties: FieldTable = new Map();
  offered: ConnectionTuneArguments = { channelMax: 0, frameMax: 0, heartbeat: 0 };
  /** As negotiated; 0 on a raw connection: bodies are then sent in one frame. */
  frameMax = 0;

  readonly #timeoutMillis: number;
  readonly #cutter = new FrameCutter();
  readonly #inbox = new Inbox();
  #waiters: (() => void)[] = [];
  #ending: Ending | null = null;
  #error: Error | null = null;
  readonly #ended = Promise.withResolvers<Ending>();
  #answersClose = false;

  private constructor(socket: net.Socket, timeoutMillis: number) {
    this.socket = socket;
    this.#timeoutMillis = timeoutMillis;
    socket.on('data', chunk => this.#onData(chunk));
    socket.on('error', error => (this.#error = error));
    this.closed = this.#ended.promise;
    const onEnd = (): void => {
      this.#finish({ kind: 'end', error: this.#error });
      this.#wake();
    };
    socket.on('end', onEnd);
    socket.on('close', onEnd);
  }

  /** A connection on which nothing was sent yet. */
  static async raw(options: RawOptions): Promise<AmqpDriver> {
    const { port, host = '127.0.0.1' } = options;
    const socket = options.tls === undefined ? net.connect({ port, host }) : tls.connect({ port, host, ...options.tls });
    await once(socket, options.tls === undefined ? 'connect' : 'secureConnect');
    socket.setNoDelay(true);
    return new AmqpDriver(socket, options.timeoutMillis ?? 5000);
  }

  /** An open connection, after the handshake with PLAIN. Rejects with what the server sent instead. */
  static async connect(options: ConnectOptions): Promise<AmqpDriver> {
    const driver = await AmqpDriver.raw(options);
    try {
      await driver.#open(options);
    } catch (error) {
      driver.destroy();
      throw error;
    }
    return driver;
  }

  async #open(options: ConnectOptions): Promise<void> {
    this.#answersClose = true;
    this.send(protocolHeader);
    this.serverProperties = (await this.expect(methods.ConnectionStart, 0)).serverProperties;
    const response = Buffer.from(`\0${options.user ?? 'guest'}\0${options.password ?? 'guest'}`);
    const clientProperties = options.clientProperties ?? defaultClientProperties();
    this.send(methods.encodeConnectionStartOk(0, { clientProperties, mechanism: 'PLAIN', response, locale: 'en_US' }));
    this.offered = await this.expect(methods.ConnectionTune, 0);
    this.frameMax = options.frameMax ?? this.offered.frameMax;
    const channelMax = options.channelMax ?? this.offered.channelMax;
    this.send(methods.encodeConnectionTuneOk(0, { channelMax, frameMax: this.frameMax, heartbeat: options.heartbeat ?? 0 }));
    this.send(methods.encodeConnectionOpen(0, { virtualHost: options.vhost ?? '/' }));
    await this.expect(methods.ConnectionOpenOk, 0);
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The same as `send`, for what an encoder gave. */
  method(frame: Uint8Array): void {
    this.send(frame);
  }

  /** Sends a method and waits for its reply. */
  call<M extends MethodNumber>(frame: Uint8Array, reply: M): Promise<MethodArguments[M]> {
    this.send(frame);
    return this.expect(reply, Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).readUInt16BE(1));
  }

  async openChannel(channel: number): Promise<void> {
    await this.call(methods.encodeChannelOpen(channel), methods.ChannelOpenOk);
  }

  /** Sends basic.publish with header and body; the body in frames of the negotiated size. */
  publish(channel: number, publication: Publication): void {
    const { exchange = '', routingKey, mandatory = false, immediate = false, properties = {}, body = '' } = publication;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.send(
      Buffer.concat([
        methods.encodeBasicPublish(channel, { exchange, routingKey, mandatory, immediate }),
        encodeContentHeaderFrame(channel, bytes.length, encodeProperties(properties)),
        ...encodeBodyFrames(channel, bytes, this.frameMax),
      ]),
    );
  }

  /** Frames that have come and were not taken yet, in order of arrival. */
  get pending(): readonly Frame[] {
    return this.#inbox.frames;
  }

  /** The next frame of whatever kind. */
  next(): Promise<Frame> {
    return this.#wait('a frame', () => this.#inbox.takeFrame());
  }

  /** The arguments of this method, which must be the next that comes, of the channel when one is given, but for deliveries, returns,
   * confirms, cancels and blocked notices: those stay for whoever expects them. Rejects with what came instead, which stays too. */
  expect<M extends MethodNumber>(method: M, channel?: number): Promise<MethodArguments[M]> {
    return this.#wait(`${methods.methodNames.get(method)}${onChannel(channel)}`, () => this.#inbox.takeMethod(method, channel));
  }

  /** The next message: a delivery, an answer to basic.get or a return, of the channel when one is given. Other methods stay where they are,
   * but a close without a message before it rejects. */
  nextDelivery(channel?: number): Promise<Delivery> {
    return this.#wait(`a message${onChannel(channel)}`, () => this.#inbox.takeDelivery(channel));
  }

  /** The server's channel.close, which is answered. */
  async expectChannelClose(channel: number): Promise<ChannelCloseArguments> {
    const args = await this.expect(methods.ChannelClose, channel);
    this.send(methods.encodeChannelCloseOk(channel));
    return args;
  }

  /** The server's connection.close. Rejects when the connection ends without one. */
  expectConnectionClose(): Promise<ConnectionCloseArguments> {
    return this.#wait('connection.close', () => (this.#ending?.kind === 'close' ? this.#ending.args : null));
  }

  /** Closes the connection in order: connection.close, close-ok, end of the socket. */
  async end(): Promise<void> {
    if (this.#ending === null) {
      this.send(methods.encodeConnectionClose(0, { replyCode: 200, replyText: 'Goodbye', classId: 0, methodId: 0 }));
      await this.#wait('connection.close-ok', () => this.#inbox.takeCloseOk());
    }
    if (this.socket.closed) return;
    const closed = Promise.withResolvers<void>();
    this.socket.once('close', () => closed.resolve());
    this.socket.end();
    await closed.promise;
  }

  /** Cuts the connection without a word. */
  destroy(): void {
    this.socket.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  #onData(chunk: Buffer): void {
    try {
      for (const frame of this.#cutter.push(chunk)) {
        this.#inbox.push(frame);
        if (frame.method !== methods.ConnectionClose) continue;
        this.#finish({ kind: 'close', args: frame.args });
        if (this.#answersClose) this.socket.end(methods.encodeConnectionCloseOk(0));
      }
    } catch (error) {
      this.socket.destroy(error as Error);
    }
    this.#wake();
  }

  #finish(ending: Ending): void {
    this.#ending ??= ending;
    this.#ended.resolve(this.#ending);
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
  }

  /** Resolves with the first value of `take` that is not null; tries at once and after whatever comes. */
  #wait<T>(what: string, take: () => T | null): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiters = this.#waiters.filter(waiter => waiter !== attempt);
      };
      const attempt = (): void => {
        try {
          const value = take();
          if (value !== null) resolve(value);
          else if (this.#ending?.kind === 'close')
            throw new Error(`expected ${what}, but the server closed: ${closeText(this.#ending.args)}`);
          else if (this.#ending !== null) throw new Error(`expected ${what}, but the connection ended`, { cause: this.#ending.error });
          else return;
        } catch (error) {
          reject(error as Error);
        }
        settle();
      };
      const timer = setTimeout(() => {
        settle();
        const came = this.#inbox.frames.map(describeFrame).join(', ');
        reject(new Error(`expected ${what}, nothing of it in ${this.#timeoutMillis} ms; waiting to be taken: ${came || 'nothing'}`));
      }, this.#timeoutMillis);
      this.#waiters.push(attempt);
      attempt();
    });
  }
}

function onChannel(channel: number | undefined): string {
  return channel === undefined ? '' : ` on channel ${channel}`;
}

function closeText(args: ConnectionCloseArguments): string {
  return `${args.replyCode} ${args.replyText}`;
}

function defaultClientProperties(): FieldTable {
  const capabilities = [
    'authentication_failure_close',
    'basic.nack',
    'connection.blocked',
    'consumer_cancel_notify',
    'exchange_exchange_bindings',
    'publisher_confirms',
  ];
  return new Map([
    ['product', longstr('test driver')],
    ['capabilities', table(new Map(capabilities.map(name => [name, bool(true)])))],
  ]);
}
