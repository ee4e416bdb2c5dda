import { createHash } from 'node:crypto';
import type { Files } from '../../core/ports/files.ts';
import type { MetadataChange } from '../../core/ports/metadata-journal.ts';

/** Newest first; the one before is kept until the next is written. */
export const snapshotName = 'metadata.json';

/** All metadata at one moment: what the log need not hold any more. */
export interface MetadataSnapshot {
  readonly format: number;
  readonly lastQueueId: number;
  readonly changes: readonly MetadataChange[];
}

/** A line with the digest of the rest, then the snapshot as JSON: readable by people, and damage is found. */
export function encodeSnapshot(snapshot: MetadataSnapshot): Buffer {
  const json = JSON.stringify(snapshot);
  return Buffer.from(`${digest(json)}\n${json}\n`);
}

/**
 * The snapshot in the directory; null when there is none.
 * @throws Error when it is damaged: starting without it would lose definitions silently.
 */
export function readSnapshot(files: Files): MetadataSnapshot | null {
  if (!files.list().includes(snapshotName)) return null;
  const text = files.readWhole(snapshotName).toString('utf8');
  const at = text.indexOf('\n');
  const json = text.slice(at + 1).trimEnd();
  if (at < 0 || text.slice(0, at) !== digest(json)) throw new Error(`${snapshotName} is damaged: its digest does not fit`);
  return JSON.parse(json) as MetadataSnapshot;
}

function digest(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}
