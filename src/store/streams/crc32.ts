let native: ((bytes: Buffer) => number) | null = null;

/** CRC-32 of the bytes. The module that has it is loaded when the first stream is used: most brokers have none. */
export function crc32(bytes: Buffer): number {
  native ??= process.getBuiltinModule('node:zlib').crc32;
  return native(bytes);
}
