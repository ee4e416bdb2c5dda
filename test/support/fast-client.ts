// An AMQP 0-9-1 client for campaigns that move millions of messages: deliveries and confirms go to callbacks without an object for each.
import { once } from 'node:events';
import net from 'node:net';
import { protocolHeader } from '../../src/wire/amqp091/frame.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { decodeProperties } from '../../src/wire/amqp091/properties.ts';

export interface FastEvents {
  /** `body` and `header`, the payload of the content header, are to be read within the call. Consumer tags are numbers. */
  delivered(channel: number, consumer: number, redelivered: boolean, deliveryTag: number, body: Buffer, header: Buffer): void;
  confirmed(channel: number, deliveryTag: number, multiple: boolean, isNack: boolean): void;
}

/** The server closed a channel or the connection. */
export class ClosedError extends Error {
  readonly replyCode: number;

  constructor(replyCode: number, text: string) {
    super(`${replyCode} ${text}`);
    this.replyCode = replyCode;
  }
}

interface Waiter {
  resolve(payload: Buffer): void;
  reject(error: Error): void;
}

interface Incoming {
  consumer: number;
  redelivered: boolean;
  deliveryTag: number;
  bodyBytes: number;
  header: Buffer;
  parts: Buffer[];
  gotBytes: number;
}

const nothing = Buffer.alloc(0);

const deliver = (60 << 16) | 60;
const ack = (60 << 16) | 80;
const nack = (60 << 16) | 120;
const cancel = (60 << 16) | 30;
const channelClose = (20 << 16) | 40;
const connectionClose = (10 << 16) | 50;
const connectionBlocked = (10 << 16) | 60;
const connectionUnblocked = (10 << 16) | 61;

export class FastClient {
  readonly socket: net.Socket;
  readonly #events: FastEvents;
  #rest: Buffer = nothing;
  readonly #waiters = new Map<number, Waiter[]>();
  readonly #incoming = new Map<number, Incoming>();
  frameMax = 131_072;
  isOpen = true;
  isBlocked = false;
  /** Resolves when the connection is over, with the reason. */
  readonly closed: Promise<Error>;
  readonly #closed = Promise.withResolvers<Error>();

  private constructor(socket: net.Socket, events: FastEvents) {
    this.socket = socket;
    this.#events = events;
    this.closed = this.#closed.promise;
    socket.setNoDelay(true);
    socket.on('data', chunk => this.#data(chunk));
    socket.on('error', error => this.#end(error));
    socket.on('close', () => this.#end(new Error('the connection ended')));
  }

  /** @throws Error when the broker does not take the connection */
  static async connect(port: number, events: FastEvents): Promise<FastClient> {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new FastClient(socket, events);
    await client.#call(0, protocolHeader);
    const response = Buffer.from('\0guest\0guest');
    await client.#call(
      0,
      methods.encodeConnectionStartOk(0, { clientProperties: new Map(), mechanism: 'PLAIN', response, locale: 'en_US' }),
    );
    client.write(methods.encodeConnectionTuneOk(0, { channelMax: 100, frameMax: client.frameMax, heartbeat: 0 }));
    await client.call(methods.encodeConnectionOpen(0, { virtualHost: '/' }));
    return client;
  }

  write(bytes: Uint8Array): void {
    if (this.isOpen) this.socket.write(bytes);
  }

  /** Sends a method and resolves with the payload of what answers it. @throws ClosedError when that is a close */
  call(frame: Buffer): Promise<Buffer> {
    return this.#call(frame.readUInt16BE(1), frame);
  }

  openChannel(channel: number): Promise<Buffer> {
    return this.call(methods.encodeChannelOpen(channel));
  }

  destroy(): void {
    this.#end(new Error('destroyed'));
    this.socket.destroy();
  }

  #call(channel: number, bytes: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) {
        reject(new Error('the connection is closed'));
        return;
      }
      const waiting = this.#waiters.get(channel) ?? [];
      waiting.push({ resolve, reject });
      this.#waiters.set(channel, waiting);
      this.write(bytes);
    });
  }

  #end(error: Error): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const waiting of this.#waiters.values()) for (const waiter of waiting.splice(0)) waiter.reject(error);
    this.#closed.resolve(error);
  }

  #data(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (this.isOpen && bytes.length - at >= 8) {
      const size = bytes.readUInt32BE(at + 3);
      if (bytes.length - at < size + 8) break;
      const start = at + 7;
      this.#frame(bytes[at] as number, bytes.readUInt16BE(at + 1), bytes, start, start + size);
      at = start + size + 1;
    }
    this.#rest = bytes.subarray(at);
  }

  #frame(type: number, channel: number, bytes: Buffer, start: number, end: number): void {
    if (type === 1) this.#method(channel, bytes, start, end);
    else if (type === 2) this.#header(channel, bytes.subarray(start, end));
    else if (type === 3) this.#body(channel, bytes.subarray(start, end));
  }

  #method(channel: number, bytes: Buffer, start: number, end: number): void {
    const name = bytes.readUInt32BE(start);
    if (name === deliver) {
      const tagBytes = bytes[start + 4] as number;
      let consumer = 0;
      let at = start + 5;
      for (; at < start + 5 + tagBytes; at++) consumer = consumer * 10 + (bytes[at] as number) - 48;
      this.#incoming.set(channel, {
        consumer,
        redelivered: bytes[at + 8] === 1,
        deliveryTag: readTag(bytes, at),
        bodyBytes: -1,
        header: nothing,
        parts: [],
        gotBytes: 0,
      });
    } else if (name === ack || name === nack) {
      this.#events.confirmed(channel, readTag(bytes, start + 4), ((bytes[start + 12] as number) & 1) === 1, name === nack);
    } else if (name === channelClose || name === connectionClose) {
      this.#closedByServer(channel, name, bytes, start);
    } else if (name === connectionBlocked || name === connectionUnblocked) {
      this.isBlocked = name === connectionBlocked;
    } else if (name !== cancel) {
      this.#waiters
        .get(channel)
        ?.shift()
        ?.resolve(Buffer.from(bytes.subarray(start, end)));
    }
  }

  #closedByServer(channel: number, name: number, bytes: Buffer, start: number): void {
    const textBytes = bytes[start + 6] as number;
    const error = new ClosedError(bytes.readUInt16BE(start + 4), bytes.toString('utf8', start + 7, start + 7 + textBytes));
    if (name === connectionClose) {
      this.write(methods.encodeConnectionCloseOk(0));
      this.#end(error);
      return;
    }
    this.write(methods.encodeChannelCloseOk(channel));
    for (const waiter of this.#waiters.get(channel)?.splice(0) ?? []) waiter.reject(error);
  }

  #header(channel: number, header: Buffer): void {
    const incoming = this.#incoming.get(channel);
    if (incoming === undefined) return;
    incoming.header = header;
    incoming.bodyBytes = header.readUInt32BE(8);
    if (incoming.bodyBytes === 0) this.#deliver(channel, incoming, nothing);
  }

  #body(channel: number, piece: Buffer): void {
    const incoming = this.#incoming.get(channel);
    if (incoming === undefined) return;
    if (piece.length === incoming.bodyBytes) {
      this.#deliver(channel, incoming, piece);
      return;
    }
    incoming.parts.push(Buffer.from(piece));
    incoming.gotBytes += piece.length;
    if (incoming.gotBytes === incoming.bodyBytes) this.#deliver(channel, incoming, Buffer.concat(incoming.parts));
  }

  #deliver(channel: number, { consumer, redelivered, deliveryTag, header }: Incoming, body: Buffer): void {
    this.#incoming.delete(channel);
    this.#events.delivered(channel, consumer, redelivered, deliveryTag, body, header);
  }
}

function readTag(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}

/** A number among the message headers of a content header; 0 when it is not there. */
export function headerNumber(header: Buffer, name: string): number {
  const { headers } = decodeProperties(header, 12, header.length);
  return Number(headers?.get(name)?.value ?? 0);
}
