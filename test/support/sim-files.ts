import type { FileHandle, Files } from '../../src/core/ports/files.ts';
import { Random } from './random.ts';

/** What a disk writes whole or not at all. */
export const sectorBytes = 512;

/** What survives of everything that was not synced when the power goes. */
export interface PowerLoss {
  /** Written bytes: none, all, each sector by chance, or all up to some moment and the last of these writes in part. */
  readonly data: 'none' | 'all' | 'random' | 'prefix';
  /** Files made, renamed and removed: none, all, each by chance, or all up to some moment (a journalling file system). */
  readonly names: 'none' | 'all' | 'random' | 'prefix';
}

export type Operation = 'open' | 'write' | 'sync' | 'read' | 'rename' | 'remove' | 'copy' | 'syncDirectory';

/** An error as the system reports it. */
export function systemError(code: 'ENOSPC' | 'EIO' | 'EMFILE' | 'ENOENT', what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}

interface Write {
  readonly position: number;
  readonly bytes: Buffer;
}

/** Bytes that grow as needed; what was never written is 0. */
class Image {
  bytes: Buffer = Buffer.alloc(0);
  size = 0;

  write(position: number, bytes: Buffer): void {
    const end = position + bytes.length;
    if (end > this.bytes.length) {
      const grown = Buffer.alloc(Math.max(end, this.bytes.length * 2));
      this.bytes.copy(grown);
      this.bytes = grown;
    }
    bytes.copy(this.bytes, position);
    if (end > this.size) this.size = end;
  }

  read(into: Buffer, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.size - position));
    into.fill(0, 0, count);
    if (position < this.bytes.length) this.bytes.copy(into, 0, position, Math.min(position + count, this.bytes.length));
    return count;
  }

  clone(): Image {
    const image = new Image();
    image.bytes = Buffer.from(this.bytes);
    image.size = this.size;
    return image;
  }
}

class Inode {
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
}

type NameChange =
  | { readonly kind: 'link'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'unlink'; readonly name: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly inode: Inode };

type Names = Map<string, Inode>;

function change(names: Names, item: NameChange): void {
  if (item.kind === 'link') names.set(item.name, item.inode);
  else if (item.kind === 'unlink') names.delete(item.name);
  else {
    if (names.get(item.from) === item.inode) names.delete(item.from);
    names.set(item.to, item.inode);
  }
}

/**
 * A directory on a simulated disk. Nothing happens by itself: reads, writes and syncs are done when `step` is called, in an order that a
 * random number decides. What is synced survives everything, what is written survives the end of the process (`kill`), and of the rest a
 * loss of power (`cutPower`) leaves what chance leaves, sector by sector and name by name. One seed, one history.
 */
export class SimFiles implements Files {
  readonly random: Random;
  readonly #names: Names;
  readonly #durableNames: Names;
  /** Changes of names that were not synced; the first has the number `#namesFrom`. */
  #nameChanges: NameChange[] = [];
  #namesFrom = 0;
  #steps: (() => void)[] = [];
  /** A process that is dead changes nothing any more and hears nothing. */
  isFrozen = false;
  /** Operations so far that change something. */
  operationCount = 0;
  /** The process dies in place of the operation with this number. */
  freezeAt = Infinity;
  /** Asked before every operation: an error makes it fail. */
  fault: (operation: Operation, name: string, bytes: number) => Error | null = () => null;

  constructor(random: Random = new Random(1), names: Names = new Map(), durableNames: Names = new Map()) {
    this.random = random;
    this.#names = names;
    this.#durableNames = durableNames;
  }

  // --- the port

  list(): string[] {
    return this.random.shuffled([...this.#names.keys()]);
  }

  sizeOf(name: string): number {
    return this.#inode(name).cache.size;
  }

  open(name: string, bytes: number): FileHandle {
    this.#throwFault('open', name, bytes);
    let inode = this.#names.get(name);
    if (inode === undefined) {
      inode = new Inode();
      if (this.#counts()) this.#change({ kind: 'link', name, inode });
    }
    // The length is metadata that the next sync takes along.
    if (inode.cache.size < bytes && !this.isFrozen) inode.cache.size = bytes;
    return this.#handle(name, inode);
  }

  openExisting(name: string): FileHandle {
    this.#throwFault('open', name, 0);
    return this.#handle(name, this.#inode(name));
  }

  rename(from: string, to: string): void {
    this.#throwFault('rename', from, 0);
    const inode = this.#inode(from);
    if (this.#counts()) this.#change({ kind: 'rename', from, to, inode });
  }

  remove(name: string): void {
    if (!this.#names.has(name)) return;
    this.#throwFault('remove', name, 0);
    if (this.#counts()) this.#change({ kind: 'unlink', name });
  }

  copy(from: string, to: string, done: (error: Error | null) => void): void {
    const error = this.fault('copy', from, 0);
    if (!this.#counts()) return;
    this.#steps.push(() => {
      const inode = this.#names.get(from);
      if (error !== null || inode === undefined) {
        done(error ?? systemError('ENOENT', from));
        return;
      }
      const copy = new Inode();
      copy.apply(0, inode.cache.bytes);
      copy.cache.size = inode.cache.size;
      this.#change({ kind: 'link', name: to, inode: copy });
      done(null);
    });
  }

  syncDirectory(done: (error: Error | null) => void): void {
    const error = this.fault('syncDirectory', '.', 0);
    if (!this.#counts()) return;
    const until = this.#namesFrom + this.#nameChanges.length;
    this.#steps.push(() => {
      if (error === null) {
        const count = Math.max(0, until - this.#namesFrom);
        for (const item of this.#nameChanges.splice(0, count)) change(this.#durableNames, item);
        this.#namesFrom += count;
      }
      done(error);
    });
  }

  readWhole(name: string): Buffer {
    this.#throwFault('read', name, 0);
    return this.bytesOf(name);
  }

  // --- the simulation

  /** Whether something waits to be done. */
  get isBusy(): boolean {
    return this.#steps.length > 0 && !this.isFrozen;
  }

  /** Does one of the things that wait; false when none does. */
  step(): boolean {
    if (!this.isBusy) return false;
    const [next] = this.#steps.splice(this.random.below(this.#steps.length), 1);
    next?.();
    return true;
  }

  /** The directory after the process was killed: what was written stays, writes under way are done, not done, or done in part. */
  kill(): SimFiles {
    for (const inode of new Set(this.#names.values())) {
      for (const { position, bytes } of inode.flying) {
        const count = this.random.pick([0, bytes.length, this.random.below(bytes.length + 1)]);
        if (count > 0) inode.apply(position, bytes.subarray(0, count));
      }
      inode.flying.clear();
    }
    this.isFrozen = true;
    const next = new SimFiles(this.random, this.#names, this.#durableNames);
    next.#nameChanges = this.#nameChanges;
    return next;
  }

  /** The directory after the power was cut: only what was synced is sure to be there. */
  cutPower(loss: PowerLoss): SimFiles {
    this.kill();
    const names = new Map(this.#durableNames);
    for (const item of this.#survivors(loss.names)) change(names, item);
    const after: Names = new Map();
    const images = new Map<Inode, Image>();
    for (const [name, inode] of names) {
      let image = images.get(inode);
      if (image === undefined) {
        image = this.#afterLoss(inode, loss.data);
        images.set(inode, image);
      }
      // Two names may be left of one file that was renamed: a copy does as well.
      after.set(name, new Inode(image.clone(), image.clone()));
    }
    return new SimFiles(this.random, after, new Map(after));
  }

  /** The bytes of a file, to look at or to damage. */
  bytesOf(name: string): Buffer {
    const { cache } = this.#inode(name);
    const bytes = Buffer.alloc(cache.size);
    cache.read(bytes, 0);
    return bytes;
  }

  /** Puts other bytes in place of a file's, durably. */
  replaceBytes(name: string, bytes: Buffer): void {
    const image = new Image();
    image.write(0, bytes);
    const inode = new Inode(image, image.clone());
    this.#names.set(name, inode);
    this.#durableNames.set(name, inode);
  }

  /** A copy of all files as processes see them, all of it durable. */
  clone(random: Random): SimFiles {
    const names: Names = new Map();
    for (const [name, inode] of this.#names) names.set(name, new Inode(inode.cache.clone(), inode.cache.clone()));
    return new SimFiles(random, names, new Map(names));
  }

  #afterLoss(inode: Inode, data: PowerLoss['data']): Image {
    const image = inode.durable.clone();
    const { random } = this;
    if (data === 'prefix') {
      const count = random.below(inode.dirty.length + 1);
      for (const write of inode.dirty.slice(0, count)) image.write(write.position, write.bytes);
      const torn = inode.dirty[count];
      if (torn !== undefined) image.write(torn.position, torn.bytes.subarray(0, random.below(torn.bytes.length + 1)));
    } else if (data !== 'none') {
      for (const write of inode.dirty) {
        for (let at = 0; at < write.bytes.length; ) {
          const position = write.position + at;
          const count = Math.min(write.bytes.length - at, sectorBytes - (position % sectorBytes));
          if (data === 'all' || random.chance(0.5)) image.write(position, write.bytes.subarray(at, at + count));
          at += count;
        }
      }
    }
    const sizeMax = inode.cache.size;
    if (image.size < sizeMax && (data === 'all' || random.chance(0.5))) image.size = random.between(image.size, sizeMax);
    return image;
  }

  #survivors(names: PowerLoss['names']): readonly NameChange[] {
    const changes = this.#nameChanges;
    if (names === 'none') return [];
    if (names === 'all') return changes;
    if (names === 'prefix') return changes.slice(0, this.random.below(changes.length + 1));
    return changes.filter(() => this.random.chance(0.5));
  }

  #handle(name: string, inode: Inode): FileHandle {
    let isOpen = true;
    const assertOpen = (): void => {
      if (!isOpen) throw new Error(`${name} is used after it was closed`);
    };
    return {
      write: (bytes, position, done) => {
        assertOpen();
        const error = this.fault('write', name, bytes.length);
        if (!this.#counts()) return;
        const write = { position, bytes };
        inode.flying.add(write);
        this.#steps.push(() => {
          inode.flying.delete(write);
          assertOpen();
          if (error === null) inode.apply(position, bytes);
          else if (this.random.chance(0.5)) inode.apply(position, bytes.subarray(0, this.random.below(bytes.length + 1)));
          done(error);
        });
      },
      sync: done => {
        assertOpen();
        const error = this.fault('sync', name, 0);
        if (!this.#counts()) return;
        const until = inode.dirtyFrom + inode.dirty.length;
        const { size } = inode.cache;
        this.#steps.push(() => {
          assertOpen();
          if (error === null) inode.clean(until, size);
          done(error);
        });
      },
      read: (into, position, done) => {
        assertOpen();
        const error = this.fault('read', name, into.length);
        this.#steps.push(() => {
          assertOpen();
          if (error !== null) into.fill(0xdb);
          done(error, error === null ? inode.cache.read(into, position) : 0);
        });
      },
      readSync: (into, position) => {
        assertOpen();
        this.#throwFault('read', name, into.length);
        return inode.cache.read(into, position);
      },
      close: () => {
        assertOpen();
        isOpen = false;
      },
    };
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw systemError('ENOENT', name);
    return inode;
  }

  #change(item: NameChange): void {
    change(this.#names, item);
    this.#nameChanges.push(item);
  }

  #throwFault(operation: Operation, name: string, bytes: number): void {
    const error = this.fault(operation, name, bytes);
    if (error !== null) throw error;
  }

  /** Counts an operation that changes something; false when the process is dead, or dies now. */
  #counts(): boolean {
    if (this.isFrozen || this.operationCount >= this.freezeAt) this.isFrozen = true;
    else this.operationCount++;
    return !this.isFrozen;
  }
}
