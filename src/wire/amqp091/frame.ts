// Whole frames other than methods, for messages that the broker makes itself and for tests. Deliveries are encoded into the outbox without
// these.   frame: type(1) channel(2) size(4) payload 0xCE      [AMQP 0-9-1 2.3.5]
import { FrameBody, FrameEnd, FrameHeartbeat } from './constants.gen.ts';

/** Bytes of a frame around its payload. */
export const frameOverheadBytes = 8;

/** One frame with this payload. */
export function encodeFrame(type: number, channel: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(frameOverheadBytes + payload.length);
  frame.writeUInt8(type, 0);
  frame.writeUInt16BE(channel, 1);
  frame.writeUInt32BE(payload.length, 3);
  frame.set(payload, 7);
  frame[frame.length - 1] = FrameEnd;
  return frame;
}

/** The body frames of a message: none for an empty body, else as few as frameBytesMax (the negotiated frame-max, 0 for none) allows. */
export function encodeBodyFrames(channel: number, body: Uint8Array, frameBytesMax: number): Buffer[] {
  const chunkBytes = frameBytesMax === 0 ? Math.max(body.length, 1) : frameBytesMax - frameOverheadBytes;
  if (chunkBytes < 1) throw new RangeError(`frame-max of ${frameBytesMax} leaves no room for a body`);
  const frames: Buffer[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) {
    frames.push(encodeFrame(FrameBody, channel, body.subarray(at, at + chunkBytes)));
  }
  return frames;
}

export function encodeHeartbeat(): Buffer {
  return encodeFrame(FrameHeartbeat, 0, Buffer.alloc(0));
}

/** The eight bytes with which an AMQP 0-9-1 connection begins, and with which the server refuses other protocols. */
export const protocolHeader: Uint8Array = Uint8Array.of(0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1);
