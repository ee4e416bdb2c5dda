// What a message costs inside the process, without sockets or event loop: CPU time and bytes of heap, for publishing, routing, delivering and
// acknowledging, and what a queued message keeps beyond its bytes.
//   npm run bench:micro
// Heap is counted without collections in between: the process starts itself again with a young generation that holds everything.
import { spawnSync } from 'node:child_process';
import { getHeapStatistics } from 'node:v8';
import { connect, properties, publishes, turn } from './in-process.ts';
import { basicAck, basicConsume, basicQos, confirmSelect, queueDeclare } from '../../test/support/amqp-requests.ts';

const wanted = ['--expose-gc', '--max-semi-space-size=2048', '--min-semi-space-size=2048'];
if (!process.execArgv.includes('--expose-gc')) {
  const { status } = spawnSync(process.execPath, [...wanted, ...process.argv.slice(1)], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

const perInput = 500;

interface Scenario {
  readonly name: string;
  readonly bodyBytes: number;
  readonly acks: 'none' | 'each' | 'multiple';
  readonly confirms: boolean;
}

const scenarios: readonly Scenario[] = [
  { name: 'A   16 B, no acknowledgements', bodyBytes: 16, acks: 'none', confirms: false },
  { name: 'B   1 KiB, no acknowledgements', bodyBytes: 1024, acks: 'none', confirms: false },
  { name: 'C   16 B, acknowledged each', bodyBytes: 16, acks: 'each', confirms: false },
  { name: 'C2  16 B, acknowledged by 500', bodyBytes: 16, acks: 'multiple', confirms: false },
  { name: 'D   16 B, confirms, acknowledged each', bodyBytes: 16, acks: 'each', confirms: true },
];
const rounds = Number(process.argv[2] ?? 400);

console.log(`${'scenario'.padEnd(44)}${'messages'.padStart(10)}${'ns/message'.padStart(12)}${'heap B/message'.padStart(16)}`);
for (const { name, bodyBytes, acks, confirms } of scenarios) {
  const queue = `q${scenarios.findIndex(scenario => scenario.name === name)}`;
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
  (globalThis as { gc?: () => void }).gc?.();
  const heap = getHeapStatistics().used_heap_size;
  const cpu = process.cpuUsage();
  play(rounds, rounds * 2);
  const { user, system } = process.cpuUsage(cpu);
  const messages = rounds * perInput;
  const bytes = (getHeapStatistics().used_heap_size - heap) / messages;
  console.log(
    `${name.padEnd(44)}${String(messages).padStart(10)}${(((user + system) * 1000) / messages).toFixed(0).padStart(12)}${bytes.toFixed(1).padStart(16)}`,
  );
}

const keeper = connect();
keeper.onData(queueDeclare(1, { queue: 'kept' }));
turn();
for (const bodyBytes of [16, 1024]) {
  const input = publishes(perInput, 'kept', bodyBytes);
  (globalThis as { gc?: () => void }).gc?.();
  const before = process.memoryUsage();
  const count = 200;
  for (let round = 0; round < count; round++) {
    keeper.onData(input);
    turn();
  }
  (globalThis as { gc?: () => void }).gc?.();
  const after = process.memoryUsage();
  const kept = (after.heapUsed + after.external - before.heapUsed - before.external) / (count * perInput);
  console.log(
    `a queued message of ${bodyBytes} B keeps ${(kept - bodyBytes).toFixed(1)} B beyond its body (of them exchange, routing key and properties ${2 + 4 + properties.length} B)`,
  );
}
