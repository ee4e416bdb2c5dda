// hot path: see docs/STYLE.md

const prime1 = 0x9e3779b1 | 0;
const prime2 = 0x85ebca77 | 0;
const prime3 = 0xc2b2ae3d | 0;
const prime4 = 0x27d4eb2f | 0;
const prime5 = 0x165667b1 | 0;

/**
 * xxHash32 of the words in [from, to), as an unsigned number: never 0, so that empty space is told from data. Over whole little-endian
 * words only; a 66-byte record costs about 20 ns where a call of zlib's crc32 costs over 100. [xxHash specification, XXH32]
 */
export function checksum(words: Uint32Array, from: number, to: number, seed: number): number {
  let at = from;
  let hash: number;
  if (to - from >= 4) {
    let a = (seed + prime1 + prime2) | 0;
    let b = (seed + prime2) | 0;
    let c = seed | 0;
    let d = (seed - prime1) | 0;
    const last = to - 4;
    for (; at <= last; at += 4) {
      a = (a + Math.imul(words[at] as number, prime2)) | 0;
      a = Math.imul((a << 13) | (a >>> 19), prime1);
      b = (b + Math.imul(words[at + 1] as number, prime2)) | 0;
      b = Math.imul((b << 13) | (b >>> 19), prime1);
      c = (c + Math.imul(words[at + 2] as number, prime2)) | 0;
      c = Math.imul((c << 13) | (c >>> 19), prime1);
      d = (d + Math.imul(words[at + 3] as number, prime2)) | 0;
      d = Math.imul((d << 13) | (d >>> 19), prime1);
    }
    hash = (((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25)) + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14))) | 0;
  } else {
    hash = (seed + prime5) | 0;
  }
  hash = (hash + (to - from) * 4) | 0;
  for (; at < to; at++) {
    hash = (hash + Math.imul(words[at] as number, prime3)) | 0;
    hash = Math.imul((hash << 17) | (hash >>> 15), prime4);
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2);
  hash = Math.imul(hash ^ (hash >>> 13), prime3);
  hash ^= hash >>> 16;
  return hash === 0 ? 1 : hash >>> 0;
}
