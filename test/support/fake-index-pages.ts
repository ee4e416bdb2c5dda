import type { IndexPages } from '../../src/core/ports/index-pages.ts';
import type { Random } from './random.ts';

/** A disk for queues' indexes that does what it is asked when `step` says so, and can fail. */
export class FakeIndexPages implements IndexPages {
  readonly images = new Map<object, Buffer>();
  readonly #random: Random;
  #waiting: (() => void)[] = [];

  writeError: Error | null = null;
  readError: Error | null = null;
  readonly lostErrors: Error[] = [];
  readNowCount = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Does one of the things that wait. */
  step(): void {
    const [act] = this.#waiting.splice(this.#random.below(this.#waiting.length), 1);
    act?.();
  }

  settle(): void {
    while (!this.isIdle) this.step();
  }

  write(key: object, image: Buffer, done: (error: Error | null) => void): void {
    if (this.images.has(key)) throw new Error('it has an image already');
    const placeholder = Buffer.alloc(0);
    this.images.set(key, placeholder);
    this.#waiting.push(() => {
      const { writeError } = this;
      if (this.images.get(key) === placeholder) {
        if (writeError === null) this.images.set(key, Buffer.from(image));
        else this.images.delete(key);
      }
      done(writeError);
    });
  }

  writeNow(key: object, image: Buffer): Error | null {
    if (this.images.has(key)) throw new Error('it has an image already');
    if (this.writeError === null) this.images.set(key, Buffer.from(image));
    return this.writeError;
  }

  read(key: object, into: Buffer, done: (error: Error | null) => void): void {
    const image = this.images.get(key);
    this.#waiting.push(() => {
      if (image === undefined || this.readError !== null) {
        done(this.readError ?? new Error('it is not there'));
        return;
      }
      if (image.length !== into.length) throw new Error('it is of another size');
      image.copy(into);
      done(null);
    });
  }

  readNow(key: object, into: Buffer): Error | null {
    this.readNowCount++;
    const image = this.images.get(key);
    if (image === undefined) return new Error('it is not there');
    if (this.readError !== null) return this.readError;
    if (image.length !== into.length) throw new Error('it is of another size');
    image.copy(into);
    return null;
  }

  free(key: object): void {
    this.images.delete(key);
  }

  lost(error: Error): void {
    this.lostErrors.push(error);
  }
}
