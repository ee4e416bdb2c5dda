import type { CommitParticipant } from '../../core/ports/commit-participant.ts';
import type { FileHandle } from '../../core/ports/files.ts';
import type { Slab } from '../../core/messages/slab.ts';
import type { LooseBatch, LooseFiles } from './loose-files.ts';
import type { Region } from './log-tail.ts';
import type { Segments } from './segments.ts';

/** Somebody who wants to know when something is durable. */
export interface Waiter {
  readonly then: (argument: unknown) => void;
  readonly argument: unknown;
}

/** What becomes durable at once. */
export class Commit {
  readonly regions: readonly Region[];
  readonly waiters: Waiter[];
  readonly loose: LooseBatch;
  /** Of frames. */
  readonly bytes: number;
  /** The last frame's. */
  readonly sequence: number;
  /** Segments before this one are not needed when the commit is durable. */
  readonly floor: number;
  readonly hasMetadata: boolean;

  constructor(
    regions: readonly Region[],
    bytes: number,
    waiters: Waiter[],
    loose: LooseBatch,
    sequence: number,
    floor: number,
    hasMetadata: boolean,
  ) {
    this.regions = regions;
    this.bytes = bytes;
    this.waiters = waiters;
    this.loose = loose;
    this.sequence = sequence;
    this.floor = floor;
    this.hasMetadata = hasMetadata;
  }

  holds(slab: Slab): boolean {
    for (const region of this.regions) if (region.slab === slab) return true;
    return false;
  }

  /**
   * Makes it durable. What the participant has comes first, and is durable before any frame is written: a message that goes from a queue
   * to a stream has left the queue by this commit, and must be there when only a part of it reaches the disk.
   */
  write(segments: Segments, loose: LooseFiles, participant: CommitParticipant | null, done: (error: Error | null) => void): void {
    const next = (error: Error | null): void => {
      if (error !== null) done(error);
      else this.#writeFrames(segments, loose, done);
    };
    if (participant === null) next(null);
    else participant.write(next);
  }

  /** Writes the regions, then syncs each file once, the directory when a file is new, and the loose messages' files. */
  #writeFrames(segments: Segments, loose: LooseFiles, done: (error: Error | null) => void): void {
    let open = 1;
    let failure: Error | null = null;
    const handles = new Set<FileHandle>();
    const synced = (error: Error | null): void => {
      failure ??= error;
      if (--open === 0) done(failure);
    };
    const written = (error: Error | null): void => {
      failure ??= error;
      if (--open > 0) return;
      if (failure !== null) {
        done(failure);
        return;
      }
      open = handles.size + 1 + (segments.isDirectoryDirty ? 1 : 0);
      for (const handle of handles) handle.sync(synced);
      if (segments.isDirectoryDirty) segments.syncDirectory(synced);
      loose.sync(this.loose, synced);
    };
    for (const { slab, from, to } of this.regions) {
      const handle = segments.handleOf(slab.logSequence);
      handles.add(handle);
      open++;
      handle.write(slab.bytes.subarray(from, to), segments.positionOf(slab.logSequence) + from, written);
    }
    written(null);
  }
}
