import { createHash } from 'node:crypto';
import type { Files } from '../../core/ports/files.ts';
import type { MetadataChange } from '../../core/ports/metadata-journal.ts';
import type { Steps } from '../../core/stepped-work.ts';
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
  readonly changes: Iterable<MetadataChange>;
}

/** One that was read. */
export interface FoundSnapshot extends MetadataSnapshot {
  readonly changes: readonly MetadataChange[];
}

export interface SnapshotReading {
  /** The newest that is whole; null when there is none. */
  readonly snapshot: FoundSnapshot | null;
  /** What is wrong with files that are there. */
  readonly problems: readonly string[];
  /** Whether it stands in both files, so that segments may go whose metadata it has. */
  readonly isSafe: boolean;
  /** Format of a file that is whole and that this version does not know; null when there is none. */
  readonly unknownFormat: number | null;
}

/** Bytes of the pieces in which a snapshot is made. */
const pieceBytes = 256 * 1024;
/** What a change costs in units of stepped work, and a full piece, which goes into the digest. */
const changeCost = 2;
const pieceCost = 500;
/** Most bytes that a UTF-16 unit has in UTF-8. */
const bytesPerUnitMax = 3;

/** Of the line with the digest, in hexadecimal digits. */
const digestLineBytes = 65;

/** A line with the digest of the rest, then the snapshot as JSON, in pieces: readable by people, and damage is found. */
export function* encodeSnapshot({ changes, ...head }: MetadataSnapshot): Steps<Buffer[]> {
  const hash = createHash('sha256');
  const pieces: Buffer[] = [];
  // Right into bytes: a text that grows would be garbage that lives long enough to be expensive.
  let piece = Buffer.allocUnsafeSlow(pieceBytes);
  let start = digestLineBytes;
  let end = start;
  // One byte is for the end of the last line.
  const isFullFor = (text: string): boolean => end + text.length * bytesPerUnitMax >= piece.length;
  const add = (text: string): void => {
    if (isFullFor(text)) {
      hash.update(piece.subarray(start, end));
      pieces.push(piece.subarray(0, end));
      piece = Buffer.allocUnsafeSlow(Math.max(pieceBytes, text.length * bytesPerUnitMax + 1));
      start = end = 0;
    }
    end += piece.write(text, end);
  };
  add(`${JSON.stringify({ format: snapshotFormat, ...head }).slice(0, -1)},"changes":[`);
  let isFirst = true;
  for (const change of changes) {
    const pieceCount = pieces.length;
    if (!isFirst) add(',');
    isFirst = false;
    add(JSON.stringify(change));
    yield pieces.length === pieceCount ? changeCost : pieceCost;
  }
  add(']}');
  hash.update(piece.subarray(start, end));
  end += piece.write('\n', end);
  pieces.push(piece.subarray(0, end));
  pieces[0]?.write(`${hash.digest('hex')}\n`);
  return pieces;
}

/** Reads the snapshot from whichever file is whole. */
export function readSnapshot(files: Files): SnapshotReading {
  const problems: string[] = [];
  const present = files.list().filter(name => snapshotNames.includes(name));
  let snapshot: FoundSnapshot | null = null;
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

/** Writes an encoded snapshot to both files, one after the other. */
export function writeSnapshot(files: Files, pieces: readonly Buffer[], done: (error: Error | null) => void): void {
  const [first, second] = snapshotNames as [string, string];
  replaceFile(files, first, pieces, error => {
    if (error !== null) done(error);
    else replaceFile(files, second, pieces, done);
  });
}

/** @throws Error saying what is wrong */
function decode(text: string): FoundSnapshot & { readonly format: number } {
  const at = text.indexOf('\n');
  const json = text.slice(at + 1, -1);
  if (at < 0 || text.slice(0, at) !== digest(json) || !text.endsWith('\n')) throw new Error('its digest does not fit');
  return JSON.parse(json) as FoundSnapshot & { readonly format: number };
}

function digest(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}
