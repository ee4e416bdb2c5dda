import net from 'node:net';
import { tableFromJson } from '../../base/field-table.ts';
import { version } from '../../base/version.ts';
import { FrameMethod } from '../../wire/amqp091/constants.gen.ts';
import { FrameReader, type FrameFault, type FrameVisitor } from '../../wire/amqp091/frame-reader.ts';
import * as methods from '../../wire/amqp091/methods.gen.ts';
import type { MethodArguments } from '../../wire/amqp091/methods.gen.ts';
import { CliError, exitCodes } from '../cli-error.ts';

const protocolHeader = Buffer.from('AMQP\0\0\x09\x01', 'latin1');
const handshakeMillis = 30_000;
const frameBytesWanted = 128 * 1024;

/** Who gets what comes on a connection's channels once it is open. */
export interface PerfListener {
  /** A method other than a reply that is waited for: `number` is class and method, arguments begin at `start`. */
  onMethod(channel: number, number: number, buffer: Buffer, start: number, end: number): void;
  onHeader(channel: number, buffer: Buffer, start: number, end: number): void;
  /** A piece of a body. */
  onBody(channel: number, buffer: Buffer, start: number, end: number): void;
  /** All that was read at once has been handed over. */
  onBatch(): void;
}

export interface PerfConnectionOptions {
  readonly heartbeatSeconds: number;
  /** 0: this program's own. */
  readonly frameBytesMax: number;
  /** Name asked for in TLS; null: the host. */
  readonly serverName: string | null;
  /** Logs in by the certificate in place of a password: the mechanism EXTERNAL. */
  readonly isExternal: boolean;
}

/** In PEM, of the client and of who may have signed the broker's. */
export interface Certificates {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

const nobody: PerfListener = { onMethod() {}, onHeader() {}, onBody() {}, onBatch() {} };

/** A client's connection that sends whole batches and decodes no more than it must. */
export class PerfConnection implements FrameVisitor {
  readonly socket: net.Socket;
  listener: PerfListener = nobody;
  frameBytesMax = 0;
  isBlocked = false;
  /** Hears of the end; `error` is null when we closed it ourselves. */
  onEnd: (error: CliError | null) => void = () => {};
  readonly #reader = new FrameReader(0x7fff_ffff);
  readonly #waiting: { number: number; resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  #isClosing = false;
  #isEnded = false;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', error => this.#end(new CliError(`the connection broke: ${error.message}`)));
    socket.on('close', () => this.#end(this.#isClosing ? null : new CliError('the broker closed the connection')));
  }

  /** Connects and logs in. @throws CliError */
  static async open(uri: string, options: PerfConnectionOptions, certificates: Certificates = {}): Promise<PerfConnection> {
    if (!URL.canParse(uri) || !/^amqps?:$/.test(new URL(uri).protocol))
      throw new CliError(`'${uri}' is no URI such as amqp://guest:guest@localhost`, exitCodes.usage);
    const { protocol, hostname, port, username, password, pathname } = new URL(uri);
    const host = hostname.replace(/^\[|\]$/g, '') || 'localhost';
    const isTls = protocol === 'amqps:';
    const address = { host, port: port === '' ? (isTls ? 5671 : 5672) : Number(port) };
    const socket = isTls
      ? (await import('node:tls')).connect({
          ...address,
          ...certificates,
          servername: options.serverName ?? (net.isIP(host) === 0 ? host : ''),
        })
      : net.connect(address);
    const timer = setTimeout(() => socket.destroy(new Error('the handshake took too long')), handshakeMillis);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once(isTls ? 'secureConnect' : 'connect', () => resolve());
        socket.once('error', error =>
          reject(
            new CliError(`cannot connect to ${address.host}:${address.port}: ${error.message || (error as NodeJS.ErrnoException).code}`),
          ),
        );
      });
      const connection = new PerfConnection(socket);
      const user = decodeURIComponent(username) || 'guest';
      const secret = decodeURIComponent(password) || 'guest';
      await connection.#logIn(user, secret, pathname.length > 1 ? decodeURIComponent(pathname.slice(1)) : '/', options);
      return connection;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #logIn(user: string, password: string, virtualHost: string, options: PerfConnectionOptions): Promise<void> {
    const { heartbeatSeconds } = options;
    const wanted = options.frameBytesMax === 0 ? frameBytesWanted : options.frameBytesMax;
    const started = this.expect(methods.ConnectionStart);
    this.socket.write(protocolHeader);
    await started;
    const clientProperties = tableFromJson({
      product: 'warrenctl perf',
      version,
      capabilities: {
        consumer_cancel_notify: true,
        publisher_confirms: true,
        'basic.nack': true,
        'connection.blocked': true,
        authentication_failure_close: true,
      },
    });
    const tuned = this.expect(methods.ConnectionTune);
    this.socket.write(
      methods.encodeConnectionStartOk(0, {
        clientProperties,
        mechanism: options.isExternal ? 'EXTERNAL' : 'PLAIN',
        response: options.isExternal ? Buffer.alloc(0) : Buffer.from(`\0${user}\0${password}`),
        locale: 'en_US',
      }),
    );
    const { channelMax, frameMax } = await tuned;
    this.frameBytesMax = frameMax === 0 ? wanted : Math.min(frameMax, wanted);
    const opened = this.expect(methods.ConnectionOpenOk);
    this.socket.write(methods.encodeConnectionTuneOk(0, { channelMax, frameMax: this.frameBytesMax, heartbeat: heartbeatSeconds }));
    this.socket.write(methods.encodeConnectionOpen(0, { virtualHost }));
    await opened;
    if (heartbeatSeconds > 0) {
      const timer = setInterval(() => this.socket.write(Buffer.from([8, 0, 0, 0, 0, 0, 0, 0xce])), (heartbeatSeconds * 1000) / 2);
      this.socket.on('close', () => clearInterval(timer));
    }
  }

  /** Sends a method and waits for its reply. */
  call<M extends keyof MethodArguments>(frame: Uint8Array, reply: M): Promise<MethodArguments[M]> {
    const answer = this.expect(reply);
    this.socket.write(frame);
    return answer;
  }

  expect<M extends keyof MethodArguments>(number: M): Promise<MethodArguments[M]> {
    return new Promise((resolve, reject) => {
      if (this.#isEnded) reject(new CliError('the connection is closed'));
      else this.#waiting.push({ number, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  /** Closes it in order, within this time; resolves when it is over. */
  async close(timeoutMillis: number): Promise<void> {
    if (this.#isEnded) return;
    this.#isClosing = true;
    const over = new Promise<void>(resolve => this.socket.once('close', () => resolve()));
    const timer = setTimeout(() => this.socket.destroy(), timeoutMillis);
    this.socket.write(methods.encodeConnectionClose(0, { replyCode: 200, replyText: 'Goodbye', classId: 0, methodId: 0 }));
    await over;
    clearTimeout(timer);
  }

  onFrame(type: number, channel: number, buffer: Buffer, start: number, end: number): boolean {
    if (type === FrameMethod) this.#onMethod(channel, buffer, start, end);
    else if (type === 2) this.listener.onHeader(channel, buffer, start, end);
    else if (type === 3) this.listener.onBody(channel, buffer, start, end);
    return true;
  }

  onBodyPiece(channel: number, buffer: Buffer, start: number, end: number): boolean {
    this.listener.onBody(channel, buffer, start, end);
    return true;
  }

  onFrameFault(fault: FrameFault): void {
    this.#end(new CliError(`the broker sent a broken frame (${fault})`));
    this.socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#reader.push(chunk, 0, chunk.length, this);
    this.listener.onBatch();
  }

  #onMethod(channel: number, buffer: Buffer, start: number, end: number): void {
    const number = buffer.readUInt32BE(start);
    const [waiting] = this.#waiting;
    if (waiting !== undefined && waiting.number === number) {
      this.#waiting.shift();
      waiting.resolve(methods.decodeMethod(number, buffer, start + 4, end).args);
    } else if (number === methods.ConnectionClose || number === methods.ChannelClose) {
      const { replyCode, replyText } = methods.decodeMethod(number, buffer, start + 4, end).args as {
        replyCode: number;
        replyText: string;
      };
      if (number === methods.ConnectionClose) this.socket.write(methods.encodeConnectionCloseOk(0));
      this.#end(new CliError(`the broker answered ${replyCode} ${replyText}`));
      this.socket.end();
    } else if (number === methods.ConnectionCloseOk) {
      this.socket.end();
    } else if (number === methods.ConnectionBlocked || number === methods.ConnectionUnblocked) {
      this.isBlocked = number === methods.ConnectionBlocked;
      this.listener.onMethod(channel, number, buffer, start + 4, end);
    } else {
      this.listener.onMethod(channel, number, buffer, start + 4, end);
    }
  }

  #end(error: CliError | null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const { reject } of this.#waiting.splice(0)) reject(error ?? new CliError('the connection is closed'));
    this.onEnd(error);
  }
}
