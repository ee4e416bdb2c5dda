import type { FileHandle, Files } from '../../src/core/ports/files.ts';
import { Random } from './random.ts';
import { Image } from './sim-image.ts';
import { Inode, Platter, type PowerLoss } from './sim-platter.ts';

export type Operation = 'open' | 'write' | 'sync' | 'read' | 'rename' | 'remove' | 'copy' | 'syncDirectory';

/** An error as the system reports it. */
export function systemError(code: 'ENOSPC' | 'EIO' | 'EMFILE' | 'ENOENT', what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}

/**
 * A directory on a simulated disk. Nothing happens by itself: reads, writes and syncs are done when `step` is called, in an order that a
 * random number decides. What is synced survives everything, what is written survives the end of the process (`kill`), and of the rest a
 * loss of power (`cutPower`) leaves what chance leaves, sector by sector and name by name. One seed, one history.
 */
export class SimFiles implements Files {
  readonly random: Random;
  readonly platter: Platter;
  #steps: (() => void)[] = [];
  /** Files that a dead process has made: nobody else sees them. */
  readonly #unseen = new Map<string, Inode>();
  /** A process that is dead changes nothing any more and hears nothing. */
  isFrozen = false;
  /** Operations so far that change something. */
  operationCount = 0;
  /** The process dies in place of the operation with this number. */
  freezeAt = Infinity;
  /** Asked before every operation: an error makes it fail. */
  fault: (operation: Operation, name: string, bytes: number) => Error | null = () => null;

  constructor(random: Random = new Random(1), platter: Platter = new Platter()) {
    this.random = random;
    this.platter = platter;
  }

  // --- the port

  list(): string[] {
    return this.random.shuffled([...this.platter.names.keys()]);
  }

  sizeOf(name: string): number {
    return this.#inode(name).cache.size;
  }

  open(name: string, bytes: number): FileHandle {
    this.#throwFault('open', name, bytes);
    let inode = this.platter.names.get(name);
    if (inode === undefined) {
      inode = this.#unseen.get(name) ?? new Inode();
      if (this.#counts()) this.platter.change({ kind: 'link', name, inode });
      else this.#unseen.set(name, inode);
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
    if (this.#counts()) this.platter.change({ kind: 'rename', from, to, inode });
  }

  remove(name: string): void {
    if (!this.platter.names.has(name)) return;
    this.#throwFault('remove', name, 0);
    if (this.#counts()) this.platter.change({ kind: 'unlink', name });
  }

  removeLater(name: string): void {
    this.remove(name);
  }

  whenRemoved(done: () => void): void {
    done();
  }

  copy(from: string, to: string, done: (error: Error | null) => void): void {
    const error = this.fault('copy', from, 0);
    if (!this.#counts()) return;
    this.#steps.push(() => {
      const inode = this.platter.names.get(from);
      if (error !== null || inode === undefined) {
        done(error ?? systemError('ENOENT', from));
        return;
      }
      const copy = new Inode();
      const bytes = Buffer.alloc(inode.cache.usedBytes);
      inode.cache.read(bytes, 0);
      copy.apply(0, bytes);
      copy.cache.size = inode.cache.size;
      this.platter.change({ kind: 'link', name: to, inode: copy });
      done(null);
    });
  }

  /** `folder`: '' is the top, and each folder is a directory of its own. */
  syncDirectory(done: (error: Error | null) => void, folder = ''): void {
    const error = this.fault('syncDirectory', folder === '' ? '.' : folder, 0);
    if (!this.#counts()) return;
    const until = this.platter.lastChange;
    this.#steps.push(() => {
      if (error === null) this.platter.syncNames(until, folder);
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
    this.platter.endWrites(this.random);
    this.isFrozen = true;
    return new SimFiles(this.random, this.platter);
  }

  /** The directory after the power was cut: only what was synced is sure to be there. */
  cutPower(loss: PowerLoss): SimFiles {
    this.kill();
    return new SimFiles(this.random, this.platter.afterLoss(this.random, loss));
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
    const image = Image.of(bytes);
    this.platter.place(name, new Inode(image, image.clone()));
  }

  /** A copy of all files as processes see them, all of it durable. */
  clone(random: Random): SimFiles {
    return new SimFiles(random, this.platter.clone());
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
      writeSync: (bytes, position) => {
        assertOpen();
        this.#throwFault('write', name, bytes.length);
        // What is not to last does no harm when a dead process writes it, which goes on until somebody looks.
        this.#counts();
        inode.apply(position, bytes);
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
    const inode = this.platter.names.get(name) ?? this.#unseen.get(name);
    if (inode === undefined) throw systemError('ENOENT', name);
    return inode;
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
