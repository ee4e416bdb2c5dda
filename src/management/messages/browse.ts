import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Field } from '../../base/field-table.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { MessageRef, RefHolder } from '../../core/messages/message-ref.ts';
import { metaRedelivered } from '../../core/queues/entry.ts';
import type { Queue } from '../../core/queues/queue.ts';
import type { WaitingRetry } from '../../core/retries/queue-retries.ts';
import { messageId } from './message-id.ts';
import { type ReadMessage, readMessage } from './read-message.ts';

export const messageStates = ['ready', 'unacked', 'delayed', 'dead-lettered'] as const;
/** Dead-lettered are those that died and are kept until all their targets have taken them. */
export type MessageState = (typeof messageStates)[number];

export interface BrowsedMessage extends ReadMessage {
  readonly id: string;
  readonly isRedelivered: boolean;
  readonly state: MessageState;
}

export interface BrowseOptions {
  /** Messages that are passed over; of those that fit the search, when there is one. */
  readonly offset: number;
  readonly count: number;
  /** Looked for in payloads and in header values, whatever the case; '' for all messages. */
  readonly search: string;
  readonly state: MessageState;
}

/** Messages looked at before others get their turn. */
const windowCount = 500;
/** Messages that one search looks at. */
const searchedMax = 1_000_000;
/** How often a window is read again because some of its messages had to be fetched from disk. */
const attemptsMax = 50;

/** An entry as it was found; its reference holds until the next turn only. */
interface Found {
  readonly ref: MessageRef;
  readonly meta: number;
  readonly sequence: number;
}

/** Reads messages of a queue without changing anything, from the head. */
export async function browse(core: BrokerCore, queue: Queue, { offset, count, search, state }: BrowseOptions): Promise<BrowsedMessage[]> {
  const messages: BrowsedMessage[] = [];
  if (count === 0) return messages;
  if (search === '') return await readWindow(core, queue, state, offset, count);
  const fits = matcher(search);
  let passed = 0;
  for (let at = 0; at < searchedMax; at += windowCount) {
    const window = await readWindow(core, queue, state, at, windowCount);
    for (const message of window) {
      if (!fits(message) || passed++ < offset) continue;
      messages.push(message);
      if (messages.length === count) return messages;
    }
    if (window.length < windowCount) break;
    await nextTurn();
  }
  return messages;
}

/** Reads the messages of a part of the queue. What is on disk only is fetched, and then looked for again: the queue goes on meanwhile. */
async function readWindow(core: BrokerCore, queue: Queue, state: MessageState, offset: number, count: number): Promise<BrowsedMessage[]> {
  if (queue.ownLog !== null) return state === 'ready' ? await readLogWindow(core, queue, queue.ownLog.firstOffset + offset, count) : [];
  const known = new Map<string, BrowsedMessage>();
  for (let attempt = 0; ; attempt++) {
    core.turn.begin();
    const messages: BrowsedMessage[] = [];
    let absent: MessageRef = 0;
    for (const { ref, meta, sequence } of found(core, queue, state, offset, count)) {
      const id = messageId({ meta, sequence });
      const isResident = core.store.isResident(ref);
      if (!isResident && !known.has(id)) absent = ref;
      const message = known.get(id) ?? (isResident ? describe(core, ref, meta, id, state) : null);
      if (message === null) continue;
      known.set(id, message);
      messages.push(message);
    }
    if (absent === 0 || attempt >= attemptsMax) return messages;
    await new Promise<void>(resolve => core.store.fetch(absent, resolve));
  }
}

/** The same of a queue with a log of its own, from an offset on. */
async function readLogWindow(core: BrokerCore, queue: Queue, offset: number, count: number): Promise<BrowsedMessage[]> {
  const messages: BrowsedMessage[] = [];
  let wake = (): void => {};
  const reader = queue.readLog(offset, () => wake());
  if (reader === null) return messages;
  try {
    while (messages.length < count) {
      core.turn.begin();
      if (!reader.next()) {
        if (reader.isAtEnd) break;
        await new Promise<void>(resolve => {
          wake = resolve;
        });
        continue;
      }
      core.store.show(reader);
      const message = describe(core, 0, 0, messageId({ meta: 0, sequence: reader.offset }), 'ready');
      if (message !== null) messages.push(message);
    }
  } finally {
    reader.close();
  }
  return messages;
}

function found(core: BrokerCore, queue: Queue, state: MessageState, offset: number, count: number): Found[] {
  const list: Found[] = [];
  let left = state === 'ready' ? 0 : offset;
  const note = (ref: MessageRef, meta: number, sequence: number): boolean => {
    if (left-- <= 0) list.push({ ref, meta, sequence });
    return list.length < count;
  };
  if (state === 'ready') queue.forEachReady(entry => note(entry.ref, entry.meta, entry.sequence), offset);
  else if (state === 'delayed') delayedOf(queue).every(({ entry }) => note(entry.ref, entry.meta, entry.sequence));
  else if (state === 'unacked') unacked(core, queue, note);
  else heldBy([core.deadLetters], queue, note);
  return list;
}

/** What waits to be tried again, in the order in which it comes back. */
function delayedOf(queue: Queue): WaitingRetry[] {
  const waiting: WaitingRetry[] = [];
  queue.retries?.forEach(each => void waiting.push(each));
  return waiting.sort((a, b) => a.dueMillis - b.dueMillis || a.entry.sequence - b.entry.sequence);
}

/** Whether one of the messages that wait to be tried again has this name. */
export function isDelayed(queue: Queue, id: string): boolean {
  return delayedOf(queue).some(({ entry }) => messageId(entry) === id);
}

/** Visits the deliveries of a queue that wait for an acknowledgement: the channels hold them, and tell when asked to rename references. */
function unacked(core: BrokerCore, queue: Queue, visit: (ref: MessageRef, meta: number, sequence: number) => boolean): void {
  heldBy(
    [...core.refHolders()].filter(holder => holder !== queue && holder !== core.deadLetters),
    queue,
    visit,
  );
}

function heldBy(holders: Iterable<RefHolder>, queue: Queue, visit: (ref: MessageRef, meta: number, sequence: number) => boolean): void {
  let goesOn = true;
  for (const holder of holders) {
    holder.relocate((ref, owner, meta, sequence) => {
      if (goesOn && owner === queue) goesOn = visit(ref, meta, sequence);
      return ref;
    });
    if (!goesOn) return;
  }
}

/** Whether one of the queue's deliveries that wait for an acknowledgement has this name. */
export function isUnacked(core: BrokerCore, queue: Queue, id: string): boolean {
  let isFound = false;
  unacked(core, queue, (_ref, meta, sequence) => {
    isFound ||= messageId({ meta, sequence }) === id;
    return !isFound;
  });
  return isFound;
}

function describe(core: BrokerCore, ref: MessageRef, meta: number, id: string, state: MessageState): BrowsedMessage | null {
  const message = readMessage(core, ref);
  return message === null ? null : { ...message, id, isRedelivered: (meta & metaRedelivered) !== 0, state };
}

/** Looks for a text in a message's payload and header values. */
function matcher(search: string): (message: ReadMessage) => boolean {
  const wanted = search.toLowerCase();
  const isIn = (text: string): boolean => text.toLowerCase().includes(wanted);
  const isInField = ({ value }: Field): boolean => {
    if (value instanceof Map) return [...value.values()].some(isInField);
    if (Array.isArray(value)) return value.some(isInField);
    if (value instanceof Uint8Array) return isIn(Buffer.from(value).toString('utf8'));
    return value !== null && typeof value !== 'object' && isIn(String(value));
  };
  return message => isIn(message.body.toString('utf8')) || [...(message.properties.headers?.values() ?? [])].some(isInField);
}
