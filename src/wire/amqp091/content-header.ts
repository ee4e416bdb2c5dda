// The payload of a content header frame:  classId(2) weight(2) bodySize(8) flags(2) values      [AMQP 0-9-1 2.3.5.2]
import { DecodeError } from '../decode-error.ts';
import { FrameHeader } from './constants.gen.ts';
import { encodeFrame } from './frame.ts';
import type { Properties } from './properties.ts';
import { decodeProperties } from './properties.ts';
import type { TableLimits } from './table.ts';
import { tableLimits, writeUint64 } from './table.ts';

/** Where the property flags are in the payload. */
export const propertiesOffset = 12;

const basicClassId = 60;

export interface ContentHeader {
  readonly classId: number;
  /** Infinity beyond the safe integers. */
  readonly bodySize: number;
  readonly properties: Properties;
}

/** The content header in the payload between `start` and `end`. Throws DecodeError. */
export function decodeContentHeader(buffer: Buffer, start: number, end: number, limits: TableLimits = tableLimits): ContentHeader {
  if (end - start < propertiesOffset + 2) throw new DecodeError('truncated', 'content header is cut short');
  const bodySize = buffer.readUInt32BE(start + 4) * 0x1_0000_0000 + buffer.readUInt32BE(start + 8);
  return {
    classId: buffer.readUInt16BE(start),
    bodySize: Number.isSafeInteger(bodySize) ? bodySize : Number.POSITIVE_INFINITY,
    properties: decodeProperties(buffer, start + propertiesOffset, end, limits),
  };
}

/** A whole content header frame of the basic class; `properties` are flags and values as `encodeProperties` gives them. */
export function encodeContentHeaderFrame(channel: number, bodySize: number, properties: Uint8Array): Buffer {
  const payload = Buffer.allocUnsafe(propertiesOffset + properties.length);
  payload.writeUInt16BE(basicClassId, 0);
  payload.writeUInt16BE(0, 2);
  writeUint64(payload, bodySize, 4);
  payload.set(properties, propertiesOffset);
  return encodeFrame(FrameHeader, channel, payload);
}
