import type { FileHandle, Files } from '../../src/core/ports/files.ts';
import type { Random } from './random.ts';

const blockBytes = 64 * 1024;

/** Bytes of a file that is long and mostly zero. */
class SparseBytes {
  readonly #blocks = new Map<number, Buffer>();
  size = 0;

  write(bytes: Buffer, position: number): void {
    this.size = Math.max(this.size, position + bytes.length);
    for (let at = 0; at < bytes.length; ) {
      const number = Math.floor((position + at) / blockBytes);
      const offset = position + at - number * blockBytes;
      const count = Math.min(bytes.length - at, blockBytes - offset);
      let block = this.#blocks.get(number);
      if (block === undefined) {
        block = Buffer.alloc(blockBytes);
        this.#blocks.set(number, block);
      }
      bytes.copy(block, offset, at, at + count);
      at += count;
    }
  }

  read(into: Buffer, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.size - position));
    for (let at = 0; at < count; ) {
      const number = Math.floor((position + at) / blockBytes);
      const offset = position + at - number * blockBytes;
      const step = Math.min(count - at, blockBytes - offset);
      const block = this.#blocks.get(number);
      if (block === undefined) into.fill(0, at, at + step);
      else block.copy(into, at, offset, offset + step);
      at += step;
    }
    return count;
  }

  copy(): SparseBytes {
    const copy = new SparseBytes();
    copy.size = this.size;
    for (const [number, block] of this.#blocks) copy.#blocks.set(number, Buffer.from(block));
    return copy;
  }
}

interface PendingWrite {
  readonly bytes: Buffer;
  readonly position: number;
}

/** A file as the disk has it (`durable`), as programs see it (`seen`), and what lies between. */
class SimFile {
  durable = new SparseBytes();
  seen = new SparseBytes();
  /** Done but not synced: a crash may keep any of it, and of the last ones a part. */
  pending: PendingWrite[] = [];

  sync(): void {
    for (const { bytes, position } of this.pending) this.durable.write(bytes, position);
    this.durable.size = Math.max(this.durable.size, this.seen.size);
    this.pending = [];
  }
}

/**
 * A directory without a disk. Writes, reads and syncs are done when the test runs the next of `work`; `crash` gives the directory that a
 * machine would find after the power was cut: everything synced, and of the rest whatever chance left.
 */
export class SimFiles implements Files {
  /** What the disk has still to do, in order. Kept by the test: a slow disk is one whose work it runs late. */
  readonly work: (() => void)[] = [];
  #names = new Map<string, SimFile>();
  /** The directory as it would be found after a crash. */
  #durableNames = new Map<string, SimFile>();
  syncCount = 0;

  list(): string[] {
    return [...this.#names.keys()];
  }

  sizeOf(name: string): number {
    return this.#file(name).seen.size;
  }

  open(name: string, bytes: number): FileHandle {
    let file = this.#names.get(name);
    if (file === undefined) {
      file = new SimFile();
      this.#names.set(name, file);
    }
    file.seen.size = Math.max(file.seen.size, bytes);
    return this.#handleOf(file);
  }

  rename(from: string, to: string): void {
    this.#names.set(to, this.#file(from));
    this.#names.delete(from);
  }

  remove(name: string): void {
    this.#names.delete(name);
  }

  syncDirectory(done: (error: Error | null) => void): void {
    const names = new Map(this.#names);
    this.work.push(() => {
      this.#durableNames = names;
      this.syncCount++;
      done(null);
    });
  }

  replace(name: string, bytes: Buffer, done: (error: Error | null) => void): void {
    const copy = Buffer.from(bytes);
    this.work.push(() => {
      const file = new SimFile();
      file.seen.write(copy, 0);
      file.durable.write(copy, 0);
      this.#names.set(name, file);
      // Renamed over the old one and the directory synced: names that came or went meanwhile are durable with it.
      this.#durableNames = new Map(this.#names);
      this.syncCount++;
      done(null);
    });
  }

  readWhole(name: string): Buffer {
    const file = this.#file(name);
    const bytes = Buffer.alloc(file.seen.size);
    file.seen.read(bytes, 0);
    return bytes;
  }

  /** Does the disk's next piece of work; false when there is none. */
  step(): boolean {
    const next = this.work.shift();
    if (next === undefined) return false;
    next();
    return true;
  }

  /** The directory that is found after a crash at this moment. Nothing done on this one afterwards touches it. */
  crash(random: Random): SimFiles {
    const found = new SimFiles();
    // A rename or a new name may have reached the disk without a sync, each for itself.
    const names = new Map(this.#durableNames);
    for (const [name, file] of this.#names) if (random.chance(0.5)) names.set(name, file);
    for (const name of this.#durableNames.keys()) if (!this.#names.has(name) && random.chance(0.5)) names.delete(name);
    const copies = new Map<SimFile, SimFile>();
    for (const [name, file] of names) {
      let copy = copies.get(file);
      if (copy === undefined) {
        copy = crashed(file, random);
        copies.set(file, copy);
      }
      found.#names.set(name, copy);
    }
    found.#durableNames = new Map(found.#names);
    return found;
  }

  #file(name: string): SimFile {
    const file = this.#names.get(name);
    if (file === undefined) throw Object.assign(new Error(`ENOENT: no such file '${name}'`), { code: 'ENOENT' });
    return file;
  }

  #handleOf(file: SimFile): FileHandle {
    return {
      write: (bytes, position, done) => {
        this.work.push(() => {
          // The bytes are those at the time the write happens: whoever changes a buffer in flight finds out.
          const copy = Buffer.from(bytes);
          file.seen.write(copy, position);
          file.pending.push({ bytes: copy, position });
          done(null);
        });
      },
      sync: done => {
        this.work.push(() => {
          file.sync();
          this.syncCount++;
          done(null);
        });
      },
      read: (into, position, done) => {
        this.work.push(() => done(null, file.seen.read(into, position)));
      },
      readSync: (into, position) => file.seen.read(into, position),
      writeSync: (bytes, position) => {
        file.seen.write(bytes, position);
        file.pending.push({ bytes: Buffer.from(bytes), position });
        file.sync();
      },
      close: () => {},
    };
  }
}

/** What a crash leaves of a file: what was synced, and any of the writes since, whole, in part or not at all. */
function crashed(file: SimFile, random: Random): SimFile {
  const copy = new SimFile();
  copy.durable = file.durable.copy();
  const fate = random.pick(['none', 'all', 'some'] as const);
  for (const { bytes, position } of file.pending) {
    if (fate === 'none') break;
    if (fate === 'all' || random.chance(0.5)) {
      copy.durable.write(bytes, position);
      continue;
    }
    // Sectors are written whole, in any order.
    const sectorBytes = 512;
    for (let at = 0; at < bytes.length; at += sectorBytes) {
      if (random.chance(0.5)) copy.durable.write(bytes.subarray(at, at + sectorBytes), position + at);
    }
  }
  copy.durable.size = Math.max(copy.durable.size, random.chance(0.5) ? file.seen.size : 0);
  copy.seen = copy.durable.copy();
  return copy;
}
