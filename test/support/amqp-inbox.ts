// The frames that have come to a test driver and were not taken yet, in order of arrival.
import { FrameBody, FrameHeader, FrameHeartbeat } from '../../src/wire/amqp091/constants.gen.ts';
import { decodeContentHeader } from '../../src/wire/amqp091/content-header.ts';
import type {
  BasicDeliverArguments,
  BasicGetOkArguments,
  BasicReturnArguments,
  MethodArguments,
  MethodNumber,
} from '../../src/wire/amqp091/methods.gen.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import type { Properties } from '../../src/wire/amqp091/properties.ts';
import type { Frame, MethodFrame } from './amqp-frames.ts';
import { describeFrame, isMethodFrame } from './amqp-frames.ts';

interface Content {
  readonly channel: number;
  readonly properties: Properties;
  readonly body: Buffer;
}

export type Delivery = Content &
  (
    | { readonly kind: 'deliver'; readonly args: BasicDeliverArguments }
    | { readonly kind: 'get-ok'; readonly args: BasicGetOkArguments }
    | { readonly kind: 'return'; readonly args: BasicReturnArguments }
  );

/** What the server sends on its own account. `takeMethod` steps over these, unless one of them is what is expected. */
const unasked: ReadonlySet<number> = new Set([
  methods.BasicDeliver,
  methods.BasicReturn,
  methods.BasicAck,
  methods.BasicNack,
  methods.BasicCancel,
  methods.ConnectionBlocked,
  methods.ConnectionUnblocked,
]);

export class Inbox {
  readonly frames: Frame[] = [];

  push(frame: Frame): void {
    this.frames.push(frame);
  }

  takeFrame(): Frame | null {
    return this.frames.shift() ?? null;
  }

  /** The next method's arguments, null while it is still to come. Throws when another one comes first. */
  takeMethod<M extends MethodNumber>(method: M, channel: number | undefined): MethodArguments[M] | null {
    for (const [index, frame] of this.frames.entries()) {
      const isOfChannel = channel === undefined || frame.channel === channel;
      if (frame.method === method && isOfChannel) {
        this.frames.splice(index, 1);
        return frame.args as MethodArguments[M];
      }
      const endsAll = frame.method === methods.ConnectionClose;
      if (endsAll || (isOfChannel && !isSteppedOver(frame))) {
        throw new Error(`expected ${methods.methodNames.get(method)}, got ${describeFrame(frame)}`);
      }
    }
    return null;
  }

  /** Everything up to the close-ok, which is the last thing that a server says; null while it is still to come. */
  takeCloseOk(): Frame | null {
    const index = this.frames.findIndex(frame => frame.method === methods.ConnectionCloseOk);
    return index === -1 ? null : (this.frames.splice(0, index + 1).at(-1) ?? null);
  }

  /** The next message, null while it is still to come. Throws when a close comes first. */
  takeDelivery(channel: number | undefined): Delivery | null {
    const isOfChannel = (frame: Frame): boolean => channel === undefined || frame.channel === channel;
    const index = this.frames.findIndex(frame => frame.method !== undefined && methods.hasContent(frame.method) && isOfChannel(frame));
    if (index !== -1) return this.#takeContent(index);
    const close = this.frames.find(
      frame => frame.method === methods.ConnectionClose || (frame.method === methods.ChannelClose && isOfChannel(frame)),
    );
    if (close !== undefined) throw new Error(`expected a message, got ${describeFrame(close)}`);
    return null;
  }

  /** Takes the method at the index with its header and body frames; null while some of them are still to come. */
  #takeContent(index: number): Delivery | null {
    const first = this.frames[index] as MethodFrame;
    const indexes = [index];
    /** The next frame of the same channel; frames of other channels may lie between. */
    const following = (): Frame | undefined => {
      let at = (indexes.at(-1) as number) + 1;
      while (at < this.frames.length && this.frames[at]?.channel !== first.channel) at++;
      indexes.push(at);
      return this.frames[at];
    };
    const header = following();
    if (header === undefined) return null;
    if (header.type !== FrameHeader) throw new Error(`expected the header of ${first.name}, got ${describeFrame(header)}`);
    const { bodySize, properties } = decodeContentHeader(header.payload, 0, header.payload.length);
    const chunks: Buffer[] = [];
    for (let bytes = 0; bytes < bodySize; ) {
      const frame = following();
      if (frame === undefined) return null;
      if (frame.type !== FrameBody) throw new Error(`expected the body of ${first.name}, got ${describeFrame(frame)}`);
      chunks.push(frame.payload);
      bytes += frame.payload.length;
      if (bytes > bodySize) throw new Error(`body of ${bodySize} bytes goes on to ${bytes}`);
    }
    for (const at of indexes.toReversed()) this.frames.splice(at, 1);
    const content = { channel: first.channel, properties, body: Buffer.concat(chunks) };
    if (first.method === methods.BasicDeliver) return { kind: 'deliver', args: first.args, ...content };
    if (first.method === methods.BasicGetOk) return { kind: 'get-ok', args: first.args, ...content };
    if (first.method === methods.BasicReturn) return { kind: 'return', args: first.args, ...content };
    throw new Error(`${describeFrame(first)} is not for clients`);
  }
}

function isSteppedOver(frame: Frame): boolean {
  return isMethodFrame(frame) ? unasked.has(frame.method) : [FrameHeader, FrameBody, FrameHeartbeat].includes(frame.type);
}
