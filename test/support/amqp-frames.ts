// Frames as the test driver sees them. Cut from the stream by code of its own, so that a fault of the broker's frame reader cannot hide here.
import { FrameEnd, FrameMethod } from '../../src/wire/amqp091/constants.gen.ts';
import type { DecodedMethod } from '../../src/wire/amqp091/methods.gen.ts';
import { decodeMethod } from '../../src/wire/amqp091/methods.gen.ts';

/** The `type` of the eight bytes 'AMQP....' by which a server refuses a protocol header: the letter A. */
export const ProtocolHeaderFrame = 0x41;

interface FrameBytes {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

/** A frame; of a method frame also its name and arguments. */
export type Frame = FrameBytes & (DecodedMethod | { readonly method?: undefined; readonly name?: undefined; readonly args?: undefined });
export type MethodFrame = FrameBytes & DecodedMethod;

export function isMethodFrame(frame: Frame): frame is MethodFrame {
  return frame.method !== undefined;
}

export class FrameCutter {
  #buffer: Buffer = Buffer.alloc(0);

  /** The whole frames that the chunk completes. Throws when the stream is broken or a method is not understood. */
  push(chunk: Buffer): Frame[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const frames: Frame[] = [];
    for (let bytes = this.#frameBytes(); bytes !== 0 && bytes <= this.#buffer.length; bytes = this.#frameBytes()) {
      frames.push(decodeFrame(this.#buffer.subarray(0, bytes)));
      this.#buffer = this.#buffer.subarray(bytes);
    }
    return frames;
  }

  /** Bytes of the frame at the front, 0 when its length is not known yet. */
  #frameBytes(): number {
    if (this.#buffer[0] === ProtocolHeaderFrame) return 8;
    return this.#buffer.length < 7 ? 0 : 8 + this.#buffer.readUInt32BE(3);
  }
}

function decodeFrame(bytes: Buffer): Frame {
  const type = bytes.readUInt8(0);
  if (type === ProtocolHeaderFrame) return { type, channel: 0, payload: bytes };
  const channel = bytes.readUInt16BE(1);
  const payload = bytes.subarray(7, -1);
  if (bytes.at(-1) !== FrameEnd) throw new Error(`frame of type ${type} ends with ${bytes.at(-1)}`);
  if (type !== FrameMethod) return { type, channel, payload };
  return { type, channel, payload, ...decodeMethod(payload.readUInt32BE(0), payload, 4, payload.length) };
}

const typeNames: Record<number, string> = { 1: 'method', 2: 'header', 3: 'body', 8: 'heartbeat', [ProtocolHeaderFrame]: 'protocol header' };

/** One line for an error message. */
export function describeFrame(frame: Frame): string {
  const what = frame.name ?? `${typeNames[frame.type] ?? `type ${frame.type}`} of ${frame.payload.length} bytes`;
  const isClose = frame.name === 'channel.close' || frame.name === 'connection.close';
  const why = isClose ? ` ${frame.args.replyCode} ${JSON.stringify(frame.args.replyText)}` : '';
  return `${what}${why} on channel ${frame.channel}`;
}
