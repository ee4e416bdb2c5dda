import { createHash } from 'node:crypto';
import type { Files } from '../../core/ports/files.ts';
import type { MetadataChange } from '../../core/ports/metadata-journal.ts';
import type { Run } from './frame-list.ts';
import { replaceFile } from './replace-file.ts';

/** The snapshot stands in two files, so that damage to one loses nothing. */
export const snapshotNames: readonly string[] = ['metadata.json', 'metadata.copy.json'];

/** Of the snapshot's files. A file of another one is no damage: it must not be replaced. */
export const snapshotFormat = 1;

/** All metadata at one moment: what the log need not hold any more. */
export interface MetadataSnapshot {
  /** Sequence of the last frame whose metadata is in it. */
  readonly sequence: number;
  readonly lastQueueId: number;
  /** Starts of the broker of which the log still has frames, oldest first. */
  readonly runs: readonly Run[];
  readonly changes: readonly MetadataChange[];
}

export interface SnapshotReading {
  /** The newest that is whole; null when there is none. */
  readonly snapshot: MetadataSnapshot | null;
  /** What is wrong with files that are there. */
  readonly problems: readonly string[];
  /** Whether it stands in both files, so that segments may go whose metadata it has. */
  readonly isSafe: boolean;
  /** Format of a file that is whole and that this version does not know; null when there is none. */
  readonly unknownFormat: number | null;
}

/** A line with the digest of the rest, then the snapshot as JSON: readable by people, and damage is found. */
export function encodeSnapshot(snapshot: MetadataSnapshot): Buffer {
  const json = JSON.stringify({ format: snapshotFormat, ...snapshot });
  return Buffer.from(`${digest(json)}\n${json}\n`);
}

/** Reads the snapshot from whichever file is whole. */
export function readSnapshot(files: Files): SnapshotReading {
  const problems: string[] = [];
  const present = files.list().filter(name => snapshotNames.includes(name));
  let snapshot: MetadataSnapshot | null = null;
  let unknownFormat: number | null = null;
  const sequences: number[] = [];
  for (const name of present.sort().reverse()) {
    try {
      const read = decode(files.readWhole(name).toString('utf8'));
      if (read.format !== snapshotFormat) {
        unknownFormat = read.format;
        continue;
      }
      sequences.push(read.sequence);
      if (snapshot === null || read.sequence > snapshot.sequence) snapshot = read;
    } catch (error) {
      problems.push(`${name} is damaged: ${(error as Error).message}`);
    }
  }
  return { snapshot, problems, isSafe: sequences.length === 2 && sequences[0] === sequences[1], unknownFormat };
}

/** Writes both files, one after the other. */
export function writeSnapshot(files: Files, snapshot: MetadataSnapshot, done: (error: Error | null) => void): void {
  const bytes = encodeSnapshot(snapshot);
  const [first, second] = snapshotNames as [string, string];
  replaceFile(files, first, bytes, error => {
    if (error !== null) done(error);
    else replaceFile(files, second, bytes, done);
  });
}

/** @throws Error saying what is wrong */
function decode(text: string): MetadataSnapshot & { readonly format: number } {
  const at = text.indexOf('\n');
  const json = text.slice(at + 1, -1);
  if (at < 0 || text.slice(0, at) !== digest(json) || !text.endsWith('\n')) throw new Error('its digest does not fit');
  return JSON.parse(json) as MetadataSnapshot & { readonly format: number };
}

function digest(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}
