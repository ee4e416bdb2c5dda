export const pageEntries = 256;
export const entryWords = 3;
const wordsBytes = pageEntries * entryWords * 4;

/** 256 numbers of a list that is being restored. */
export class RestoringPage {
  /** Log slab; unit and priority; body bytes. A slab's number is kept plus one: 0 is no entry. */
  readonly words = new Uint32Array(pageEntries * entryWords);
  expiries: Float64Array | null = null;
  /** What a clean stop noted. */
  metas: Uint32Array | null = null;
  /** Of entries that were tried before: how often, and until when they wait. */
  retries: Uint32Array | null = null;
  dues: Float64Array | null = null;
  /** Of dead letters that are kept: numbers of the queues that have them, by index. */
  taken: Map<number, number[]> | null = null;
  live = 0;

  /** Whether all that is known of it is in its image. */
  get isPlain(): boolean {
    return this.retries === null && this.dues === null && this.taken === null;
  }

  get heldBytes(): number {
    return wordsBytes + (this.expiries?.byteLength ?? 0) + (this.metas?.byteLength ?? 0);
  }

  /** Writes a plain page's image at an offset; returns where it ends. */
  copyTo(image: Buffer, offset: number): number {
    let at = offset;
    for (const column of [this.words, this.expiries, this.metas]) {
      if (column === null) continue;
      image.set(bytesOf(column), at);
      at += column.byteLength;
    }
    return at;
  }

  /** Takes a page's image, which has these columns; returns where it ends. */
  copyFrom(image: Buffer, offset: number, hasExpiries: boolean, hasMetas: boolean): number {
    if (hasExpiries) this.expiries = new Float64Array(pageEntries);
    if (hasMetas) this.metas = new Uint32Array(pageEntries);
    let at = offset;
    for (const column of [this.words, this.expiries, this.metas]) {
      if (column === null) continue;
      bytesOf(column).set(image.subarray(at, at + column.byteLength));
      at += column.byteLength;
    }
    this.live = 0;
    for (let word = 0; word < this.words.length; word += entryWords) if (this.words[word] !== 0) this.live++;
    return at;
  }
}

function bytesOf(column: Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}
