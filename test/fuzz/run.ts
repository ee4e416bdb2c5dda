// Fuzzes a broker, one protocol after the other: node test/fuzz/run.ts [--protocol amqp|mqtt|stomp] [--seed N] [--sessions COUNT] [--frames COUNT]
// A failure prints the seed and what the session sent.
import { parseArgs } from 'node:util';
import { Fuzzer } from './fuzzer.ts';
import { MqttFuzzer } from './mqtt-fuzzer.ts';
import { StompFuzzer } from './stomp-fuzzer.ts';

const { values } = parseArgs({
  options: {
    protocol: { type: 'string', default: 'all' },
    seed: { type: 'string', default: '1' },
    sessions: { type: 'string', default: '20000' },
    frames: { type: 'string', default: '2000000' },
    quiet: { type: 'boolean', default: false },
  },
});
const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);
const seed = Number(values.seed);

/** STOMP's frames in this run: each session is a few dozen. */
const stompFramesMax = 1_000_000;

function fuzzAmqp(): void {
  const began = performance.now();
  const fuzzer = new Fuzzer(seed);
  let lastProgress = began;
  try {
    const report = fuzzer.run(Number(values.sessions), Number(values.frames), () => {
      if (values.quiet || performance.now() - lastProgress < 10_000) return;
      lastProgress = performance.now();
      const { sessions, frames, heap } = fuzzer.report;
      console.log(`${sessions} sessions, ${frames} frames, heap ${megabytes(heap.last)} MB`);
    });
    const seconds = (performance.now() - began) / 1000;
    const { heap } = report;
    console.log(
      `seed ${seed}: ${report.sessions} sessions, ${report.frames} frames, ${megabytes(report.bytes)} MB in ${seconds.toFixed(1)} s; 0 uncaught errors`,
    );
    console.log(`sessions: ${JSON.stringify(report.sessionsByKind)}`);
    console.log(`reply codes: ${JSON.stringify(report.codes)}; ended without a word: ${report.silentEnds}`);
    console.log(
      `heap after collection: ${megabytes(heap.first)} MB at first, ${megabytes(heap.last)} MB at the end, ${megabytes(heap.max)} MB at most`,
    );
    console.log(`the client beside was served ${report.oracleChecks} times`);
  } catch (error) {
    console.error(`seed ${seed} after ${fuzzer.report.sessions} sessions:`, error);
    process.exitCode = 1;
  }
}

function fuzzStomp(): void {
  const began = performance.now();
  const fuzzer = new StompFuzzer(seed);
  let lastProgress = began;
  try {
    const { frames, sessions, errors, delivered, receipts, heap } = fuzzer.run(Math.min(stompFramesMax, Number(values.frames)), () => {
      if (values.quiet || performance.now() - lastProgress < 10_000) return;
      lastProgress = performance.now();
      console.log(`${fuzzer.report.sessions} sessions, ${fuzzer.report.frames} frames, heap ${megabytes(fuzzer.report.heap.last)} MB`);
    });
    const seconds = (performance.now() - began) / 1000;
    console.log(`seed ${seed}: ${sessions} sessions, ${frames} STOMP frames in ${seconds.toFixed(1)} s; 0 uncaught errors`);
    console.log(`errors: ${JSON.stringify(errors)}; ${delivered} messages, ${receipts} receipts`);
    console.log(`heap after collection: ${megabytes(heap.first)} MB at first, ${megabytes(heap.last)} MB at the end`);
  } catch (error) {
    console.error(`seed ${seed} after ${fuzzer.report.sessions} sessions:`, error);
    process.exitCode = 1;
  }
}

function fuzzMqtt(): void {
  const began = performance.now();
  const mqtt = new MqttFuzzer(seed);
  try {
    const { report } = mqtt.run(Number(values.sessions), Number(values.frames));
    console.log(
      `seed ${seed}: ${report.sessions} sessions, ${report.packets} packets, ${megabytes(report.bytes)} MB in ${((performance.now() - began) / 1000).toFixed(1)} s; 0 uncaught errors`,
    );
    console.log(`reasons: ${JSON.stringify(Object.fromEntries([...report.reasons].sort(([a], [b]) => a - b)))}`);
    console.log(`heap after collection: ${megabytes(report.heapFirst)} MB at first, ${megabytes(report.heapLast)} MB at the end`);
  } catch (error) {
    console.error(`seed ${seed} after ${mqtt.report.sessions} sessions:`, error);
    process.exitCode = 1;
  }
}

const fuzzers: readonly (readonly [protocol: string, fuzz: () => void])[] = [
  ['amqp', fuzzAmqp],
  ['mqtt', fuzzMqtt],
  ['stomp', fuzzStomp],
];
for (const [protocol, fuzz] of fuzzers) if (values.protocol === 'all' || values.protocol === protocol) fuzz();
