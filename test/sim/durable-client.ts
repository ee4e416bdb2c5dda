import type { FieldTable } from '../../src/base/field-table.ts';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { encodeBodyFrames, protocolHeader } from '../../src/wire/amqp091/frame.ts';
import type { MethodNumber } from '../../src/wire/amqp091/methods.gen.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { decodeProperties, encodeProperties, type Properties } from '../../src/wire/amqp091/properties.ts';
import { describeFrame, type Frame, FrameCutter } from '../support/amqp-frames.ts';
import type { FakeSocket } from '../support/fake-socket.ts';
import { readBody } from './message-body.ts';
import type { SimNode } from './sim-node.ts';

/** A message that came. */
export interface Arrival {
  readonly channel: number;
  /** Null for what basic.get brought. */
  readonly consumerTag: string | null;
  readonly deliveryTag: number;
  readonly isRedelivered: boolean;
  readonly messageId: number;
  /** What the header of a stream's message says; -1 without it. */
  readonly streamOffset: number;
  /** What the header of a message says that was tried before; 0 without it. */
  readonly retryCount: number;
}

export interface ArrivalListener {
  arrived(arrival: Arrival): void;
  /** Publishes up to and including the tag, or only it, are safe. */
  confirmed(channel: number, tag: number, multiple: boolean): void;
  cancelled(consumerTag: string): void;
  /** An answer that `expect` asked for. */
  answered(token: unknown, frame: Frame): void;
}

/** A message on its way in: its method, the bytes that are still to come, what has come. */
interface Content {
  readonly frame: Frame;
  bytes: number;
  headers: FieldTable | undefined;
  readonly parts: Buffer[];
}

/** An AMQP client of a simulated node that waits for nothing: what comes is told when it comes, which may be much later or never. */
export class LedgerClient {
  readonly node: SimNode;
  readonly socket: FakeSocket;
  readonly #listener: ArrivalListener;
  readonly #cutter = new FrameCutter();
  #frameMax = 131_072;
  readonly #expected: { readonly channel: number; readonly method: MethodNumber; readonly other: MethodNumber; readonly token: unknown }[] =
    [];
  #content: Content | null = null;
  isOpen = false;

  constructor(node: SimNode, listener: ArrivalListener) {
    this.node = node;
    this.#listener = listener;
    this.socket = node.broker.accept();
  }

  /** Goes through the handshake and opens channels. */
  open(channels: number): boolean {
    this.send(Buffer.from(protocolHeader));
    const response = Buffer.from('\0guest\0guest');
    if (!this.#await(methods.ConnectionStart)) return false;
    this.send(methods.encodeConnectionStartOk(0, { clientProperties: new Map(), mechanism: 'PLAIN', response, locale: 'en_US' }));
    if (!this.#await(methods.ConnectionTune)) return false;
    this.send(methods.encodeConnectionTuneOk(0, { channelMax: 2047, frameMax: this.#frameMax, heartbeat: 0 }));
    this.send(methods.encodeConnectionOpen(0, { virtualHost: '/' }));
    if (!this.#await(methods.ConnectionOpenOk)) return false;
    for (let channel = 1; channel <= channels; channel++) {
      this.send(methods.encodeChannelOpen(channel));
      if (!this.#await(methods.ChannelOpenOk)) return false;
    }
    this.isOpen = true;
    return true;
  }

  send(bytes: Buffer): void {
    this.socket.receive(bytes);
  }

  /** Sends a request; its answer is told with the token. */
  call(frame: Buffer, method: MethodNumber, token: unknown, other: MethodNumber = method): void {
    this.#expected.push({ channel: frame.readUInt16BE(1), method, other, token });
    this.send(frame);
  }

  publish(channel: number, exchange: string, routingKey: string, properties: Properties, body: Buffer): void {
    this.send(
      Buffer.concat([
        methods.encodeBasicPublish(channel, { exchange, routingKey, mandatory: false, immediate: false }),
        encodeContentHeaderFrame(channel, body.length, encodeProperties(properties)),
        ...encodeBodyFrames(channel, body, this.#frameMax),
      ]),
    );
  }

  /** Reads what the broker has sent. */
  poll(): void {
    for (let bytes = this.socket.read(); bytes.length > 0; bytes = this.socket.read()) {
      for (const frame of this.#cutter.push(bytes)) this.#take(frame);
    }
  }

  #await(method: MethodNumber): boolean {
    let isThere = false;
    const token = {};
    this.#expected.push({ channel: -1, method, other: method, token });
    const before = this.#onAnswer;
    this.#onAnswer = given => {
      if (given === token) isThere = true;
    };
    for (let count = 0; !isThere; count++) {
      this.poll();
      if (isThere) break;
      if (!this.node.step()) {
        if (this.node.files.isFrozen) return false;
        this.node.advance(1);
      }
      if (count > 100_000) throw new Error(`no answer: expected ${methods.methodNames.get(method)}`);
    }
    this.#onAnswer = before;
    return true;
  }

  #onAnswer: (token: unknown, frame: Frame) => void = (token, frame) => this.#listener.answered(token, frame);

  #take(frame: Frame): void {
    if (this.#content !== null) {
      this.#takeContent(frame);
      return;
    }
    switch (frame.method) {
      case undefined:
        if (frame.type !== 8) throw new Error(`out of place: ${describeFrame(frame)}`);
        return;
      case methods.BasicDeliver:
        this.#content = { frame, bytes: -1, headers: undefined, parts: [] };
        return;
      case methods.BasicGetOk:
        this.#answer(frame);
        this.#content = { frame, bytes: -1, headers: undefined, parts: [] };
        return;
      case methods.BasicAck:
        this.#listener.confirmed(frame.channel, frame.args.deliveryTag, frame.args.multiple);
        return;
      case methods.BasicCancel:
        this.#listener.cancelled(frame.args.consumerTag);
        return;
      case methods.BasicNack:
      case methods.ChannelClose:
      case methods.ConnectionClose:
      case methods.BasicReturn:
        throw new Error(`not expected: ${describeFrame(frame)}`);
      default:
        this.#answer(frame);
    }
  }

  #answer(frame: Frame): void {
    const index = this.#expected.findIndex(
      each => (each.channel < 0 || each.channel === frame.channel) && (each.method === frame.method || each.other === frame.method),
    );
    if (index < 0) throw new Error(`nobody asked for ${describeFrame(frame)}`);
    const [expected] = this.#expected.splice(index, 1);
    this.#onAnswer(expected?.token, frame);
  }

  #takeContent(frame: Frame): void {
    const content = this.#content as Content;
    if (frame.type === 2) {
      content.bytes = Number(frame.payload.readBigUInt64BE(4));
      content.headers = decodeProperties(frame.payload, 12, frame.payload.length).headers;
    } else if (frame.type === 3) {
      content.parts.push(frame.payload);
      content.bytes -= frame.payload.length;
    } else {
      throw new Error(`in the middle of a message: ${describeFrame(frame)}`);
    }
    if (content.bytes > 0) return;
    this.#content = null;
    const messageId = readBody(Buffer.concat(content.parts));
    const { frame: method, headers } = content;
    if (method.method !== methods.BasicDeliver && method.method !== methods.BasicGetOk) return;
    const { deliveryTag, redelivered } = method.args;
    this.#listener.arrived({
      channel: method.channel,
      consumerTag: method.method === methods.BasicDeliver ? method.args.consumerTag : null,
      deliveryTag,
      isRedelivered: redelivered,
      messageId,
      streamOffset: Number(headers?.get('x-stream-offset')?.value ?? -1),
      retryCount: Number(headers?.get('x-retry-count')?.value ?? 0),
    });
  }
}
