// What a message costs inside the process, without sockets or event loop: CPU time and bytes of heap, for publishing, routing, delivering and
// acknowledging, what a queued message keeps beyond its bytes, what idle channels and queues keep, and what the life of a connection costs.
//   npm run bench:micro [-- ROUNDS] [--json]         ROUNDS of 500 messages each
// Heap is counted without collections in between: the process starts itself again with a young generation that holds everything.
import { spawnSync } from 'node:child_process';
import { connectionCost } from './connection-cost.ts';
import { idleCost, idleThings } from './idle-cost.ts';
import { heapFlags, keptCost, messageCost, steadyPaths } from './message-cost.ts';

if (!process.execArgv.includes('--expose-gc')) {
  const { status } = spawnSync(process.execPath, [...heapFlags, ...process.argv.slice(1)], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

const isJson = process.argv.includes('--json');
const rounds = Number(process.argv.slice(2).find(argument => argument !== '--json') ?? 400);

if (!isJson) console.log(`${'scenario'.padEnd(44)}${'messages'.padStart(10)}${'ns/message'.padStart(12)}${'heap B/message'.padStart(16)}`);
for (const path of steadyPaths) {
  const cost = messageCost(path, rounds);
  const { name, messages, nanosEach, heapBytesEach } = cost;
  if (isJson) console.log(JSON.stringify(cost));
  else
    console.log(
      `${name.padEnd(44)}${String(messages).padStart(10)}${nanosEach.toFixed(0).padStart(12)}${heapBytesEach.toFixed(1).padStart(16)}`,
    );
}
for (const bodyBytes of [16, 1024]) {
  const cost = keptCost(bodyBytes);
  const { keptBytesEach, givenBytesEach } = cost;
  if (isJson) console.log(JSON.stringify(cost));
  else
    console.log(
      `a queued message of ${bodyBytes} B keeps ${keptBytesEach.toFixed(1)} B beyond its body (of them exchange, routing key and properties ${givenBytesEach} B)`,
    );
}
for (const what of idleThings) {
  const cost = idleCost(what);
  if (isJson) console.log(JSON.stringify(cost));
  else console.log(`an idle ${what} keeps ${cost.idleBytesEach.toFixed(0)} B of heap`);
}
const connection = connectionCost(10_000);
if (isJson) console.log(JSON.stringify(connection));
else
  console.log(
    `the life of a connection costs ${connection.lifeMicrosEach.toFixed(1)} us and ${connection.lifeHeapBytesEach.toFixed(0)} B of heap, besides its socket`,
  );
