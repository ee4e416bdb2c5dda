/** A known way to break the broker: one piece of a source file in place of another. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Which campaign is asked first: what a kill leaves in the page cache only a loss of power takes away. */
  readonly by: 'kill' | 'power';
}

const journal = 'src/store/journal/journal.ts';
const commit = 'src/store/journal/commit.ts';
const logEnd = 'src/store/journal/log-end.ts';
const opReplay = 'src/store/journal/op-replay.ts';
const queueRestorer = 'src/store/journal/queue-restorer.ts';
const segments = 'src/store/journal/segments.ts';
const messageQueue = 'src/core/queues/message-queue.ts';
const streams = 'src/store/streams/stream-store.ts';
const recoverSegment = 'src/store/streams/recover-segment.ts';
const packetMarks = 'src/protocols/mqtt/packet-marks.ts';

export const mutants: readonly Mutant[] = [
  {
    name: 'confirms go out before the write',
    file: journal,
    from: 'if (then !== null) this.#waiters.push({ then, argument });',
    to: 'if (then !== null) this.#waiters.push({ then: () => {}, argument }), then(argument);',
    by: 'kill',
  },
  {
    name: 'confirms go out before the sync',
    file: commit,
    from: 'for (const handle of handles) handle.sync(synced);',
    to: 'for (const _ of handles) synced(null);',
    by: 'power',
  },
  {
    name: 'the directory of a new segment is not synced',
    file: commit,
    from: 'if (segments.isDirectoryDirty) segments.syncDirectory(synced);',
    to: 'if (segments.isDirectoryDirty) synced(null);',
    by: 'power',
  },
  {
    name: 'the file of a large body is not synced',
    file: 'src/store/journal/loose-files.ts',
    from: 'writing.handle.sync(error => {\n            writing.handle.close();\n            synced(error);\n          });',
    to: '{ writing.handle.close(); synced(null); }',
    by: 'power',
  },
  {
    name: 'an unfinished write is taken for whole',
    file: logEnd,
    from: '#isWhole(index: number): boolean {',
    to: '#isWhole(index: number): boolean {\n    if (index >= 0) return true;',
    by: 'power',
  },
  {
    name: 'recovery leaves the last frame out',
    file: logEnd,
    from: '    return frames.count;\n',
    to: '    return Math.max(0, frames.count - 1);\n',
    by: 'kill',
  },
  {
    name: 'settlements are not recovered',
    file: opReplay,
    from: 'for (let i = 0; i < count; i++) if (!list.remove(sequence + i)) this.orphans++;',
    to: 'if (list === null) this.orphans++;',
    by: 'kill',
  },
  {
    name: 'a settlement is applied to the next message',
    file: messageQueue,
    from: 'this.#log?.settled(this.id, priorityOf(entry.meta), entry.sequence);',
    to: 'this.#log?.settled(this.id, priorityOf(entry.meta), entry.sequence + 1);',
    by: 'kill',
  },
  {
    name: 'a message is recorded with the body of the one before',
    file: journal,
    from: 'const slab = (this.#store as MessageStore).slabs[ref >> 16] as Slab;',
    to:
      'const given = ref;\n    if (sequence % 50 === 3) ref = this.lastRef ?? ref;\n    this.lastRef = given;\n' +
      '    const slab = (this.#store as MessageStore).slabs[ref >> 16] as Slab;',
    by: 'kill',
  },
  {
    name: 'two messages change places when they are recovered',
    file: queueRestorer,
    from: 'list.drain((entry: RestoredEntry) => {',
    to:
      'const all: RestoredEntry[] = [];\n        list.drain(entry => void all.push({ ...entry }));\n' +
      '        for (let i = 1; i < all.length; i += 40) [all[i - 1], all[i]] = [{ ...all[i]!, sequence: all[i - 1]!.sequence }, { ...all[i - 1]!, sequence: all[i]!.sequence }];\n' +
      '        all.forEach((entry: RestoredEntry) => {',
    by: 'kill',
  },
  {
    name: 'an enqueue is forgotten now and then, as in a partial fan-out',
    file: journal,
    from: 'this.#ops.enqueue(queueId, priority, sequence,',
    to: 'if (sequence % 500 !== 7) this.#ops.enqueue(queueId, priority, sequence,',
    by: 'kill',
  },
  {
    name: 'a segment with live messages is removed',
    file: segments,
    from: 'if (segment.liveSlabs > 0 || segment.isHeld ||',
    to: 'if (segment.isHeld ||',
    by: 'power',
  },
  {
    name: 'a segment goes before its metadata is in the snapshot',
    file: segments,
    from: ' || segment.metadataSequence > snapshotSequence) break;',
    to: ') break;',
    by: 'power',
  },
  {
    name: 'a declaration is not recorded',
    file: journal,
    from: 'this.#ops.metadata(json);',
    to: `if (!json.includes('"temporary-1') && !json.includes('"q1"')) this.#ops.metadata(json);`,
    by: 'kill',
  },
  {
    name: 'a deleted queue comes back',
    file: 'src/core/topology-replay.ts',
    from: 'if (queue !== undefined && queue.id === change.id) vhost.removeQueue(queue);',
    to: 'if (queue !== undefined && queue.id === change.id && change.name === "") vhost.removeQueue(queue);',
    by: 'kill',
  },
  {
    name: 'what was delivered before a crash is not flagged',
    file: queueRestorer,
    from: 'entry.meta & ~0xff00 : metaRedelivered',
    to: 'entry.meta & ~0xff00 : 0 * metaRedelivered',
    by: 'kill',
  },
  {
    name: 'what is given back is not flagged',
    file: 'src/core/queues/entry.ts',
    from: 'const redelivered = meta | metaRedelivered;',
    to: 'const redelivered = meta;',
    by: 'kill',
  },
  {
    name: 'a purge is undone by a restart',
    file: messageQueue,
    from: 'if (this.#log !== null) this.#recordPurge(this.#log);',
    to: '',
    by: 'kill',
  },
  {
    name: 'the operations of a commit are not recorded when there are many',
    file: 'src/store/journal/log-tail.ts',
    from: 'slab.words.set(ops.words.subarray(at, end), slab.position >> 2);',
    to: 'slab.words.set(ops.words.subarray(at, end - at > 900 ? at + ((end - at) >> 1) : end), slab.position >> 2);',
    by: 'kill',
  },
  {
    name: 'a body is not checked when it is read',
    file: 'src/core/messages/message-store.ts',
    from: 'isIntact(ref: MessageRef): boolean {',
    to: 'isIntact(ref: MessageRef): boolean {\n    if (ref !== 0) return true;',
    by: 'power',
  },
  {
    name: 'what is published to a stream is confirmed before its sync',
    file: streams,
    from: 'if (failure === null) handle.sync(finished);\n        else finished(failure);',
    to: 'finished(failure);',
    by: 'power',
  },
  {
    name: 'the last chunk of a stream is cut off',
    file: recoverSegment,
    from: '  for (const chunk of candidates) {',
    to: '  for (const chunk of candidates.slice(0, -1)) {',
    by: 'kill',
  },
  {
    name: 'an unfinished chunk of a stream is taken for whole',
    file: recoverSegment,
    from: ' || !isChunkIntact(window.buffer, at, header)) break;',
    to: ') break;',
    by: 'power',
  },
  {
    name: 'a quorum queue does not record how often a message came back',
    file: 'src/core/queues/entry-record.ts',
    from: 'if ((entry.meta & metaLogged) !== 0) this.#log.returned(this.#queueId, priorityOf(entry.meta), entry.sequence, entry.meta);',
    to: 'void entry;',
    by: 'kill',
  },
  {
    name: 'the packet id of a QoS 2 publish is forgotten by a restart',
    file: packetMarks,
    from: 'if (number < deliveredBase) this.#received.add(number);',
    to: 'if (number < deliveredBase) continue;',
    by: 'kill',
  },
  {
    name: 'the packet id of a QoS 2 delivery is forgotten by a restart',
    file: packetMarks,
    from: 'this.#marks?.add(deliveredBase + id);',
    to: 'void id;',
    by: 'kill',
  },
  {
    name: 'it is not recorded that a rejected message waits to be tried again',
    file: 'src/core/retries/queue-retries.ts',
    from: 'if ((entry.meta & metaLogged) !== 0) this.record(priorityOf(entry.meta), entry.sequence);\n    return true;',
    to: 'return true;',
    by: 'power',
  },
  {
    name: 'a message that is tried again comes early after a restart',
    file: 'src/core/retries/queue-retries.ts',
    from: 'this.#hold(entry, retryCount, dueMillis);',
    to: 'this.#hold(entry, retryCount, dueMillis - 15);',
    by: 'power',
  },
  {
    name: 'a message that waits to be tried again holds up nobody after a restart',
    file: messageQueue,
    from: 'this.#groupPump?.groups.restoreHeld(priority, sequence);',
    to: '',
    by: 'power',
  },
  {
    name: 'a parked group goes on after a restart',
    file: 'src/core/vhost.ts',
    from: 'if (queue.isDurable && !queue.isExclusive) this.#journal.record(parkChange(this.name, queue, [key], isParked));',
    to: 'void [queue, key, isParked, parkChange];',
    by: 'power',
  },
  {
    name: 'values that were seen are forgotten by a restart',
    file: 'src/core/deduplication/durable-values.ts',
    from: 'for (const [serial, { text, expiryMillis }] of pending) this.#writeOne(serial, text, expiryMillis);',
    to: 'void pending;',
    by: 'power',
  },
  {
    name: 'a held message is released early after a restart',
    file: 'src/core/delays/held-messages.ts',
    from: 'this.#add(number, ref, bodyBytes, dueMillis);\n  }\n\n  restoreRetry',
    to: 'this.#add(number, ref, bodyBytes, dueMillis - 3);\n  }\n\n  restoreRetry',
    by: 'power',
  },
  {
    name: 'what was released is held again after a restart',
    file: 'src/core/delays/held-messages.ts',
    from: 'if (this.#store.isInLog(ref)) this.#log?.settled(this.id, 0, number);',
    to: 'void [ref, number];',
    by: 'power',
  },
];
