import { Random } from '../../support/random.ts';
import type { SimFiles } from '../../support/sim-files.ts';
import { readBody } from '../campaign/body.ts';
import { JournalError } from '../../../src/store/journal/recovery-report.ts';
import { Recovered, streamFolder } from '../recovered.ts';
import type { Base } from './base.ts';
import { lostOfStream } from './stream-places.ts';

/** A kind of damage: what is done to one file. */
export type Injury =
  | { readonly kind: 'flip'; readonly file: string; readonly position: number; readonly bit: number }
  | { readonly kind: 'truncate'; readonly file: string; readonly size: number }
  | { readonly kind: 'tail'; readonly file: string; readonly position: number; readonly bytes: Buffer };

/** Words in which an enqueue is at least recorded. */
const enqueueBytes = 28;

export interface InjuryResult {
  readonly lost: number;
  readonly isReported: boolean;
  /** The definitions were damaged in every copy: the broker says so and does not start. */
  readonly isRefused: boolean;
  /** What is wrong; empty when all is as promised. */
  readonly violations: string[];
}

export function injuryName(injury: Injury): string {
  if (injury.kind === 'flip') return `bit ${injury.bit} of byte ${injury.position} of ${injury.file}`;
  if (injury.kind === 'truncate') return `${injury.file} cut to ${injury.size} bytes`;
  return `${injury.bytes.length} bytes at ${injury.position} of ${injury.file}`;
}

/** Damages a copy of the base, starts on it, reads every message as a consumer would, and starts once more. */
export function injure(base: Base, injury: Injury): InjuryResult {
  const violations: string[] = [];
  let files = base.files.clone(new Random(1));
  apply(files, injury);
  let recovered: Recovered;
  try {
    recovered = new Recovered(files, base.options);
  } catch (error) {
    if (error instanceof JournalError && injury.kind !== 'flip') return { lost: 0, isReported: true, isRefused: true, violations };
    return { lost: 0, isReported: false, isRefused: true, violations: [`it does not start: ${(error as Error).message}`] };
  }
  if (!recovered.begin()) violations.push('it does not begin');
  const found = readAll(recovered, violations);
  const { report, streamsReport } = recovered;
  const isReported =
    report.damaged.length + streamsReport.damaged.length > 0 || report.tornBytes + streamsReport.tornBytes > 0 || recovered.logs.length > 0;
  let lost = 0;
  let missingQueues = 0;
  for (const [name, list] of base.expected) {
    if (!recovered.queues.has(name)) missingQueues++;
    const copies = found.get(name) ?? [];
    const there = new Set(copies);
    const missing = list.filter(({ copy }) => !there.has(copy));
    lost += missing.length;
    const known = new Map(list.map(({ copy }, index) => [copy, index]));
    const order = copies.map(copy => known.get(copy) ?? -1);
    if (order.includes(-1) && !isReported) violations.push(`${name} has a message again, and nothing is reported`);
    const ordered = order.filter(index => index >= 0);
    if (ordered.some((index, at) => at > 0 && index <= (ordered[at - 1] as number))) violations.push(`${name} is out of order`);
  }
  if (lost > 0 && !isReported) violations.push(`${lost} messages are lost, and nothing is reported`);
  const most = lostMost(base, injury);
  if (lost > most && missingQueues === 0) violations.push(`${lost} messages are lost where ${most} can be`);
  if (missingQueues > 0 && !isReported) violations.push(`${missingQueues} queues are missing, and nothing is reported`);
  files = files.kill();
  try {
    const again = new Recovered(files, base.options);
    if (again.queues.size !== recovered.queues.size) violations.push('a second start finds other queues');
  } catch (error) {
    violations.push(`it does not start again: ${(error as Error).message}`);
  }
  return { lost, isReported, isRefused: false, violations };
}

function apply(files: SimFiles, injury: Injury): void {
  const { cache, durable } = files.platter.names.get(injury.file) as NonNullable<ReturnType<typeof files.platter.names.get>>;
  for (const image of [cache, durable]) {
    if (injury.kind === 'flip') {
      const byte = Buffer.alloc(1);
      image.read(byte, injury.position);
      byte[0] = (byte[0] as number) ^ (1 << injury.bit);
      image.write(injury.position, byte);
    } else if (injury.kind === 'tail') {
      image.write(injury.position, injury.bytes);
    } else {
      image.truncate(injury.size);
    }
  }
}

/** Takes every message of every queue, by the way that consumers have. */
function readAll(recovered: Recovered, violations: string[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const queue of recovered.queues.values()) {
    const copies: number[] = [];
    found.set(queue.name, copies);
    if (queue.hasOwnLog) {
      for (const body of recovered.streamBodies(queue.name)) {
        // A hole is where something damaged was passed over.
        if (body === undefined) continue;
        const copy = readBody(body);
        if (copy < 0) violations.push(`${queue.name} shows a body that nobody sent`);
        copies.push(copy);
      }
      continue;
    }
    queue.forEachReady(() => false);
    for (;;) {
      if (!recovered.drive(() => queue.fetchHead(() => {}))) violations.push(`the head of ${queue.name} does not come`);
      const body = recovered.take(queue);
      if (body === null) break;
      const copy = readBody(body);
      if (copy < 0) violations.push(`${queue.name} delivers a body that nobody sent`);
      copies.push(copy);
    }
  }
  return found;
}

/** How many messages the damaged piece has a part in. */
function lostMost(base: Base, injury: Injury): number {
  if (injury.kind === 'tail') return 0;
  if (injury.file.startsWith(streamFolder))
    return injury.kind === 'truncate'
      ? lostOfStream(base.chunks, injury.file, injury.size, true)
      : lostOfStream(base.chunks, injury.file, injury.position, false);
  const inFile = [...base.expected.values()].flat().filter(({ file }) => file === injury.file);
  if (injury.kind === 'truncate') return injury.file.endsWith('.msg') ? 3 : inFile.length + opsIn(base, injury.file, injury.size);
  if (injury.file.endsWith('.msg')) return 3;
  const frame = base.frames.find(({ file, from, to }) => file === injury.file && from <= injury.position && injury.position < to);
  if (frame === undefined) return 0;
  // The last commit before a crash counts as a whole or not at all.
  const isLast = base.frames.at(-1) === frame;
  if (injury.position >= frame.from + 64 && injury.position < frame.opsFrom && !isLast) {
    const records = inFile.filter(({ position }) => position <= injury.position).map(({ position }) => position);
    const at = Math.max(...records, -1);
    return inFile.filter(({ position }) => position === at).length;
  }
  return Math.max(
    Math.floor(frame.opsBytes / enqueueBytes),
    inFile.filter(({ position }) => position >= frame.from && position < frame.to).length,
  );
}

function opsIn(base: Base, name: string, from: number): number {
  return base.frames
    .filter(({ file, to }) => file === name && to > from)
    .reduce((sum, { opsBytes }) => sum + Math.floor(opsBytes / enqueueBytes), 0);
}
