// hot path: see docs/STYLE.md

/** Bytes of a place, and of each of the two columns that not all have. */
export const placeBytes = 12;
const optionalBytes = 8;

/** Entries as columns of typed arrays. A sequence number's place is its lowest bits, so that the number itself need not be stored. */
export class ReadyColumns {
  readonly refs: Uint32Array;
  readonly metas: Uint32Array;
  readonly bytes: Uint32Array;
  /** Made when the first message with a time to live comes. */
  expiries: Float64Array | null = null;
  /** Made for lists whose places are not their messages' numbers. */
  numbers: Float64Array | null = null;
  readonly mask: number;
  /** What all have, one column behind the other, where that was asked for: what is written of a block. */
  readonly #image: Buffer | null;

  /** `places` is a power of two; `hasImage` when they are to be written to disk as they are. */
  constructor(places: number, hasImage = false) {
    const whole = hasImage ? new ArrayBuffer(places * placeBytes) : null;
    this.refs = whole === null ? new Uint32Array(places) : new Uint32Array(whole, 0, places);
    this.metas = whole === null ? new Uint32Array(places) : new Uint32Array(whole, places * 4, places);
    this.bytes = whole === null ? new Uint32Array(places) : new Uint32Array(whole, places * 8, places);
    this.mask = places - 1;
    this.#image = whole === null ? null : Buffer.from(whole);
  }

  /** Bytes of memory that it takes. */
  get heldBytes(): number {
    return (this.mask + 1) * placeBytes + (this.expiries?.byteLength ?? 0) + (this.numbers?.byteLength ?? 0);
  }

  /** What is to be written of it, which is the thing itself where it has what all have. Only of columns that were made for it. */
  toImage(): Buffer {
    const image = this.#image as Buffer;
    if (this.expiries === null && this.numbers === null) return image;
    const parts = [image];
    for (const column of [this.expiries, this.numbers]) if (column !== null) parts.push(Buffer.from(column.buffer));
    return Buffer.concat(parts);
  }

  /** Where an image with these columns is to be read to, before `hasRead`: the thing itself when it has what all have. */
  readTarget(hasExpiries: boolean, hasNumbers: boolean): Buffer {
    const optional = (hasExpiries ? optionalBytes : 0) + (hasNumbers ? optionalBytes : 0);
    return optional === 0 ? (this.#image as Buffer) : Buffer.allocUnsafeSlow((this.mask + 1) * (placeBytes + optional));
  }

  /** An image was read to its target. */
  hasRead(target: Buffer, hasExpiries: boolean, hasNumbers: boolean): void {
    const image = this.#image as Buffer;
    if (target !== image) target.copy(image);
    this.expiries = hasExpiries ? new Float64Array(this.mask + 1) : null;
    this.numbers = hasNumbers ? new Float64Array(this.mask + 1) : null;
    let at = image.length;
    for (const column of [this.expiries, this.numbers]) {
      if (column === null) continue;
      target.copy(Buffer.from(column.buffer), 0, at);
      at += column.byteLength;
    }
  }

  /** The columns' room is for others from now on. */
  clear(): void {
    this.expiries = null;
    this.numbers = null;
  }

  /** Takes over the places from `head` up to `tail` of a smaller one, at the same sequence numbers. */
  takeOver(old: ReadyColumns, head: number, tail: number): void {
    if (old.expiries !== null) this.expiries = new Float64Array(this.mask + 1);
    if (old.numbers !== null) this.numbers = new Float64Array(this.mask + 1);
    for (let sequence = head; sequence < tail; sequence++) {
      const from = sequence & old.mask;
      const to = sequence & this.mask;
      this.refs[to] = old.refs[from] as number;
      this.metas[to] = old.metas[from] as number;
      this.bytes[to] = old.bytes[from] as number;
      if (this.expiries !== null) this.expiries[to] = (old.expiries as Float64Array)[from] as number;
      if (this.numbers !== null) this.numbers[to] = (old.numbers as Float64Array)[from] as number;
    }
  }

  put(index: number, ref: number, meta: number, bytes: number, expiryMillis: number): void {
    this.refs[index] = ref;
    this.metas[index] = meta;
    this.bytes[index] = bytes;
    if (this.expiries !== null) this.expiries[index] = expiryMillis;
    else if (expiryMillis !== 0) this.#startExpiries(index, expiryMillis);
  }

  setNumber(index: number, number: number): void {
    this.numbers ??= new Float64Array(this.mask + 1);
    this.numbers[index] = number;
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
