/** A set of packet ids: one bit each, taken when there is the first. */
export class PacketIds {
  #bits: Uint8Array | null = null;
  count = 0;

  has(id: number): boolean {
    return this.#bits !== null && ((this.#bits[id >> 3] as number) & (1 << (id & 7))) !== 0;
  }

  add(id: number): void {
    if (this.has(id)) return;
    this.#bits ??= new Uint8Array(8192);
    this.#bits[id >> 3] = (this.#bits[id >> 3] as number) | (1 << (id & 7));
    this.count++;
  }

  /** Whether it was there. */
  delete(id: number): boolean {
    if (!this.has(id)) return false;
    const bits = this.#bits as Uint8Array;
    bits[id >> 3] = (bits[id >> 3] as number) & ~(1 << (id & 7));
    if (--this.count === 0) this.#bits = null;
    return true;
  }
}
