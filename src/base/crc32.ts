let loaded: typeof import('node:zlib').crc32 | null = null;

/** Loaded when it is first needed: most programs that use the library never have a large message or a long queue. */
export function crc32(bytes: Buffer, sum = 0): number {
  loaded ??= process.getBuiltinModule('node:zlib').crc32;
  return loaded(bytes, sum);
}
