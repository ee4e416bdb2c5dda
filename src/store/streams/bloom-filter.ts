// hot path: see docs/STYLE.md

/** Bits that stand for a value: with a filter of 16 bytes and ten values, about one in forty others is taken for one of them. */
const bitsPerValue = 3;

/** Marks a value in the filter at [start, start + bytes). */
export function addToFilter(buffer: Buffer, start: number, bytes: number, value: string): void {
  const bits = bytes * 8;
  let at = hash(value, 0x811c9dc5);
  const step = hash(value, 0x9747b28c) | 1;
  for (let i = 0; i < bitsPerValue; i++) {
    const bit = (at >>> 0) % bits;
    buffer[start + (bit >> 3)] = (buffer[start + (bit >> 3)] as number) | (1 << (bit & 7));
    at = (at + step) | 0;
  }
}

/** Whether the value may have been marked; false is certain. */
export function mayHave(buffer: Buffer, start: number, bytes: number, value: string): boolean {
  const bits = bytes * 8;
  let at = hash(value, 0x811c9dc5);
  const step = hash(value, 0x9747b28c) | 1;
  for (let i = 0; i < bitsPerValue; i++) {
    const bit = (at >>> 0) % bits;
    if (((buffer[start + (bit >> 3)] as number) & (1 << (bit & 7))) === 0) return false;
    at = (at + step) | 0;
  }
  return true;
}

/** FNV-1a over the UTF-16 units, mixed at the end. It is part of the format. */
function hash(value: string, seed: number): number {
  let hashed = seed;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    hashed = Math.imul(hashed ^ (unit & 0xff), 0x01000193);
    hashed = Math.imul(hashed ^ (unit >> 8), 0x01000193);
  }
  hashed ^= hashed >>> 16;
  hashed = Math.imul(hashed, 0x85ebca6b);
  return hashed ^ (hashed >>> 13);
}
