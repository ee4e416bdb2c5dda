import { Image } from './sim-image.ts';
import type { Random } from './random.ts';

/** What a disk writes whole or not at all. */
export const sectorBytes = 512;

/** What survives of everything that was not synced when the power goes. */
export interface PowerLoss {
  /** Written bytes: none, all, each sector by chance, or all up to some moment and the last of these writes in part. */
  readonly data: 'none' | 'all' | 'random' | 'prefix';
  /** Files made, renamed and removed: none, all, each by chance, or all up to some moment (a journalling file system). */
  readonly names: 'none' | 'all' | 'random' | 'prefix';
}

export const dataLosses: readonly PowerLoss['data'][] = ['none', 'all', 'random', 'prefix'];
export const nameLosses: readonly PowerLoss['names'][] = ['none', 'all', 'random', 'prefix'];

export interface Write {
  readonly position: number;
  readonly bytes: Buffer;
}

export class Inode {
  /** What processes see: the page cache. */
  readonly cache: Image;
  /** What is on the platter. */
  readonly durable: Image;
  /** What is in the cache and was not synced since, in order; the first has the number `dirtyFrom`. */
  dirty: Write[] = [];
  dirtyFrom = 0;
  /** Writes that were asked for and not reported done. */
  readonly flying = new Set<Write>();

  constructor(cache = new Image(), durable = new Image()) {
    this.cache = cache;
    this.durable = durable;
  }

  clone(): Inode {
    const inode = new Inode(this.cache.clone(), this.durable.clone());
    inode.dirty = [...this.dirty];
    inode.dirtyFrom = this.dirtyFrom;
    for (const write of this.flying) inode.flying.add(write);
    return inode;
  }

  /** Puts a write into the cache. The bytes are copied only now: until it is done they must not change. */
  apply(position: number, bytes: Buffer): void {
    const copy = Buffer.from(bytes);
    this.cache.write(position, copy);
    this.dirty.push({ position, bytes: copy });
  }

  /** Makes durable what was dirty up to a number. */
  clean(until: number, size: number): void {
    const count = Math.max(0, until - this.dirtyFrom);
    for (const write of this.dirty.splice(0, count)) this.durable.write(write.position, write.bytes);
    this.dirtyFrom += count;
    if (this.durable.size < size) this.durable.size = size;
  }

  /** The file after the power was cut. */
  afterLoss(random: Random, data: PowerLoss['data']): Image {
    const image = this.durable.clone();
    const writes = this.flying.size === 0 ? this.dirty : [...this.dirty, ...this.flying];
    if (data === 'prefix') {
      const count = random.below(writes.length + 1);
      for (const write of writes.slice(0, count)) image.write(write.position, write.bytes);
      const torn = writes[count];
      if (torn !== undefined) image.write(torn.position, torn.bytes.subarray(0, random.below(torn.bytes.length + 1)));
    } else if (data !== 'none') {
      for (const write of writes) {
        for (let at = 0; at < write.bytes.length; ) {
          const position = write.position + at;
          const count = Math.min(write.bytes.length - at, sectorBytes - (position % sectorBytes));
          if (data === 'all' || random.chance(0.5)) image.write(position, write.bytes.subarray(at, at + count));
          at += count;
        }
      }
    }
    const sizeMax = this.cache.size;
    if (image.size < sizeMax && (data === 'all' || random.chance(0.5))) image.size = random.between(image.size, sizeMax);
    return image;
  }
}

type NameChange =
  | { readonly kind: 'link'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'unlink'; readonly name: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly inode: Inode };

export type Names = Map<string, Inode>;

function change(names: Names, item: NameChange): void {
  if (item.kind === 'link') names.set(item.name, item.inode);
  else if (item.kind === 'unlink') names.delete(item.name);
  else {
    if (names.get(item.from) === item.inode) names.delete(item.from);
    names.set(item.to, item.inode);
  }
}

function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1);
}

/** A directory and its folders and files, as processes see them and as they are on the disk. */
export class Platter {
  readonly names: Names;
  readonly #durable: Names;
  /** Changes of names that were not synced, in order, with their numbers. */
  #changes: { readonly number: number; readonly item: NameChange }[] = [];
  #lastChange = 0;

  constructor(names: Names = new Map(), durable: Names = new Map()) {
    this.names = names;
    this.#durable = durable;
  }

  change(item: NameChange): void {
    change(this.names, item);
    this.#changes.push({ number: ++this.#lastChange, item });
  }

  /** Number of the last change: what a sync of a directory that begins now makes durable ends with it. */
  get lastChange(): number {
    return this.#lastChange;
  }

  /** Makes changes up to a number durable that are of one folder, such as `streams/`; '' is the top, which no folder is part of. */
  syncNames(until: number, folder: string): void {
    this.#changes = this.#changes.filter(({ number, item }) => {
      if (number > until || folderOf(item.kind === 'rename' ? item.to : item.name) !== folder) return true;
      change(this.#durable, item);
      return false;
    });
  }

  /** A file that is there for good. */
  place(name: string, inode: Inode): void {
    this.names.set(name, inode);
    this.#durable.set(name, inode);
  }

  /** Writes under way are done, not done, or done in part. */
  endWrites(random: Random): void {
    for (const inode of new Set(this.names.values())) {
      for (const { position, bytes } of inode.flying) {
        const count = random.pick([0, bytes.length, random.below(bytes.length + 1)]);
        if (count > 0) inode.apply(position, bytes.subarray(0, count));
      }
      inode.flying.clear();
    }
  }

  /** What there is after the power was cut. */
  afterLoss(random: Random, loss: PowerLoss): Platter {
    const names = new Map(this.#durable);
    for (const item of this.#survivors(random, loss.names)) change(names, item);
    const after: Names = new Map();
    const images = new Map<Inode, Image>();
    for (const [name, inode] of names) {
      const image = images.get(inode) ?? inode.afterLoss(random, loss.data);
      images.set(inode, image);
      // Two names may be left of one file that was renamed: a copy does as well.
      after.set(name, new Inode(image.clone(), image.clone()));
    }
    return new Platter(after, new Map(after));
  }

  /** A copy that goes its own way. */
  fork(): Platter {
    const inodes = new Map<Inode, Inode>();
    const copyOf = (inode: Inode): Inode => {
      const copy = inodes.get(inode) ?? inode.clone();
      inodes.set(inode, copy);
      return copy;
    };
    const copyNames = (names: Names): Names => new Map(Array.from(names, ([name, inode]) => [name, copyOf(inode)]));
    const platter = new Platter(copyNames(this.names), copyNames(this.#durable));
    platter.#changes = this.#changes.map(({ number, item }) => ({
      number,
      item: item.kind === 'unlink' ? item : { ...item, inode: copyOf(item.inode) },
    }));
    platter.#lastChange = this.#lastChange;
    return platter;
  }

  /** A copy of all files as processes see them, all of it durable. */
  clone(): Platter {
    const names: Names = new Map();
    for (const [name, inode] of this.names) names.set(name, new Inode(inode.cache.clone(), inode.cache.clone()));
    return new Platter(names, new Map(names));
  }

  #survivors(random: Random, names: PowerLoss['names']): readonly NameChange[] {
    const changes = this.#changes.map(({ item }) => item);
    if (names === 'none') return [];
    if (names === 'all') return changes;
    if (names === 'prefix') return changes.slice(0, random.below(changes.length + 1));
    return changes.filter(() => random.chance(0.5));
  }
}
