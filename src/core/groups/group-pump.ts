// hot path: see docs/STYLE.md
import type { Consumer } from '../consumer.ts';
import type { MessageRef } from '../messages/message-ref.ts';
import type { ConsumerRota } from '../queues/consumer-rota.ts';
import { deliveryCount, type Entry } from '../queues/entry.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import { getters } from './group.ts';
import type { GroupLists } from './group-lists.ts';

/** What a queue does with messages that were taken out of its lists. */
export interface GroupPumpHome {
  readonly rota: ConsumerRota;
  deliver(consumer: Consumer, entry: Entry): void;
  expire(entry: Entry): void;
  /** Lets go of a message that is damaged. */
  dropDamaged(entry: Entry): void;
  /** Fetches a message's bytes, and pumps again when they are there. */
  fetch(ref: MessageRef): void;
}

/** Hands out the messages of a queue with message groups: each to the consumer that has its group. */
export class GroupPump {
  readonly groups: GroupLists;
  /** Returns of a message after which its group is parked; 0: never. */
  readonly #parkAfter: number;
  readonly #context: QueueContext;
  readonly #home: GroupPumpHome;

  constructor(groups: GroupLists, parkAfter: number, context: QueueContext, home: GroupPumpHome) {
    this.groups = groups;
    this.#parkAfter = parkAfter;
    this.#context = context;
    this.#home = home;
  }

  /** As Queue.pump; `entry` is filled again each time. */
  pump(entry: Entry, budget: number): boolean {
    const { groups } = this;
    const home = this.#home;
    const { rota } = home;
    const { store, clock } = this.#context;
    const now = clock.nowMillis;
    let left = budget;
    while (!groups.isEmpty) {
      const current = rota.current;
      if (current === null) break;
      if (!current.hasCredit) {
        rota.remove(current);
        continue;
      }
      if (left-- <= 0) return true;
      const group = groups.next(entry, rota);
      if (group === null) {
        if (!groups.isLacking) return groups.hasUnknown;
        home.fetch(entry.ref);
        return false;
      }
      if (!store.isAllThere) {
        if (!store.isResident(entry.ref)) {
          home.fetch(entry.ref);
          return false;
        }
        if (!store.isIntact(entry.ref)) {
          groups.takeFirst(group, null, entry);
          home.dropDamaged(entry);
          continue;
        }
      }
      const isExpired = entry.expiryMillis !== 0 && entry.expiryMillis < now;
      const consumer = group.owner === null || group.owner === getters ? current : group.owner;
      groups.takeFirst(group, consumer.noAck || isExpired ? null : consumer, entry);
      if (isExpired) {
        home.expire(entry);
        continue;
      }
      home.deliver(consumer, entry);
      if (consumer.isInRota) rota.rotate(consumer);
    }
    return false;
  }

  /** Takes the message that whoever gets single messages may have; false when there is none. It may have expired. */
  take(into: Entry, noAck: boolean): boolean {
    const group = this.groups.nextForGetters(into);
    if (group === null) return false;
    const isExpired = into.expiryMillis !== 0 && into.expiryMillis <= this.#context.clock.nowMillis;
    this.groups.takeFirst(group, noAck || isExpired ? null : getters, into);
    return true;
  }

  /** The message was put back last. */
  cameBack(entry: Entry): void {
    if (this.#parkAfter > 0 && deliveryCount(entry.meta) >= this.#parkAfter) this.groups.parkLast();
  }

  /** Whether what `take` takes next is in memory; see Queue.fetchHead. */
  fetchHead(entry: Entry, then: () => void): boolean {
    const { groups } = this;
    const { store } = this.#context;
    for (;;) {
      const group = groups.nextForGetters(entry);
      if (group === null && !groups.isLacking) return true;
      if (!store.isResident(entry.ref)) {
        store.fetch(entry.ref, then);
        return false;
      }
      if (group === null || store.isIntact(entry.ref)) return true;
      groups.takeFirst(group, null, entry);
      this.#home.dropDamaged(entry);
    }
  }
}
