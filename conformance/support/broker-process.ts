// A broker as a child process of the test run, started and stopped as often as a test likes, keeping its ports and data.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { speaksAmqp } from './ports.ts';
import { waitUntil } from './wait-until.ts';

/** How one product is launched. */
export interface Launch {
  readonly product: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Record<string, string | undefined>;
  readonly readyMillisMax: number;
  /** The command is a script around the broker proper: only its whole group can be killed. */
  readonly isScript: boolean;
  /** What the broker's log must never hold, or null. */
  readonly forbiddenInLog: RegExp | null;
}

const stopMillisMax = 30_000;

export class BrokerProcess {
  readonly launch: Launch;
  readonly port: number;
  readonly logFile: string;
  #child: ChildProcess | null = null;
  #isExpectedToEnd = false;
  #ownEnd: string | null = null;

  constructor(launch: Launch, port: number, directory: string) {
    this.launch = launch;
    this.port = port;
    this.logFile = join(directory, 'broker.log');
  }

  /** Of what was spawned: the broker, or the script around it. @throws Error when it does not run */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the broker does not run');
    return this.#child.pid;
  }

  /** @throws Error with the end of the broker's output when it does not come up */
  async start(): Promise<void> {
    if (this.#child) throw new Error('the broker is running already');
    const log = openSync(this.logFile, 'a');
    const child = spawn(this.launch.command, this.launch.args, {
      env: this.launch.env,
      stdio: ['ignore', log, log],
      detached: this.launch.isScript,
    });
    closeSync(log);
    this.#child = child;
    this.#isExpectedToEnd = false;
    child.once('exit', (code, signal) => {
      if (!this.#isExpectedToEnd) this.#ownEnd = `${this.launch.product} ended by itself with ${code ?? signal}`;
    });
    let failure: Error | null = null;
    child.once('error', error => (failure = error));
    try {
      await waitUntil(
        `${this.launch.product} on port ${this.port}`,
        async () => {
          const ready = await speaksAmqp('127.0.0.1', this.port);
          return ready || failure !== null || child.exitCode !== null || child.signalCode !== null;
        },
        this.launch.readyMillisMax,
      );
      if (failure) throw failure;
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`);
    } catch (cause) {
      await this.kill();
      this.#ownEnd = null;
      throw new Error(`${this.launch.product} did not start:\n${this.#logTail()}`, { cause });
    }
  }

  /** Ends the broker the clean way (SIGTERM) and waits for it. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM', stopMillisMax);
  }

  /** Ends the broker without warning (SIGKILL) and waits for it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL', stopMillisMax);
  }

  /**
   * What went wrong on the broker's side while it ran: it ended without being told to, or logged what it must never log. A client may well
   * have got over it, so it is asked for at the end.
   * @throws Error with the lines of the log
   */
  assertHealthy(): void {
    if (this.#ownEnd) throw new Error(`${this.#ownEnd}:\n${this.#logTail()}`);
    const { forbiddenInLog } = this.launch;
    const lines = existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8').split('\n') : [];
    const first = forbiddenInLog ? lines.findIndex(line => forbiddenInLog.test(line)) : -1;
    if (first !== -1) throw new Error(`${this.launch.product} logged:\n${lines.slice(first, first + 30).join('\n')}`);
  }

  async #end(signal: NodeJS.Signals, millisMax: number): Promise<void> {
    const child = this.#child;
    this.#child = null;
    this.#isExpectedToEnd = true;
    if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
    const pid = child.pid;
    const kill = () => process.kill(this.launch.isScript ? -pid : pid, 'SIGKILL');
    if (signal === 'SIGKILL') kill();
    else child.kill(signal);
    const timer = setTimeout(kill, millisMax);
    await ended;
    clearTimeout(timer);
  }

  #logTail(): string {
    return readFileSync(this.logFile, 'utf8').split('\n').slice(-30).join('\n');
  }
}
