import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Mutant, mutants } from './mutant-list.ts';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
/** A campaign that takes longer than this, and than so many times what it took with the sources as they are, hangs. */
const checkMillisMin = 180_000;
const slownessMax = 5;
/** How long each campaign took with the sources as they are: a busy machine is no catch. */
const cleanMillis = new Map<string, number>();

/** How a campaign is run against a copy of the sources: what ends it, and how its complaint looks. */
const checks = {
  kill: [['test/crash/campaign/run.ts', '--cycles', '14', '--load-millis', '300', '--until-violation', '--seed', '5']],
  power: [
    ['test/sim/durability.ts', '--seeds', '150', '--until-failure'],
    ['test/crash/powerloss/run.ts', '--states', '3000', '--until-violation', '--seed', '5'],
    ['test/crash/damage/run.ts', '--random', '400', '--bits', '3000', '--until-violation', '--seed', '5'],
  ],
} as const;

interface Outcome {
  readonly isCaught: boolean;
  readonly text: string;
}

/** Runs each broken build until a campaign notices. Returns the exit code: 0 when all are caught. */
export async function runMutants(only: string | undefined): Promise<number> {
  const chosen = mutants.filter(({ name }) => only === undefined || name.includes(only));
  const clean = await against(null);
  console.log(`${clean.isCaught ? 'WRONG  ' : 'clean  '} the sources as they are${clean.isCaught ? `: ${clean.text}` : ''}`);
  let missed = clean.isCaught ? 1 : 0;
  let caught = 0;
  for (const mutant of chosen) {
    const { isCaught, text } = await against(mutant);
    console.log(`${isCaught ? 'caught ' : 'MISSED '} ${mutant.name}${isCaught ? `: ${text}` : ''}`);
    if (isCaught) caught++;
    else missed++;
  }
  console.log(`${caught} of ${chosen.length} mutants caught`);
  return missed === 0 ? 0 : 1;
}

async function against(mutant: Mutant | null): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-mutant-'));
  try {
    for (const name of ['src', 'test', 'bin', 'tools', 'spec', 'package.json'])
      cpSync(join(root, name), join(directory, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    if (mutant !== null) breakIn(directory, mutant);
    const order = mutant?.by === 'power' ? [...checks.power, ...checks.kill] : [...checks.kill, ...checks.power];
    for (const command of order) {
      const began = performance.now();
      const [program] = command;
      const millisMax = mutant === null ? Infinity : Math.max(checkMillisMin, slownessMax * (cleanMillis.get(program) ?? 0));
      const outcome = await runCheck(directory, command, millisMax);
      if (mutant === null) cleanMillis.set(program, performance.now() - began);
      if (outcome.isCaught) return outcome;
    }
    return { isCaught: false, text: '' };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @throws Error when the piece is not there exactly once: the list has to follow the sources */
function breakIn(directory: string, { name, file, from, to }: Mutant): void {
  const path = join(directory, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(from).length !== 2) throw new Error(`mutant "${name}": ${file} has its piece ${source.split(from).length - 1} times`);
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
}

/** A campaign that complains catches; one that hangs is stopped and catches as well: the broken broker does not go on. */
function runCheck(directory: string, command: readonly string[], millisMax: number): Promise<Outcome> {
  const began = performance.now();
  return new Promise(resolve => {
    const env = { ...process.env, WARREN_CRASH_PROGRAM: 'child', TMPDIR: directory };
    const child = spawn(process.execPath, [...command], { cwd: directory, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', chunk => {
      if (complaint.length < 10_000) complaint += String(chunk);
    });
    const timer = millisMax === Infinity ? null : setTimeout(() => child.kill('SIGKILL'), millisMax);
    child.on('close', code => {
      if (timer !== null) clearTimeout(timer);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const [line = 'it does not go on'] = complaint.split('\n').filter(text => text !== '' && !/Warning|trace-warnings/.test(text));
      resolve({ isCaught: code !== 0, text: `${line.slice(0, 160)} (${command[0]}, ${seconds} s)` });
    });
  });
}

/** The list follows the sources: every piece is there exactly once. @throws Error when not */
export function checkMutants(): number {
  for (const { name, file, from } of mutants) {
    const count = readFileSync(join(root, file), 'utf8').split(from).length - 1;
    if (count !== 1) throw new Error(`mutant "${name}": ${file} has its piece ${count} times`);
  }
  return mutants.length;
}
