// What an idle channel, and an empty queue, keep on the heap of this process once they were sampled for the statistics.
import { getHeapStatistics } from 'node:v8';
import { retentions } from '../../src/core/statistics/retention.ts';
import { Statistics } from '../../src/core/statistics/statistics.ts';
import { encodeChannelOpen } from '../../src/wire/amqp091/methods.gen.ts';
import { queueDeclare } from '../../test/support/amqp-requests.ts';
import { broker, connect, turn } from './in-process.ts';

export interface IdleCost {
  readonly what: string;
  readonly idleBytesEach: number;
}

const connections = 10;
const perConnection = 2000;
/** As the management keeps them by default. */
const kept = retentions(5000, [
  [5000, 605_000],
  [60_000, 3_600_000],
]);

const makers: Readonly<Record<string, (number: number, index: number) => Buffer>> = {
  channel: number => encodeChannelOpen(number),
  queue: (number, index) => queueDeclare(1, { queue: `idle.${index}.${number}`, durable: true }),
};

export const idleThings = Object.keys(makers);

/** `what` is one of `idleThings`. */
export function idleCost(what: string): IdleCost {
  const make = makers[what] as (number: number, index: number) => Buffer;
  const statistics = new Statistics(broker.core, { basic: kept, global: kept });
  const clients = Array.from({ length: connections }, connect);
  // Channel 1 is there already.
  const makeAll = (from: number, to: number): void => {
    for (const [index, client] of clients.entries()) {
      for (let number = from; number < to; number++) {
        client.onData(make(number, index));
        turn();
      }
    }
  };
  const heapBytes = (): number => {
    statistics.sample();
    (globalThis as { gc?: () => void }).gc?.();
    return getHeapStatistics().used_heap_size;
  };
  makeAll(2, 40);
  const before = heapBytes();
  makeAll(40, 40 + perConnection);
  return { what, idleBytesEach: (heapBytes() - before) / (connections * perConnection) };
}
