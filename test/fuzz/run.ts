// Fuzzes a broker: node test/fuzz/run.ts [--protocol amqp|mqtt] [--seed N] [--sessions COUNT] [--frames COUNT]
// A failure prints the seed and what the session sent.
import { parseArgs } from 'node:util';
import { Fuzzer } from './fuzzer.ts';
import { MqttFuzzer } from './mqtt-fuzzer.ts';

const { values } = parseArgs({
  options: {
    protocol: { type: 'string', default: 'amqp' },
    seed: { type: 'string', default: '1' },
    sessions: { type: 'string', default: '20000' },
    frames: { type: 'string', default: '2000000' },
    quiet: { type: 'boolean', default: false },
  },
});
const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);
const seed = Number(values.seed);
const began = performance.now();
if (values.protocol === 'mqtt') {
  fuzzMqtt();
  process.exit();
}
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

function fuzzMqtt(): void {
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
