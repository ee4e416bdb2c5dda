// hot path: see docs/STYLE.md

/** Bytes of a place, and of the time at which its message expires where one has such a time. */
export const placeBytes = 12;
const expiryBytes = 8;

/** Entries as columns of typed arrays. A sequence number's place is its lowest bits, so that the number itself need not be stored. */
export class ReadyColumns {
  readonly refs: Uint32Array;
  readonly metas: Uint32Array;
  readonly bytes: Uint32Array;
  /** Made when the first message with a time to live comes. */
  expiries: Float64Array | null = null;
  readonly mask: number;
  /** All but the expiries, one column behind the other, where that was asked for: what is written of a block. */
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
    return (this.mask + 1) * (this.expiries === null ? placeBytes : placeBytes + expiryBytes);
  }

  /** What is to be written of it, which is the thing itself where no message expires. Only of columns that were made for it. */
  toImage(): Buffer {
    const image = this.#image as Buffer;
    return this.expiries === null ? image : Buffer.concat([image, Buffer.from(this.expiries.buffer)]);
  }

  /** Where an image is to be read to, before `hasRead`: the thing itself when no message of it expires. */
  readTarget(hasExpiries: boolean): Buffer {
    return hasExpiries ? Buffer.allocUnsafeSlow((this.mask + 1) * (placeBytes + expiryBytes)) : (this.#image as Buffer);
  }

  /** An image was read to its target. */
  hasRead(target: Buffer): void {
    const image = this.#image as Buffer;
    this.expiries = null;
    if (target === image) return;
    target.copy(image);
    this.expiries = new Float64Array(this.mask + 1);
    target.copy(Buffer.from(this.expiries.buffer), 0, image.length);
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
