import { isText } from '../../base/text.ts';
import { reasons } from './constants.ts';
import { MqttError } from './mqtt-error.ts';

export function malformed(text: string): MqttError {
  return new MqttError(reasons.malformedPacket, text);
}

export function protocolError(text: string): MqttError {
  return new MqttError(reasons.protocolError, text);
}

/**
 * Whether the bytes are a string of MQTT: UTF-8 without U+0000; Node's check knows surrogates. [MQTT 5.0 1.5.4]
 */
export function isMqttText(buffer: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (buffer[at] === 0) return false;
  return isText(buffer, start, end);
}

/** Reads the parts of a packet one after the other, never past `end`. Everything throws MqttError for what is cut short or not allowed. */
export class ByteReader {
  readonly buffer: Buffer;
  at: number;
  readonly end: number;

  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer;
    this.at = start;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    if (this.at >= this.end) throw malformed('the packet is cut short');
    return this.buffer[this.at++] as number;
  }

  uint16(): number {
    return (this.byte() << 8) | this.byte();
  }

  uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16();
  }

  /** A variable byte integer: at most four bytes, and no more than it needs. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 1; ; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (byte === 0 && count > 1) throw malformed('a variable byte integer is longer than it needs to be');
        return value;
      }
      if (count === 4) throw malformed('a variable byte integer is longer than four bytes');
      factor *= 128;
    }
  }

  /** So many bytes, where they are. */
  bytes(count: number): Buffer {
    const start = this.at;
    if (count > this.end - start) throw malformed('the packet is cut short');
    this.at = start + count;
    return this.buffer.subarray(start, this.at);
  }

  binary(): Buffer {
    return this.bytes(this.uint16());
  }

  text(): string {
    const count = this.uint16();
    const start = this.at;
    if (count > this.end - start) throw malformed('the packet is cut short');
    this.at = start + count;
    if (!isMqttText(this.buffer, start, this.at)) throw malformed('a string is not UTF-8, or holds U+0000');
    return this.buffer.toString('utf8', start, this.at);
  }

  packetId(): number {
    const id = this.uint16();
    if (id === 0) throw protocolError('packet identifier 0');
    return id;
  }

  /** Nothing may follow. */
  finish(): void {
    if (this.at !== this.end) throw malformed('the packet is longer than what it holds');
  }
}
