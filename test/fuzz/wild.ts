import { Random } from '../support/random.ts';

/** Random choices with a measure of how wild they are: at 0 a client that only confuses things, at 1 one that does nothing right. */
export class Wild extends Random {
  wildness = 0.05;
  /** Delivery tags that the client has seen and not settled, by channel. */
  readonly #tags = new Map<number, number[]>();

  isWild(): boolean {
    return this.chance(this.wildness);
  }

  noteTag(channel: number, tag: number): void {
    const tags = this.#tags.get(channel);
    if (tags === undefined) this.#tags.set(channel, [tag]);
    else tags.push(tag);
  }

  /** A tag that is to be settled; 0 when there is none. */
  takeTag(channel: number): number {
    const tags = this.#tags.get(channel);
    if (tags === undefined || tags.length === 0) return 0;
    return tags.splice(this.below(tags.length), 1)[0] as number;
  }

  forgetTags(channel: number | null = null): void {
    if (channel === null) this.#tags.clear();
    else this.#tags.delete(channel);
  }
}
