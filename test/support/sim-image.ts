const pageBytes = 16 * 1024;

interface Page {
  readonly bytes: Buffer;
  readonly owner: object;
}

/** A file's bytes, of which what was never written is 0. Copies share pages until one of them writes. */
export class Image {
  #pages: (Page | undefined)[] = [];
  #owner: object = {};
  size = 0;

  static of(bytes: Buffer): Image {
    const image = new Image();
    image.write(0, bytes);
    return image;
  }

  write(position: number, bytes: Buffer): void {
    for (let from = 0; from < bytes.length; ) {
      const number = Math.floor((position + from) / pageBytes);
      const offset = (position + from) % pageBytes;
      const count = Math.min(bytes.length - from, pageBytes - offset);
      bytes.copy(this.#ownPage(number), offset, from, from + count);
      from += count;
    }
    this.size = Math.max(this.size, position + bytes.length);
  }

  read(into: Buffer, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.size - position));
    for (let got = 0; got < count; ) {
      const page = this.#pages[Math.floor((position + got) / pageBytes)];
      const offset = (position + got) % pageBytes;
      const piece = Math.min(count - got, pageBytes - offset);
      if (page === undefined) into.fill(0, got, got + piece);
      else page.bytes.copy(into, got, offset, offset + piece);
      got += piece;
    }
    return count;
  }

  /** Cuts the file; what is behind is 0 if it grows again. */
  truncate(size: number): void {
    if (size >= this.size) return;
    this.#pages.length = Math.min(this.#pages.length, Math.ceil(size / pageBytes));
    const rest = size % pageBytes;
    if (rest > 0 && this.#pages.length === Math.ceil(size / pageBytes)) this.#ownPage(this.#pages.length - 1).fill(0, rest);
    this.size = size;
  }

  clone(): Image {
    const image = new Image();
    image.#pages = [...this.#pages];
    image.size = this.size;
    this.#owner = {};
    return image;
  }

  /** Position behind the last byte that may be anything but 0. */
  get usedBytes(): number {
    return Math.min(this.size, this.#pages.length * pageBytes);
  }

  #ownPage(number: number): Buffer {
    const page = this.#pages[number];
    if (page?.owner === this.#owner) return page.bytes;
    const own = { bytes: page === undefined ? Buffer.alloc(pageBytes) : Buffer.from(page.bytes), owner: this.#owner };
    this.#pages[number] = own;
    return own.bytes;
  }
}
