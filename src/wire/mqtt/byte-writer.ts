/** Bytes of a variable byte integer. */
export function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

/** Writes a variable byte integer; returns the place behind it. */
export function writeVarint(buffer: Buffer, at: number, value: number): number {
  let left = value;
  while (left >= 0x80) {
    buffer[at++] = (left & 0x7f) | 0x80;
    left = Math.floor(left / 128);
  }
  buffer[at++] = left;
  return at;
}

/** Gathers the parts of a packet that is not sent often. */
export class ByteWriter {
  #parts: Buffer[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  raw(bytes: Buffer): this {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    return this;
  }

  byte(value: number): this {
    return this.raw(Buffer.from([value]));
  }

  uint16(value: number): this {
    return this.raw(Buffer.from([value >> 8, value]));
  }

  uint32(value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(value);
    return this.raw(bytes);
  }

  varint(value: number): this {
    const bytes = Buffer.allocUnsafe(varintBytes(value));
    writeVarint(bytes, 0, value);
    return this.raw(bytes);
  }

  /** @throws RangeError above 65,535 bytes */
  binary(bytes: Buffer): this {
    if (bytes.length > 0xffff) throw new RangeError(`${bytes.length} bytes in a field of at most 65535`);
    return this.uint16(bytes.length).raw(bytes);
  }

  text(text: string): this {
    return this.binary(Buffer.from(text));
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts, this.#bytes);
  }
}
