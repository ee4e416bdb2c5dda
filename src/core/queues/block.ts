import type { BlockRow } from './block-row.ts';
import { metaLogged, priorityOf } from './entry.ts';
import type { ReadyColumns } from './ready-columns.ts';

/** Slabs of which it is kept that a block on disk has messages in them; with more it may have some in any. */
const slabsMax = 64;

/** A piece of a long list: in memory, or on disk only. */
export class Block {
  readonly row: BlockRow;
  /** The sequence number of its first place, divided by the places of a block. */
  readonly number: number;
  /** Null: it is on disk. */
  columns: ReadyColumns | null;
  /** Bytes that the pager has counted for it. */
  countedBytes = 0;
  isWriting = false;
  /** It was changed since its writing began. */
  hasChanged = false;
  isReading = false;
  isGone = false;
  /** How often it came back from disk. */
  returns = 0;
  /** The pager's count of such returns, of all blocks, when it did so last. */
  lastReturn = -Infinity;
  /** Of what is on disk: which columns it has, and in which slabs its messages are; null: in any. */
  hasExpiries = false;
  hasNumbers = false;
  /** The priority of all its messages where each place has one that is in the log and whose number is its place; otherwise -1. */
  unbrokenPriority = -1;
  slabs: readonly number[] | null = null;
  /** No message of what is on disk expires later; 0: nothing of the kind was said since it went there. */
  expiryLimitMillis = 0;

  constructor(row: BlockRow, number: number, columns: ReadyColumns) {
    this.row = row;
    this.number = number;
    this.columns = columns;
  }

  /** Whether one of its messages may be in one of these slabs; null stands for all. */
  mayBeIn(slabs: ReadonlySet<number> | null): boolean {
    if (this.columns !== null || this.slabs === null || slabs === null) return true;
    for (const id of this.slabs) if (slabs.has(id)) return true;
    return false;
  }
}

/** The slabs in which the messages of a whole block are; null for very many. */
export function slabsOf({ refs }: ReadyColumns): number[] | null {
  const found: number[] = [];
  let last = -1;
  for (const ref of refs) {
    const id = ref >>> 16;
    if (id === last || ref === 0) continue;
    last = id;
    if (found.includes(id)) continue;
    if (found.length === slabsMax) return null;
    found.push(id);
  }
  return found;
}

/** The priority of a block that has a message at each place, all of one priority and in the log, whose numbers are their places; otherwise -1. */
export function unbrokenPriority({ refs, metas, numbers }: ReadyColumns): number {
  if (numbers !== null) return -1;
  const priority = priorityOf(metas[0] as number);
  for (let index = 0; index < refs.length; index++) {
    const meta = metas[index] as number;
    if (refs[index] === 0 || (meta & metaLogged) === 0 || priorityOf(meta) !== priority) return -1;
  }
  return priority;
}
