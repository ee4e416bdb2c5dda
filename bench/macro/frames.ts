// The few frames a load generator sends, made once and sent many times. Its own codec on purpose: it must not share the broker's mistakes.

export function frame(type: number, channel: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(8 + payload.length);
  bytes[0] = type;
  bytes.writeUInt16BE(channel, 1);
  bytes.writeUInt32BE(payload.length, 3);
  payload.copy(bytes, 7);
  bytes[bytes.length - 1] = 206;
  return bytes;
}

export function method(channel: number, classId: number, methodId: number, ...parts: Buffer[]): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(classId, 0);
  head.writeUInt16BE(methodId, 2);
  return frame(1, channel, Buffer.concat([head, ...parts]));
}

export function shortstr(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

export function longstr(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length, 0);
  return Buffer.concat([length, bytes]);
}

export const u8 = (value: number): Buffer => Buffer.from([value]);

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value, 0);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

export function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value), 0);
  return bytes;
}

/** A whole publish: method, header (delivery-mode 2 when persistent) and body frames. */
export function publish(exchange: string, key: string, body: Buffer, isPersistent: boolean, frameBytesMax: number): Buffer {
  const header = Buffer.concat([u16(60), u16(0), u64(body.length), u16(isPersistent ? 0x1000 : 0), ...(isPersistent ? [u8(2)] : [])]);
  const parts = [method(1, 60, 40, u16(0), shortstr(exchange), shortstr(key), u8(0)), frame(2, 1, header)];
  for (let at = 0; at < body.length; at += frameBytesMax - 8) parts.push(frame(3, 1, body.subarray(at, at + frameBytesMax - 8)));
  return Buffer.concat(parts);
}
