// What large works hold up: for how long the broker's thread is busy with one thing while 10,000 queues are imported, a virtual host goes, a
// million messages are purged. It prints what it measured, good or bad, and fails nobody.
//   npm run bench:holds -- [--only import,purge] [--scale 1] [--reps 1]
// "Held" is processor time of the broker's thread between two looks at its sockets: what no neighbour on the machine can lengthen, and no client
// can be served in.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startOwn } from '../macro/own-broker.ts';
import type { Site } from './given.ts';
import { longestHoldMillis, pause } from './measure.ts';
import { works } from './works.ts';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    scale: { type: 'string', default: '1' },
    reps: { type: 'string', default: '1' },
    profile: { type: 'string' },
  },
});
const only = values.only.split(',').filter(name => name !== '');
const directory = mkdtempSync(join(tmpdir(), 'warren-holds-'));
const probeFile = join(directory, 'probe.json');
const broker = await startOwn(root, {
  ...(values.profile === undefined ? {} : { profile: values.profile }),
  configuration: [
    'cluster_queue_limit = 1000000',
    'warren.connections_per_ip_max = 20000',
    'consumer_max_per_channel = 20000',
    'connection_max = 20000',
    'management.http.max_body_size = 100000000',
  ],
  nodeOptions: ['--import', pathToFileURL(join(root, 'bench', 'fairness', 'probe.ts')).href],
  environment: { WARREN_PROBE_FILE: probeFile, RABBITMQ_NODENAME: 'rabbit@localhost' },
});
const pid = broker.pid as number;
try {
  // What is loaded behind the start is loaded.
  await pause(3000);
  const site: Site = { port: broker.port, httpPort: broker.httpPort, scale: Number(values.scale) };
  console.log('| work | takes, ms | held, ms |');
  console.log('| --- | ---: | ---: |');
  for (const work of works) {
    if (only.length > 0 && !only.includes(work.name)) continue;
    const [held, taken]: [number[], number[]] = [[], []];
    for (let rep = 0; rep < Number(values.reps); rep++) {
      const act = await work.prepare(site);
      await pause(200);
      await longestHoldMillis(pid, probeFile);
      const began = performance.now();
      await act();
      taken.push(performance.now() - began);
      // What goes on behind the answer counts as well.
      await pause(1000);
      held.push(await longestHoldMillis(pid, probeFile));
      await work.clean(site);
    }
    const show = (numbers: readonly number[], digits: number): string => numbers.map(each => each.toFixed(digits)).join(', ');
    console.log(`| ${work.name}: ${work.what} | ${show(taken, 0)} | ${show(held, 1)} |`);
  }
} finally {
  await broker.stop();
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);
