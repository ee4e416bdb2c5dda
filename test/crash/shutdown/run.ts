// Power cuts as the kernel knows them: a real ext4 on a loop device is shut down under a broker at work, mounted again, and looked at.
//   npm run shutdowns -- --cycles 50 --seed S      (Linux, root, mount -o loop, mkfs.ext4, xfs_io of xfsprogs)
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Random } from '../../support/random.ts';
import { audit, auditMetadata } from '../campaign/audit.ts';
import { Ledger } from '../campaign/ledger.ts';
import { declareTopology } from '../campaign/declare.ts';
import { Load } from '../campaign/load.ts';
import { Memory } from '../campaign/memory.ts';
import type { Ports } from '../campaign/ports.ts';
import { Site } from '../campaign/site.ts';
import { Victim } from '../campaign/victim.ts';

const { values } = parseArgs({ options: { cycles: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' } } });
const cycles = Number(values.cycles);
const seed = Number(values.seed);
const imageBytes = 1024 * 1024 * 1024;
const exitMillisMax = 5000;

const directory = mkdtempSync(join(tmpdir(), 'warren-shutdown-'));
const image = join(directory, 'disk.img');
const disk = join(directory, 'disk');
const ledger = new Ledger();
const memory = new Memory(ledger);
const began = performance.now();
/** One loop device for the whole run. */
let device = '';
let failed = 0;
let unclean = 0;

function mount(): void {
  execFileSync('mount', [device, disk]);
}

async function start(): Promise<{ victim: Victim; ports: Ports }> {
  const victim = new Victim(join(disk, 'data'), null);
  const ports = await victim.started;
  if (ports === null) throw new Error(`the broker does not start:\n${victim.output}`);
  return { victim, ports };
}

/** Looks for damage in what a broker said. */
function listen(victim: Victim): void {
  const line = /^.*(damage in the journal|is damaged on disk).*$/m.exec(victim.output);
  if (line !== null) ledger.violation('unexpected', `the broker said: ${line[0]}`);
}

function finish(text: string): never {
  spawnSync('umount', ['-l', disk]);
  if (device !== '') spawnSync('losetup', ['-d', device]);
  rmSync(directory, { recursive: true, force: true });
  console.log(text);
  process.exit(ledger.violations.length === 0 && text.startsWith('{') ? 0 : 1);
}

mkdirSync(disk);
writeFileSync(image, '');
truncateSync(image, imageBytes);
try {
  execFileSync('mkfs.ext4', ['-q', '-F', image]);
  device = execFileSync('losetup', ['--find', '--show', image], { encoding: 'utf8' }).trim();
  mount();
  execFileSync('xfs_io', ['-x', '-c', 'stat', disk], { stdio: 'ignore' });
} catch (error) {
  finish(`not possible here: ${(error as Error).message}`);
}
for (let cycle = 0; cycle <= cycles && ledger.violations.length === 0; cycle++) {
  const random = new Random(seed * 100_000 + cycle);
  const isLast = cycle === cycles;
  const { victim, ports } = await start();
  const site = new Site(ports, ledger, random, memory);
  try {
    if (cycle > 0) await auditMetadata(site);
    await declareTopology(site);
    await audit(site, { isDrain: isLast || random.chance(0.7), hasDeep: true, drainsDeep: isLast });
  } catch (error) {
    ledger.violation('unexpected', `${String(error)}; the broker said:\n${victim.output}`);
    await victim.end('SIGKILL');
    break;
  }
  if (isLast) {
    await victim.end('SIGTERM');
    break;
  }
  const load = new Load(site);
  load.start();
  await delay(30 + random.below(500));
  // What is in the file system's journal and not written yet is lost with all else that was not synced.
  execFileSync('xfs_io', ['-x', '-c', 'shutdown', disk]);
  const exit = await Promise.race([victim.exited, delay(exitMillisMax, null)]);
  if (exit?.code === 70) failed++;
  else unclean++;
  await victim.end('SIGKILL');
  await load.end();
  listen(victim);
  ledger.restarted();
  execFileSync('umount', [disk]);
  mount();
  if (cycle % 10 === 9)
    console.log(`${cycle + 1} shutdowns, ${ledger.confirmedMessages} confirmed, ${ledger.violations.length} violations`);
}
for (const violation of ledger.violations) console.error(violation);
finish(
  JSON.stringify({
    seed,
    cycles,
    exits70: failed,
    killed: unclean,
    confirmed: ledger.confirmedMessages,
    confirmedByKind: ledger.confirmedByKind,
    deliveries: ledger.deliveries,
    violations: ledger.violations.length,
    violationCounts: ledger.violationCounts,
    seconds: (performance.now() - began) / 1000,
  }),
);
