// hot path: see docs/STYLE.md

/** Places of a block; a longer list is made of such blocks. */
export const blockPlaces = 16_384;

/** Entries as columns of typed arrays. A sequence number's place is its lowest bits, so that the number itself need not be stored. */
export class ReadyColumns {
  readonly refs: Uint32Array;
  readonly metas: Uint32Array;
  readonly bytes: Uint32Array;
  /** Made when the first message with a time to live comes. */
  expiries: Float64Array | null = null;
  readonly mask: number;

  /** `places` is a power of two. */
  constructor(places: number) {
    this.refs = new Uint32Array(places);
    this.metas = new Uint32Array(places);
    this.bytes = new Uint32Array(places);
    this.mask = places - 1;
  }

  /** Takes over the places from `head` up to `tail` of a smaller one, at the same sequence numbers. */
  takeOver(old: ReadyColumns, head: number, tail: number): void {
    if (old.expiries !== null) this.expiries = new Float64Array(this.mask + 1);
    for (let sequence = head; sequence < tail; sequence++) {
      const from = sequence & old.mask;
      const to = sequence & this.mask;
      this.refs[to] = old.refs[from] as number;
      this.metas[to] = old.metas[from] as number;
      this.bytes[to] = old.bytes[from] as number;
      if (this.expiries !== null) this.expiries[to] = (old.expiries as Float64Array)[from] as number;
    }
  }

  put(index: number, ref: number, meta: number, bytes: number, expiryMillis: number): void {
    this.refs[index] = ref;
    this.metas[index] = meta;
    this.bytes[index] = bytes;
    if (this.expiries !== null) this.expiries[index] = expiryMillis;
    else if (expiryMillis !== 0) this.#startExpiries(index, expiryMillis);
  }

  /** No message at this place expires later. */
  limitExpiry(index: number, expiryMillis: number): void {
    this.expiries ??= new Float64Array(this.mask + 1);
    const old = this.expiries[index] as number;
    if (old === 0 || old > expiryMillis) this.expiries[index] = expiryMillis;
  }

  #startExpiries(index: number, expiryMillis: number): void {
    this.expiries = new Float64Array(this.mask + 1);
    this.expiries[index] = expiryMillis;
  }
}
