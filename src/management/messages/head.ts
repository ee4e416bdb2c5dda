import type { BrokerCore } from '../../core/broker.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import type { Queue } from '../../core/queues/queue.ts';

/** What is known of a queue's first message. */
export interface Head {
  /** How long the message has been here; null when its bytes are on disk only. */
  readonly ageMillis: number | null;
  /** Of its timestamp property; null without one. */
  readonly timestampSeconds: number | null;
}

const wrap = 2 ** 32;

/** The first ready message of a queue, or null when there is none. Nothing is fetched from disk for it. */
export function headOf(core: BrokerCore, queue: Queue): Head | null {
  if (queue.readyCount === 0) return null;
  let ref: MessageRef = 0;
  queue.forEachReady(entry => {
    ref = entry.ref;
    return false;
  });
  const { store, clock } = core;
  if (ref === 0 || !store.isResident(ref)) return { ageMillis: null, timestampSeconds: null };
  const arrival = store.arrivalMillis(ref);
  const ageMillis = arrival < 0 ? null : (((Math.floor(clock.nowMillis) - arrival) % wrap) + wrap) % wrap;
  return { ageMillis, timestampSeconds: store.isIntact(ref) ? timestampOf(core, ref) : null };
}

function timestampOf(core: BrokerCore, ref: MessageRef): number | null {
  const { store } = core;
  store.locate(ref);
  const { loose } = store;
  const text =
    loose === null
      ? core.format(store.format).text(store.bytes, store.propertiesStart, store.propertiesBytes, 'timestamp')
      : core.format(store.format).text(loose.properties, 0, loose.properties.length, 'timestamp');
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
