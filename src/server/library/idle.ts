import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerCore } from '../../core/broker.ts';
import type { Queue } from '../../core/queues/queue.ts';

export interface IdleOptions {
  readonly timeoutMillis?: number;
}

/** Looks without a change after which nothing is on its way any more: what clients in this process have sent arrives within. */
const quietLooks = 3;
const lookMillis = 1;

/** See Broker.idle. @internal */
export async function idle(core: BrokerCore, { timeoutMillis = 5000 }: IdleOptions = {}): Promise<void> {
  const deadline = performance.now() + timeoutMillis;
  let last = NaN;
  for (let quiet = 0; quiet < quietLooks; ) {
    await delay(lookMillis);
    const stamp = activityOf(core);
    const waiting = whatWaits(core);
    quiet = stamp === last && waiting === null ? quiet + 1 : 0;
    last = stamp;
    if (quiet === 0 && performance.now() > deadline)
      throw new Error(`not idle after ${timeoutMillis} ms: ${waiting ?? 'messages keep coming'}`);
  }
}

/** A number that changes whenever a message moves or a client sends or gets something. @internal */
export function activityOf(core: BrokerCore): number {
  let sum = core.store.liveCount;
  for (const connection of core.connections) sum += connection.receivedBytes + connection.sentBytes;
  for (const vhost of core.vhosts.values()) sum += vhost.counters.published + vhost.queues.size;
  return sum;
}

function whatWaits(core: BrokerCore): string | null {
  if (core.deadLetters.hasWork) return 'messages are being dead-lettered';
  for (const vhost of core.vhosts.values()) {
    for (const queue of vhost.queues.values()) {
      const where = `queue '${queue.name}' in vhost '${vhost.name}'`;
      if (queue.unackedCount > 0) return `${where} has ${queue.unackedCount} unacknowledged messages`;
      if (queue.readyCount > 0 && canDeliver(queue)) return `${where} has ${queue.readyCount} messages to deliver`;
    }
  }
  for (const connection of core.connections) {
    for (const channel of connection.channelInfos()) {
      const { unconfirmedCount } = channel.describe();
      if (unconfirmedCount > 0) return `${unconfirmedCount} messages of connection ${connection.name} are not confirmed`;
    }
  }
  return null;
}

function canDeliver(queue: Queue): boolean {
  for (const consumer of queue.consumers()) if (consumer.hasCredit) return true;
  return false;
}
