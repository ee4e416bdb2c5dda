import { headerNumber } from '../../../support/fast-client.ts';
import { expectations } from '../ledger.ts';
import type { Site } from '../site.ts';
import { deliveryLimit, queueNumbers } from '../topology.ts';
import { giveBack } from './give-back.ts';
import { publishers } from './publishers.ts';

/** More than a clock of milliseconds, read once a turn, may be behind. */
const earlyMillisMax = 50;

/** Takes from a classic queue, gives a fifth back, and goes away with some. */
export function returning(site: Site): Promise<void> {
  const { random } = site;
  return giveBack(site, {
    queue: queueNumbers.requeued,
    publisher: publishers.returning,
    leavesAfter: () => 50 + random.below(400),
    decide: () => (random.chance(0.2) ? 'requeue' : 'accept'),
  });
}

/** Takes from a quorum queue and gives many back; how often a message came back is counted. */
export function returningToQuorum(site: Site): Promise<void> {
  const { random, memory } = site;
  return giveBack(site, {
    queue: queueNumbers.quorum,
    publisher: publishers.quorum,
    leavesAfter: () => 300 + random.below(2000),
    decide: (copy, header) => {
      memory.counts.delivered(copy, headerNumber(header, 'x-delivery-count'), deliveryLimit);
      return random.chance(0.35) ? 'requeue' : 'accept';
    },
    onReturned: copy => memory.counts.returned(copy),
  });
}

/** Gives everything back to a quorum queue that nobody else takes from, so that counts are there when the broker is killed. */
export function returningAll(site: Site): Promise<void> {
  const { random, memory } = site;
  return giveBack(site, {
    queue: queueNumbers.quorumWaiting,
    publisher: publishers.quorumAll,
    leavesAfter: () => 30 + random.below(60),
    pauseMillis: 40,
    decide: (copy, header) => {
      memory.counts.delivered(copy, headerNumber(header, 'x-delivery-count'), Infinity);
      return 'requeue';
    },
    onReturned: copy => memory.counts.returned(copy),
  });
}

/** Rejects what will be tried again, most of it. */
export function retrying(site: Site): Promise<void> {
  const { random } = site;
  return giveBack(site, {
    queue: queueNumbers.retried,
    publisher: publishers.retries,
    leavesAfter: () => Infinity,
    decide: () => random.weighted({ reject: 6, accept: 3, requeue: 1 }),
  });
}

/** Takes what was held, which must not come before its time. */
export function takingHeld(site: Site): Promise<void> {
  const { ledger, memory } = site;
  return giveBack(site, {
    queue: queueNumbers.held,
    publisher: publishers.held,
    leavesAfter: () => Infinity,
    expectation: expectations.held,
    decide: copy => {
      const earlyMillis = (memory.due.get(copy) ?? 0) - Date.now();
      if (earlyMillis > earlyMillisMax) ledger.violation('early', `message ${copy} came ${earlyMillis} ms too early`);
      return 'accept';
    },
  });
}
