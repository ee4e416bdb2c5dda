// Runs bin/warrenctl as a shell does, under any of its names.
import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rabbitTools } from '../../../src/cli/tool.ts';

const program = join(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))), 'bin', 'warrenctl');

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Cli {
  readonly #directory: string;
  readonly #environment: Readonly<Record<string, string>>;

  /** Links all names in `directory`. */
  constructor(directory: string, environment: Readonly<Record<string, string>>) {
    this.#directory = join(directory, 'bin');
    mkdirSync(this.#directory, { recursive: true });
    for (const name of ['warrenctl', ...rabbitTools]) symlinkSync(program, join(this.#directory, name));
    const inherited = Object.entries(process.env).filter(([name]) => !/^(RABBITMQ|WARREN|NODE)_/.test(name));
    this.#environment = { ...(Object.fromEntries(inherited) as Record<string, string>), ...environment };
  }

  run(name: string, args: readonly string[], input = ''): Promise<CliResult> {
    // A command that hangs must not hold up all tests.
    const child = spawn(process.execPath, [join(this.#directory, name), ...args], {
      env: this.#environment,
      cwd: this.#directory,
      timeout: 60_000,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', code => resolve({ code, stdout, stderr }));
    });
  }

  ctl(...args: string[]): Promise<CliResult> {
    return this.run('warrenctl', args);
  }

  /** Runs it until its output is as wanted, then stops it as Ctrl+C does. Rejects when it ends before. */
  runUntil(name: string, args: readonly string[], isDone: (stdout: string) => boolean): Promise<string> {
    const child = spawn(process.execPath, [join(this.#directory, name), ...args], {
      env: this.#environment,
      cwd: this.#directory,
      timeout: 60_000,
    });
    let stdout = '';
    return new Promise((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
        if (isDone(stdout) && !child.killed) child.kill('SIGINT');
      });
      child.on('error', reject);
      child.on('close', code => (isDone(stdout) && code === 0 ? resolve(stdout) : reject(new Error(`ended with ${code}: ${stdout}`))));
    });
  }
}
