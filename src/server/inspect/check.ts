import type { MessageRef } from '../../core/messages/message-ref.ts';
import { Inspection } from './inspection.ts';
import { readLog } from './read-log.ts';

/** Messages that are told one by one. */
const toldMax = 100;

export interface CheckResult {
  readonly isSound: boolean;
  /** Lines to be read by people. */
  readonly lines: readonly string[];
}

/**
 * Looks at everything in a data directory: frames, checksums of operations and of every body, large bodies, streams, and what belongs to
 * nothing. Changes nothing. Rejects with a DataDirError or JournalError when the directory cannot be read.
 */
export async function checkDataDir(path: string): Promise<CheckResult> {
  const inspection = await Inspection.open(path);
  const { core, report, store, streams } = inspection;
  const problems = [...report.damaged, ...streams.damaged.map(text => `a stream: ${text}`)];
  const owners = new Map<MessageRef, string>();
  let entries = 0;
  let remembered = 0;
  for (const holder of core.refHolders()) {
    holder.relocate((ref, owner) => {
      if (owner?.holdsMessages === false) remembered++;
      else entries++;
      if (!owners.has(ref)) owners.set(ref, nameOf(owner));
      return ref;
    });
  }
  let held = 0;
  let waiting = 0;
  for (const vhost of core.vhosts.values()) {
    for (const exchange of vhost.exchanges.values()) held += exchange.delay?.held.count ?? 0;
    for (const queue of vhost.queues.values()) waiting += queue.retries?.heldCount ?? 0;
  }
  let bytes = 0;
  let damaged = 0;
  // Slab by slab, so that each is read once.
  for (const ref of [...owners.keys()].sort((a, b) => a - b)) {
    await inspection.fetch(ref);
    if (core.store.isIntact(ref)) {
      core.store.locate(ref);
      bytes += core.store.loose?.bodyBytes ?? core.store.bodyBytes;
      continue;
    }
    if (++damaged <= toldMax) problems.push(`a message of ${owners.get(ref)} is damaged`);
  }
  if (damaged > toldMax) problems.push(`and ${damaged - toldMax} more messages`);
  for (const vhost of core.vhosts.values()) {
    for (const queue of vhost.queues.values()) {
      const before = core.counters.damagedRecords;
      await readLog(queue, () => {});
      const places = core.counters.damagedRecords - before;
      if (places > 0) problems.push(`the stream '${queue.name}' in vhost '${vhost.name}' is damaged in ${count(places, 'place')}`);
    }
  }
  const { segments } = store.journal;
  let queues = 0;
  let exchanges = 0;
  let bindings = 0;
  for (const vhost of core.vhosts.values()) {
    queues += vhost.queues.size;
    exchanges += vhost.exchanges.size;
    bindings += vhost.bindingCount;
  }
  const unfinished = report.tornBytes + streams.tornBytes;
  const unused = store.unusedLooseCount + streams.orphans;
  const lines = [
    `data directory   ${path}, ${report.isBlank ? 'never used' : report.wasClean ? 'stopped cleanly' : 'not stopped cleanly'}`,
    `journal          ${count(segments.count, 'segment')}, ${count(report.frames, 'frame')} read`,
    `definitions      ${count(core.vhosts.size, 'virtual host')}, ${count(core.access.userCount, 'user')}, ${count(queues, 'queue')}, ${count(exchanges, 'exchange')}, ${count(bindings, 'binding')}`,
    `messages         ${entries - held} in queues${waiting > 0 ? ` (${waiting} wait to be tried again)` : ''}, ${held > 0 ? `${held} held by exchanges, ` : ''}${owners.size} bodies checked, ${bytes} bytes`,
    ...(remembered > 0 ? [`remembered       ${count(remembered, 'mark or value', 'marks and values')}`] : []),
    `streams          ${count(streams.streams, 'stream')}, ${count(streams.messages, 'message')}`,
    ...(unfinished > 0 ? [`unfinished       ${unfinished} bytes of a last write that was never confirmed`] : []),
    ...(report.orphans > 0 ? [`left over        ${count(report.orphans, 'operation')} for queues or messages that are gone`] : []),
    ...(unused > 0 ? [`unused           ${count(unused, 'file')} that nothing needs; the next start removes what it may`] : []),
    ...problems.map(text => `damage           ${text}`),
    problems.length === 0 ? 'sound' : `damaged: ${count(problems.length, 'problem')}`,
  ];
  return { isSound: problems.length === 0, lines };
}

function nameOf(owner: object | null): string {
  return owner !== null && 'name' in owner && typeof owner.name === 'string' ? `'${owner.name}'` : 'an exchange or channel';
}

function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}
