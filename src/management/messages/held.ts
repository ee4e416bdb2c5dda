import type { BrokerCore } from '../../core/broker.ts';
import type { HeldMessage } from '../../core/delays/held-messages.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import { type ReadMessage, readMessage } from './read-message.ts';

/** Who holds messages until their time: an exchange, or a queue that tries them again. */
export interface MessageHolder {
  /** In the order of their times. */
  list(offset: number, count: number): readonly HeldMessage[];
  find(number: number): HeldMessage | null;
  /** False when there is none of the number. */
  reschedule(number: number, dueMillis: number): boolean;
  cancel(number: number): boolean;
  /** Which try a message comes back for; left out where there are no tries. */
  retryCountOf?(number: number): number;
}

export interface ShownHeld extends ReadMessage {
  readonly id: string;
  /** Unix time in milliseconds. */
  readonly deliverAtMillis: number;
  readonly remainingMillis: number;
  /** Which try it comes back for; null where there are none. */
  readonly retryCount: number | null;
}

/** How often a page is read again because some of its messages had to be fetched from disk, and how many of these at a time. */
const attemptsMax = 50;
const fetchedMax = 16;

/** Reads held messages in the order of their release, without changing anything. */
export function listHeld(core: BrokerCore, held: MessageHolder, offset: number, count: number): Promise<ShownHeld[]> {
  return read(core, held, () => held.list(offset, count));
}

/** Reads one; null when there is none of the number. */
export async function findHeld(core: BrokerCore, held: MessageHolder, number: number): Promise<ShownHeld | null> {
  const found = await read(core, held, () => {
    const message = held.find(number);
    return message === null ? [] : [message];
  });
  return found[0] ?? null;
}

async function read(core: BrokerCore, held: MessageHolder, find: () => readonly HeldMessage[]): Promise<ShownHeld[]> {
  const known = new Map<number, ReadMessage>();
  for (let attempt = 0; ; attempt++) {
    core.turn.begin();
    const shown: ShownHeld[] = [];
    const absent: MessageRef[] = [];
    for (const { number, dueMillis, ref } of find()) {
      const isResident = core.store.isResident(ref);
      if (!isResident && !known.has(number) && absent.length < fetchedMax) absent.push(ref);
      const message = known.get(number) ?? (isResident ? readMessage(core, ref) : null);
      if (message === null) continue;
      known.set(number, message);
      const remainingMillis = Math.max(0, dueMillis - core.clock.nowMillis);
      const deliverAtMillis = Math.ceil(core.clock.wallMillis + remainingMillis);
      shown.push({ ...message, id: String(number), deliverAtMillis, remainingMillis, retryCount: held.retryCountOf?.(number) ?? null });
    }
    if (absent.length === 0 || attempt >= attemptsMax) return shown;
    await Promise.all(absent.map(ref => new Promise<void>(resolve => core.store.fetch(ref, resolve))));
  }
}
