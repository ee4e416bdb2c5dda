// The program warren as a child process, started as a person starts it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitUntil } from './wait-until.ts';

const program = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'bin', 'warren');

export interface WarrenOptions {
  /** Further arguments. `--port 0` is there unless `--port`, or `conf` with listeners, says otherwise. */
  readonly args?: readonly string[];
  /** Lines of its configuration file. */
  readonly conf?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: one of its own; null for a broker in memory. */
  readonly dataDir?: string | null;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A temporary directory for a test. */
export function temporaryDirectory(t: { after(remove: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'warren-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export class WarrenProcess {
  readonly child: ChildProcess;
  readonly dataDir: string | null;
  /** Resolves when it is over. */
  readonly exited: Promise<Exit>;
  stdout = '';
  stderr = '';

  private constructor(child: ChildProcess, dataDir: string | null) {
    this.child = child;
    this.dataDir = dataDir;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.exited = once(child, 'close').then(([code, signal]) => ({ code, signal }) as Exit);
  }

  /** Runs the program; it may end at once. Killed with the test at the latest. */
  static run(t: { after(end: () => unknown): void }, options: WarrenOptions = {}): WarrenProcess {
    const directory = temporaryDirectory(t);
    const dataDir = options.dataDir === undefined ? join(directory, 'data') : options.dataDir;
    const args = [...(dataDir === null ? ['--in-memory'] : ['--data-dir', dataDir]), ...(options.args ?? [])];
    // Nothing of the machine's own configuration.
    const conf = join(directory, 'rabbitmq.conf');
    writeFileSync(conf, options.conf ?? '');
    if (!args.includes('--config') && options.env?.['RABBITMQ_CONFIG_FILE'] === undefined) args.push('--config', conf);
    if (
      !args.includes('--port') &&
      !/^listeners\.|^management\.tcp/m.test(options.conf ?? '') &&
      options.env?.['RABBITMQ_NODE_PORT'] === undefined
    )
      args.push('--port', '0');
    const inherited = Object.entries(process.env).filter(([name]) => !/^(RABBITMQ|WARREN|NODE)_/.test(name));
    const env = { ...Object.fromEntries(inherited), ...options.env };
    const warren = new WarrenProcess(spawn(process.execPath, [program, ...args], { cwd: directory, env, stdio: 'pipe' }), dataDir);
    t.after(async () => {
      if (warren.child.exitCode === null && warren.child.signalCode === null) warren.child.kill('SIGKILL');
      await warren.exited;
    });
    return warren;
  }

  /** Runs the program with these arguments only. */
  static tool(t: { after(end: () => unknown): void }, args: readonly string[]): WarrenProcess {
    const warren = new WarrenProcess(spawn(process.execPath, [program, ...args], { stdio: 'pipe' }), null);
    t.after(async () => {
      if (warren.child.exitCode === null && warren.child.signalCode === null) warren.child.kill('SIGKILL');
      await warren.exited;
    });
    return warren;
  }

  /** Runs the program and waits until it serves. */
  static async start(t: { after(end: () => unknown): void }, options: WarrenOptions = {}): Promise<WarrenProcess> {
    const warren = WarrenProcess.run(t, options);
    await warren.logged(/Server startup complete/);
    return warren;
  }

  get output(): string {
    return this.stdout + this.stderr;
  }

  /** Of the first plain AMQP listener. */
  get port(): number {
    const found = /started TCP listener on [^\s"]*:(\d+)/.exec(this.output);
    if (found === null) throw new Error(`no port in:\n${this.output}`);
    return Number(found[1]);
  }

  get pid(): number {
    return Number(readFileSync(join(String(this.dataDir), 'warren.pid'), 'utf8'));
  }

  /** Waits for a line of its output. */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    await waitUntil(() => pattern.test(this.output) || this.child.exitCode !== null, {
      timeoutMillis: 15_000,
      message: () => `${pattern} in:\n${this.output}`,
    });
    const match = pattern.exec(this.output);
    if (match === null) throw new Error(`the broker ended without ${pattern}:\n${this.output}`);
    return match;
  }

  /** Ends it with a signal. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.child.kill(signal);
    return this.exited;
  }
}
