import type { BrokerCore } from '../../core/broker.ts';
import type { HeldMessage, HeldMessages } from '../../core/delays/held-messages.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import { type ReadMessage, readMessage } from './read-message.ts';

export interface ShownHeld extends ReadMessage {
  readonly id: string;
  /** Unix time in milliseconds. */
  readonly deliverAtMillis: number;
  readonly remainingMillis: number;
}

/** How often a page is read again because some of its messages had to be fetched from disk. */
const attemptsMax = 50;

/** Reads held messages in the order of their release, without changing anything. */
export function listHeld(core: BrokerCore, held: HeldMessages, offset: number, count: number): Promise<ShownHeld[]> {
  return read(core, () => held.list(offset, count));
}

/** Reads one; null when there is none of the number. */
export async function findHeld(core: BrokerCore, held: HeldMessages, number: number): Promise<ShownHeld | null> {
  const found = await read(core, () => {
    const message = held.find(number);
    return message === null ? [] : [message];
  });
  return found[0] ?? null;
}

async function read(core: BrokerCore, find: () => readonly HeldMessage[]): Promise<ShownHeld[]> {
  const known = new Map<number, ReadMessage>();
  for (let attempt = 0; ; attempt++) {
    core.turn.begin();
    const shown: ShownHeld[] = [];
    let absent: MessageRef = 0;
    for (const { number, dueMillis, ref } of find()) {
      const isResident = core.store.isResident(ref);
      if (!isResident && !known.has(number)) absent = ref;
      const message = known.get(number) ?? (isResident ? readMessage(core, ref) : null);
      if (message === null) continue;
      known.set(number, message);
      const remainingMillis = Math.max(0, dueMillis - core.clock.nowMillis);
      shown.push({ ...message, id: String(number), deliverAtMillis: Math.ceil(core.clock.wallMillis + remainingMillis), remainingMillis });
    }
    if (absent === 0 || attempt >= attemptsMax) return shown;
    await new Promise<void>(resolve => core.store.fetch(absent, resolve));
  }
}
