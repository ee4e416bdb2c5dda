// erlang:phash2 of terms, as far as argument tables need it. RabbitMQ names bindings by it, and tools keep those names.
// [Erlang/OTP: erlang:phash2/2, the same on all machines and in all versions by its documentation]

/** An Erlang term: numbers and bigints are integers, `float` wraps a double, texts are binaries. */
export type ErlangTerm =
  | number
  | bigint
  | string
  | Uint8Array
  | readonly ErlangTerm[]
  | { readonly atom: string }
  | { readonly float: number }
  | { readonly tuple: readonly ErlangTerm[] };

const golden = 0x9e3779b9;
/** Multiples of the constant, one per kind of term. */
const kind = (n: number): number => Math.imul(golden, n) >>> 0;
const nilAlone = 3_468_870_702;
const nilMixed = 2;

/** erlang:phash2(Term, 1 bsl 32). */
export function erlangHash(term: ErlangTerm): number {
  const hash = new TermHash();
  hash.add(term);
  return hash.value;
}

class TermHash {
  value = 0;

  add(term: ErlangTerm): void {
    if (typeof term === 'number' || typeof term === 'bigint') this.#addInteger(BigInt(term));
    else if (typeof term === 'string') this.#addBinary(Buffer.from(term));
    else if (term instanceof Uint8Array) this.#addBinary(term);
    else if ('atom' in term) this.#addAtom(term.atom);
    else if ('float' in term) this.#addFloat(term.float);
    else if ('tuple' in term) this.#addTuple(term.tuple);
    else this.#addList(term);
  }

  #addInteger(value: bigint): void {
    if (value >= -(1n << 27n) && value < 1n << 27n) {
      const small = Number(value);
      // Negative numbers are mixed twice, first without their sign.
      if (small < 0) this.#mix(-small, 0, golden);
      this.#mix(small, 0, golden);
      return;
    }
    const constant = value < 0n ? kind(10) : kind(11);
    let rest = value < 0n ? -value : value;
    do {
      this.#mix(Number(rest & 0xffff_ffffn), Number((rest >> 32n) & 0xffff_ffffn), constant);
      rest >>= 64n;
    } while (rest > 0n);
  }

  #addFloat(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value === 0 ? 0 : value);
    this.#mix(bytes.readUInt32BE(0), bytes.readUInt32BE(4), kind(12));
  }

  #addAtom(name: string): void {
    const hash = atomHash(name);
    if (this.value === 0) this.value = hash;
    else this.#mix(hash, 0, kind(3));
  }

  #addTuple(terms: readonly ErlangTerm[]): void {
    this.#mix(terms.length, 0, kind(9));
    for (const term of terms) this.add(term);
  }

  /** Bytes within a list are taken four at a time, as the characters of a string. */
  #addList(terms: readonly ErlangTerm[]): void {
    let at = 0;
    while (at < terms.length) {
      let count = 0;
      let four = 0;
      for (; at < terms.length && isByte(terms[at] as ErlangTerm); at++) {
        four = ((four << 8) + Number(terms[at])) >>> 0;
        if (count < 3) {
          count++;
          continue;
        }
        this.#mix(four, 0, kind(4));
        count = 0;
        four = 0;
      }
      if (count > 0) this.#mix(four, 0, kind(4));
      if (at < terms.length) this.add(terms[at++] as ErlangTerm);
    }
    if (this.value === 0) this.value = nilAlone;
    else this.#mix(nilMixed, 0, kind(2));
  }

  #addBinary(bytes: Uint8Array): void {
    const start = (kind(13) + this.value) >>> 0;
    this.value = bytes.length === 0 ? start : blockHash(bytes, start);
  }

  #mix(first: number, second: number, constant: number): void {
    this.value = mix((constant + first) >>> 0, (constant + second) >>> 0, this.value);
  }
}

function isByte(term: ErlangTerm): boolean {
  return (typeof term === 'number' || typeof term === 'bigint') && term >= 0 && term <= 255;
}

/** hashpjw of the atom's characters. */
function atomHash(name: string): number {
  let hash = 0;
  for (const byte of Buffer.from(name, 'latin1')) {
    hash = ((hash << 4) + byte) >>> 0;
    const high = hash & 0xf000_0000;
    if (high !== 0) hash = (hash ^ (high >>> 24) ^ high) >>> 0;
  }
  return hash;
}

/** Bob Jenkins' hash of 1996 over twelve bytes at a time. */
function blockHash(bytes: Uint8Array, start: number): number {
  let a = golden;
  let b = golden;
  let c = start;
  let at = 0;
  const word = (from: number): number =>
    ((bytes[from] ?? 0) | ((bytes[from + 1] ?? 0) << 8) | ((bytes[from + 2] ?? 0) << 16) | ((bytes[from + 3] ?? 0) << 24)) >>> 0;
  for (; bytes.length - at >= 12; at += 12) {
    [a, b, c] = mixAll((a + word(at)) >>> 0, (b + word(at + 4)) >>> 0, (c + word(at + 8)) >>> 0);
  }
  // The length takes the lowest byte of the last word.
  c = (c + bytes.length + (word(at + 8) << 8)) >>> 0;
  return mixAll((a + word(at)) >>> 0, (b + word(at + 4)) >>> 0, c)[2];
}

function mix(a: number, b: number, c: number): number {
  return mixAll(a, b, c)[2];
}

function mixAll(first: number, second: number, third: number): [number, number, number] {
  let a = first | 0;
  let b = second | 0;
  let c = third | 0;
  a = (a - b - c) ^ (c >>> 13);
  b = (b - c - a) ^ (a << 8);
  c = (c - a - b) ^ (b >>> 13);
  a = (a - b - c) ^ (c >>> 12);
  b = (b - c - a) ^ (a << 16);
  c = (c - a - b) ^ (b >>> 5);
  a = (a - b - c) ^ (c >>> 3);
  b = (b - c - a) ^ (a << 10);
  c = (c - a - b) ^ (b >>> 15);
  return [a >>> 0, b >>> 0, c >>> 0];
}
