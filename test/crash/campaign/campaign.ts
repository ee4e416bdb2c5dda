import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../../support/random.ts';
import { audit, auditMetadata } from './audit.ts';
import { declareTopology } from './declare.ts';
import { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { Memory } from './memory.ts';
import type { Ports } from './ports.ts';
import { fullLoad, type LoadSize, Site } from './site.ts';
import { type Kind, kinds } from './topology.ts';
import { type SyscallFault, Victim } from './victim.ts';

/**
 * Calls in which the journal and the data directory change something: how often one of them is chosen, and its number, from that of a start
 * on to what a moment of load makes of it, traced and on a busy machine. A number that is not reached kills nobody.
 */
const writingCalls = {
  pwrite64: { weight: 8, least: 10, most: 60 },
  fdatasync: { weight: 8, least: 8, most: 30 },
  fsync: { weight: 2, least: 3, most: 10 },
  rename: { weight: 1, least: 2, most: 6 },
  unlink: { weight: 1, least: 1, most: 3 },
  ftruncate: { weight: 1, least: 1, most: 3 },
} as const;
type WritingCall = keyof typeof writingCalls;
const startingCalls = [...(Object.keys(writingCalls) as WritingCall[]), 'pread64', 'openat'] as const;
/** By then a call that is to kill has come, or does not come. */
const callMillisMax = 2500;
const deepEvery = 10;

export interface CampaignOptions {
  readonly cycles: number;
  readonly seed: number;
  /** Whether system calls can be made to kill. */
  readonly hasStrace: boolean;
  /** Milliseconds of load before a random kill, at most. */
  readonly loadMillis: number;
  /** Kinds of traffic; all when it is not given. */
  readonly kinds?: readonly Kind[];
  /** Ends with the first thing that is wrong. */
  readonly endsAtViolation: boolean;
  readonly onProgress?: (text: string) => void;
}

export interface CampaignResult {
  readonly cycles: number;
  readonly kills: Readonly<Record<'random' | 'syscall' | 'recovery' | 'clean', number>>;
  readonly confirmed: number;
  readonly confirmedByKind: Ledger['confirmedByKind'];
  readonly copies: number;
  readonly deliveries: number;
  readonly seconds: number;
  /** How many of the kills were at a system call under load, and how many before it served. */
  readonly shares: Readonly<Record<'syscall' | 'recovery', number>>;
  /** From the start of a broker after a kill until it served. */
  readonly startMillisMax: number;
  readonly violations: readonly string[];
  readonly violationCounts: Ledger['violationCounts'];
}

/** Kills a broker again and again, on one data directory, and keeps account of what it promised. */
export class Campaign {
  readonly #options: CampaignOptions;
  readonly #directory: string;
  readonly #dataDir: string;
  readonly #ledger = new Ledger();
  readonly #memory = new Memory(this.#ledger);
  readonly #size: LoadSize;
  readonly #kills = { random: 0, syscall: 0, recovery: 0, clean: 0 };
  #random: Random;
  #startMillisMax = 0;
  /** Whether everything was declared once: a kill can come before. */
  #isDeclared = false;
  #victim: Victim | null = null;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#size = { ...fullLoad, kinds: options.kinds ?? kinds };
    this.#directory = mkdtempSync(join(tmpdir(), 'warren-campaign-'));
    this.#dataDir = join(this.#directory, 'data');
  }

  async run(): Promise<CampaignResult> {
    const began = performance.now();
    const { cycles, seed, endsAtViolation } = this.#options;
    let cycle = 0;
    try {
      for (; cycle < cycles; cycle++) {
        this.#random = new Random(seed * 100_000 + cycle);
        await this.#cycle(cycle);
        if (endsAtViolation && this.#ledger.violations.length > 0) break;
      }
      if (this.#ledger.violations.length === 0) await this.#last();
    } catch (error) {
      this.#ledger.violation('metadata', `cycle ${cycle} (seed ${seed}): ${String(error)}`);
    } finally {
      this.#victim?.child.kill('SIGKILL');
      if (this.#ledger.violations.length === 0) rmSync(this.#directory, { recursive: true, force: true });
      else this.#options.onProgress?.(`the data directory is kept: ${this.#dataDir}`);
    }
    const { confirmedMessages, confirmedByKind, count, deliveries, violations, violationCounts } = this.#ledger;
    const { random, syscall, recovery } = this.#kills;
    const share = (count: number): number => Math.round((100 * count) / Math.max(1, random + syscall + recovery)) / 100;
    return {
      cycles: cycle,
      kills: this.#kills,
      shares: { syscall: share(syscall), recovery: share(recovery) },
      confirmed: confirmedMessages,
      confirmedByKind,
      copies: count,
      deliveries,
      seconds: (performance.now() - began) / 1000,
      startMillisMax: Math.round(this.#startMillisMax),
      violations,
      violationCounts,
    };
  }

  async #cycle(cycle: number): Promise<void> {
    const random = this.#random;
    const ledger = this.#ledger;
    const { hasStrace } = this.#options;
    const how = random.weighted({ random: 5, syscall: hasStrace ? 6 : 0, clean: 1 });
    const { victim, ports } = await this.#start(how === 'syscall' ? this.#fault() : null, hasStrace && cycle > 0 && random.chance(0.12));
    // Null as well when the call came before it served.
    const { fault } = victim;
    const site = new Site(ports, ledger, random, this.#memory, this.#size);
    if (this.#isDeclared) await auditMetadata(site).catch(ignoreEnd(victim));
    const isDrain = random.chance(0.7);
    const hasDeep = cycle % deepEvery === 0;
    let isAlive = await declareTopology(site).then(() => true, ignoreEnd(victim));
    this.#isDeclared ||= isAlive;
    // A kill by a system call comes when it comes: what an audit saw until then does not count.
    if (isAlive === true && fault === null) await audit(site, { isDrain, hasDeep, drainsDeep: false });
    isAlive = victim.child.exitCode === null && victim.child.signalCode === null;
    if (isAlive) {
      const load = new Load(site);
      load.start();
      const millis = fault === null ? 50 + random.below(this.#options.loadMillis) : callMillisMax;
      await Promise.race([delay(millis), victim.exited]);
      const isKilledByCall = victim.child.signalCode !== null;
      if (how === 'clean') this.#kills.clean++;
      else if (isKilledByCall) this.#kills.syscall++;
      else this.#kills.random++;
      await victim.end(how === 'clean' ? 'SIGTERM' : 'SIGKILL');
      await load.end();
    } else {
      this.#kills.syscall++;
    }
    this.#died(victim);
    if (cycle % 10 === 9) {
      this.#options.onProgress?.(
        `cycle ${cycle + 1}: ${ledger.confirmedMessages} confirmed, ${ledger.deliveries} delivered, ${ledger.violations.length} violations`,
      );
    }
  }

  /** Everything is taken out, and what stays on disk is looked at. */
  async #last(): Promise<void> {
    const { ports } = await this.#start(null, false);
    const site = new Site(ports, this.#ledger, this.#random, this.#memory, this.#size);
    await auditMetadata(site);
    await declareTopology(site);
    await audit(site, { isDrain: true, hasDeep: true, drainsDeep: true });
    await (this.#victim as Victim).end('SIGTERM');
    this.#died(this.#victim as Victim);
  }

  /** Starts the broker, perhaps after some starts that end in the middle of recovery. */
  async #start(fault: SyscallFault | null, diesFirst: boolean): Promise<{ victim: Victim; ports: Ports }> {
    const random = this.#random;
    for (let deaths = diesFirst ? random.between(1, 3) : 0; deaths > 0; deaths--) {
      const victim = this.#spawn(random.chance(0.3) ? null : { syscall: random.pick(startingCalls), number: 1 + random.skewed(60) });
      const isUp = await Promise.race([victim.started.then(ports => ports !== null), delay(20 + random.below(400), false)]);
      await victim.end('SIGKILL');
      if (!isUp) this.#kills.recovery++;
      this.#died(victim);
    }
    for (let attempt = 0; ; attempt++) {
      const began = performance.now();
      const victim = this.#spawn(attempt === 0 ? fault : null);
      const ports = await victim.started;
      if (ports !== null) {
        if (victim.fault === null) this.#startMillisMax = Math.max(this.#startMillisMax, performance.now() - began);
        return { victim, ports };
      }
      await victim.end('SIGKILL');
      if (attempt > 0) throw new Error(`the broker does not start:\n${victim.output}`);
      this.#kills.recovery++;
      this.#died(victim);
    }
  }

  #fault(): SyscallFault {
    const weights = Object.fromEntries(Object.entries(writingCalls).map(([call, { weight }]) => [call, weight])) as Record<
      WritingCall,
      number
    >;
    const syscall = this.#random.weighted(weights);
    const { least, most } = writingCalls[syscall];
    return { syscall, number: this.#random.between(least, most) };
  }

  #spawn(fault: SyscallFault | null): Victim {
    this.#victim = new Victim(this.#dataDir, fault);
    return this.#victim;
  }

  /** Looks at what the process has said, and at how it ended. */
  #died(victim: Victim): void {
    const { exitCode } = victim.child;
    const line = /^.*(damage in the journal|is damaged on disk|\[error\](?!.*(Channel|connection) ).*|the broker ends).*$/m.exec(
      victim.output,
    );
    if (line !== null) this.#ledger.violation('unexpected', `the broker said: ${line[0]}`);
    if (exitCode !== null && exitCode !== 0)
      this.#ledger.violation('unexpected', `the broker ended with ${exitCode}:\n${victim.output.slice(-2000)}`);
    this.#ledger.restarted();
  }
}

/** Lets an error pass that is the end of the broker. @throws the error when the broker lives */
function ignoreEnd(victim: Victim): (error: unknown) => Promise<false> {
  return async error => {
    const isOver = await Promise.race([victim.exited.then(() => true), delay(500, false)]);
    if (!isOver) throw error;
    return false;
  };
}
