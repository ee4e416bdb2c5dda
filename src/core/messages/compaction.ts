import type { MessageRef, RefHolder, Rename } from './message-ref.ts';
import type { MessageStore } from './message-store.ts';
import { looseIdBytes, recordHeaderBytes } from './record.ts';
import { type Slab, slabBytes, unitBytes } from './slab.ts';

/**
 * Empties the memory slabs of which less than half is alive, when they hold more than twice what is alive and `slackBytes`.
 * Every reference must be reachable through `holders`. Returns how many slabs were emptied.
 */
export function compactSlabs(store: MessageStore, holders: Iterable<RefHolder>, slackBytes: number): number {
  let held = 0;
  let live = 0;
  const victims = new Set<number>();
  for (const slab of store.slabs) {
    if (slab === null || slab.logSequence >= 0 || !slab.isResident) continue;
    held += slabBytes;
    live += slab.liveBytes;
    if (slab !== store.memorySlab && slab.liveBytes < slabBytes / 2) victims.add(slab.id);
  }
  if (victims.size === 0 || held <= 2 * live + slackBytes) return 0;
  moveRecords(store, victims, holders, false, null);
  return victims.size;
}

/**
 * Copies every live record of the given slabs, which must be resident, to the end of its series and renames it for all holders;
 * the slabs are then free. `renamed` hears of every reference that changed, with its new name.
 */
export function moveRecords(
  store: MessageStore,
  victims: ReadonlySet<number>,
  holders: Iterable<RefHolder>,
  isLog: boolean,
  renamed: Rename | null,
): void {
  const names = new Map<MessageRef, MessageRef>();
  const rename: Rename = (ref, owner, meta, sequence, bodyBytes, expiryMillis) => {
    if (!victims.has(ref >> 16)) return ref;
    let target = names.get(ref);
    if (target === undefined) {
      target = store.isRecordIntact(ref) ? moveRecord(store, ref, isLog) : moveDamaged(store, ref, isLog, bodyBytes);
      names.set(ref, target);
    }
    renamed?.(target, owner, meta, sequence, bodyBytes, expiryMillis);
    return target;
  };
  // Room that is made for the copies must not be made of the originals.
  for (const id of victims) (store.slabs[id] as Slab).isPinned = true;
  for (const holder of holders) holder.relocate(rename, victims);
  for (const id of victims) {
    const slab = store.slabs[id];
    if (slab !== null && slab !== undefined) store.retire(slab);
  }
}

function moveRecord(store: MessageStore, ref: MessageRef, isLog: boolean): MessageRef {
  const slab = store.slabs[ref >> 16] as Slab;
  const offset = (ref & 0xffff) << 4;
  const word = offset >> 2;
  const mixed = slab.words[word + 2] as number;
  const bodyBytes = slab.words[word] as number;
  const size = recordHeaderBytes + (mixed & 0xffff) + (slab.words[word + 1] as number) + (mixed >>> 24 !== 0 ? looseIdBytes : bodyBytes);
  const to = store.claim(isLog, size, store.ownersOf(ref), bodyBytes);
  const target = (isLog ? store.logSlab : store.memorySlab) as Slab;
  slab.bytes.copy(target.bytes, to, offset, offset + size);
  if (isLog) store.seal(target, to, to + size);
  const name = (target.id << 16) | (to >> 4);
  store.renamed(ref, name, bodyBytes, false);
  return name;
}

/** What is damaged stays damaged: no new checksum makes it good. Its queue finds out when it comes to it. */
function moveDamaged(store: MessageStore, ref: MessageRef, isLog: boolean, bodyBytes: number): MessageRef {
  const to = store.claim(isLog, 2 * unitBytes, store.ownersOf(ref), bodyBytes);
  const target = (isLog ? store.logSlab : store.memorySlab) as Slab;
  target.bytes.fill(0, to, to + 2 * unitBytes);
  const name = (target.id << 16) | (to >> 4);
  store.renamed(ref, name, bodyBytes, true);
  return name;
}
