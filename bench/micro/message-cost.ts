// What a message costs in this process: processor time, heap that it leaves behind, and what a queued one keeps. Needs a process of its own, started
// with `heapFlags`: nothing may be collected while it counts.
import { getHeapStatistics } from 'node:v8';
import { basicAck, basicConsume, basicQos, confirmSelect, queueDeclare } from '../../test/support/amqp-requests.ts';
import { connect, properties, publishes, turn } from './in-process.ts';

/** A young generation that holds everything that is allocated meanwhile. */
export const heapFlags = ['--expose-gc', '--max-semi-space-size=2048', '--min-semi-space-size=2048'];

/** Messages of one input, and of one turn. */
const perInput = 500;

export interface Steady {
  readonly name: string;
  readonly bodyBytes: number;
  readonly acks: 'none' | 'each' | 'multiple';
  readonly confirms: boolean;
}

export const steadyPaths: readonly Steady[] = [
  { name: 'A   16 B, no acknowledgements', bodyBytes: 16, acks: 'none', confirms: false },
  { name: 'B   1 KiB, no acknowledgements', bodyBytes: 1024, acks: 'none', confirms: false },
  { name: 'C   16 B, acknowledged each', bodyBytes: 16, acks: 'each', confirms: false },
  { name: 'C2  16 B, acknowledged by 500', bodyBytes: 16, acks: 'multiple', confirms: false },
  { name: 'D   16 B, confirms, acknowledged each', bodyBytes: 16, acks: 'each', confirms: true },
];

export interface MessageCost {
  readonly name: string;
  readonly messages: number;
  readonly nanosEach: number;
  readonly heapBytesEach: number;
}

export interface KeptCost {
  readonly bodyBytes: number;
  /** Beyond the body. */
  readonly keptBytesEach: number;
  /** Of them what came with the message: exchange, routing key and properties. */
  readonly givenBytesEach: number;
}

/** Twice: what buffers held outside the heap is given back after the collection that finds them unused. */
function collect(): void {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  gc?.();
}

/** Publishes, routes, delivers and settles `rounds` inputs, after as many that do not count. */
export function messageCost({ name, bodyBytes, acks, confirms }: Steady, rounds: number): MessageCost {
  const queue = `steady ${name}`;
  const [publisher, consumer] = [connect(), connect()];
  publisher.onData(queueDeclare(1, { queue }));
  if (confirms) publisher.onData(confirmSelect(1));
  if (acks !== 'none') consumer.onData(basicQos(1, perInput));
  turn();
  consumer.onData(basicConsume(1, { queue, noAck: acks === 'none' }));
  turn();
  const input = publishes(perInput, queue, bodyBytes);
  let tag = 0;
  // Made before anything is counted.
  const settlements: Buffer[] = [];
  for (let round = 0; round < rounds * 2 && acks !== 'none'; round++) {
    tag += perInput;
    if (acks === 'multiple') settlements.push(basicAck(1, tag, true));
    else settlements.push(Buffer.concat(Array.from({ length: perInput }, (_, i) => basicAck(1, tag - perInput + i + 1))));
  }
  const play = (from: number, to: number): void => {
    for (let round = from; round < to; round++) {
      publisher.onData(input);
      turn();
      if (acks !== 'none') {
        consumer.onData(settlements[round] as Buffer);
        turn();
      }
    }
  };
  play(0, rounds);
  collect();
  const heap = getHeapStatistics().used_heap_size;
  const cpu = process.cpuUsage();
  play(rounds, rounds * 2);
  const { user, system } = process.cpuUsage(cpu);
  const messages = rounds * perInput;
  const heapBytesEach = (getHeapStatistics().used_heap_size - heap) / messages;
  return { name, messages, nanosEach: ((user + system) * 1000) / messages, heapBytesEach };
}

/** What each of 100,000 messages that wait in a queue keeps, in the heap and outside it. */
export function keptCost(bodyBytes: number): KeptCost {
  const queue = `kept ${bodyBytes}`;
  const keeper = connect();
  keeper.onData(queueDeclare(1, { queue }));
  turn();
  const input = publishes(perInput, queue, bodyBytes);
  collect();
  const before = process.memoryUsage();
  const count = 200;
  for (let round = 0; round < count; round++) {
    keeper.onData(input);
    turn();
  }
  collect();
  const after = process.memoryUsage();
  const kept = (after.heapUsed + after.external - before.heapUsed - before.external) / (count * perInput);
  return { bodyBytes, keptBytesEach: kept - bodyBytes, givenBytesEach: 1 + 1 + queue.length + properties.length };
}
