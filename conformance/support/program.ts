// Client programs, run as a person or a supervisor would run them: as processes of their own, watched through their output.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { dirname } from 'node:path';
import { waitUntil } from './wait-until.ts';

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** Written to the program's standard input, which is then closed. */
  readonly input?: string | Uint8Array;
  readonly millisMax?: number;
  /** The program starts others, which `kill` has to take along. */
  readonly hasChildren?: boolean;
}

export interface ProgramResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A started program. Give it to `await using`, or call `kill`, so that it does not outlive its test. */
export class Program {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #hasChildren: boolean;
  readonly #ended: Promise<ProgramResult>;
  #result: ProgramResult | null = null;
  #stdout = '';
  #stderr = '';

  constructor(command: string, args: readonly string[] = [], options: ProgramOptions = {}) {
    this.name = [command, ...args].join(' ');
    this.#hasChildren = options.hasChildren ?? false;
    this.#child = spawn(command, args, {
      cwd: options.cwd,
      env: programEnvironment(options.env),
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: this.#hasChildren,
    });
    // A program may end without having read its input.
    this.#child.stdin?.on('error', () => {});
    this.#child.stdin?.end(options.input ?? '');
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        this.#result = { code, signal, stdout: this.#stdout, stderr: this.#stderr };
        resolve(this.#result);
      });
    });
    // Failing to start is reported by whoever waits for the program.
    this.#ended.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get lines(): string[] {
    return this.#stdout.split('\n').filter(line => line !== '');
  }

  get isRunning(): boolean {
    return this.#result === null;
  }

  /**
   * Waits until the program has printed something.
   * @throws Error with all its output when it ends or `millisMax` passes before that
   */
  async prints(pattern: string | RegExp, millisMax = 20_000): Promise<void> {
    const has = () => (typeof pattern === 'string' ? this.#stdout.includes(pattern) : pattern.test(this.#stdout));
    try {
      await waitUntil(`«${pattern}» from ${this.name}`, () => has() || !this.isRunning, millisMax);
      if (!has()) throw new Error(`${this.name} ended with ${this.#result?.code ?? this.#result?.signal} before it printed «${pattern}»`);
    } catch (cause) {
      throw new Error(`${(cause as Error).message}\n${this.output()}`, { cause });
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /**
   * Waits for the end of the program; after `millisMax` it is killed.
   * @throws Error with its output when it had to be killed
   */
  async end(millisMax = 30_000): Promise<ProgramResult> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#child.kill('SIGKILL');
    }, millisMax);
    try {
      const result = await this.#ended;
      if (isLate) throw new Error(`${this.name} had not ended after ${millisMax / 1000} s\n${this.output()}`);
      return result;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the program as Ctrl+C would. */
  async interrupt(): Promise<ProgramResult> {
    this.#child.kill('SIGINT');
    return this.end();
  }

  async kill(): Promise<void> {
    if (this.#result === null && this.#child.pid !== undefined) {
      // A detached process leads a group of its own, which its children belong to.
      if (this.#hasChildren) process.kill(-this.#child.pid, 'SIGKILL');
      else this.#child.kill('SIGKILL');
    }
    await this.#ended.catch(() => {});
  }

  output(): string {
    return `--- output\n${this.#stdout}--- errors\n${this.#stderr}---`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Runs a program to its end. */
export async function run(command: string, args: readonly string[] = [], options: ProgramOptions = {}): Promise<ProgramResult> {
  await using program = new Program(command, args, options);
  return await program.end(options.millisMax);
}

/**
 * Runs a program to its end and returns what it printed.
 * @throws Error with its output when it does not exit with 0
 */
export async function outputOf(command: string, args: readonly string[] = [], options: ProgramOptions = {}): Promise<string> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    throw new Error(
      `${[command, ...args].join(' ')} ended with ${result.code ?? result.signal}\n--- output\n${result.stdout}--- errors\n${result.stderr}---`,
    );
  }
  return result.stdout;
}

function programEnvironment(additions: Record<string, string> = {}): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name !== 'NODE_TEST_CONTEXT' && name !== 'NODE_OPTIONS'),
  );
  return {
    ...inherited,
    // `node` in a script's first line is the Node that runs the tests
    PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    ...additions,
  };
}
