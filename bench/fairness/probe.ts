// Loaded into the broker: how long its loop works at one thing, in processor time of its thread, which neighbours on the machine do not lengthen.
// Each SIGUSR2 writes what was found since the last one to the file named by WARREN_PROBE_FILE.
import { renameSync, writeFileSync } from 'node:fs';

let longestMicros = 0;
let last = process.threadCpuUsage();

function look(): void {
  const usage = process.threadCpuUsage(last);
  last = process.threadCpuUsage();
  longestMicros = Math.max(longestMicros, usage.user + usage.system);
}

setInterval(look, 1).unref();
process.on('SIGUSR2', () => {
  const file = process.env.WARREN_PROBE_FILE;
  if (file === undefined) return;
  look();
  writeFileSync(`${file}.new`, JSON.stringify({ longestMicros }));
  renameSync(`${file}.new`, file);
  longestMicros = 0;
});
