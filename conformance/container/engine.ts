// A container engine: podman or docker, as it is called on a command line.
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { uniqueName } from '../support/unique-name.ts';

const isWord = (word: string): boolean => word !== '';

/** CONTAINER_ENGINE names another one, with its options; CONTAINER_RUN_OPTIONS are put behind every `run`. */
const named = process.env['CONTAINER_ENGINE'];
const runOptions = (process.env['CONTAINER_RUN_OPTIONS'] ?? '').split(' ').filter(isWord);
const candidates = named === undefined ? ['podman', 'docker'] : [named];

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

export class Engine {
  readonly #words: readonly string[];

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  /** Runs a command of the engine; stdout and stderr come as one text. */
  run(...args: readonly string[]): Outcome {
    const [command = '', ...options] = this.#words;
    const { status, stdout, stderr } = spawnSync(command, [...options, ...args], { encoding: 'utf8', timeout: 280_000 });
    return { code: status, output: `${stdout ?? ''}${stderr ?? ''}` };
  }

  /** @throws Error with what it said, when it fails */
  must(...args: readonly string[]): string {
    const { code, output } = this.run(...args);
    if (code !== 0) throw new Error(`${this.#words.join(' ')} ${args.join(' ')}: exit code ${code}\n${output}`);
    return output;
  }

  /** Starts a container in the background, which goes with the test. */
  start(t: TestContext, image: string, options: readonly string[], command: readonly string[] = []): Container {
    const name = uniqueName('container');
    t.after(() => void this.run('rm', '-f', name));
    this.must('run', '-d', '--name', name, ...runOptions, ...options, image, ...command);
    return new Container(this, name);
  }
}

export class Container {
  readonly name: string;
  readonly #engine: Engine;

  constructor(engine: Engine, name: string) {
    this.#engine = engine;
    this.name = name;
  }

  exec(...command: readonly string[]): Outcome {
    return this.#engine.run('exec', this.name, ...command);
  }

  log(): string {
    return this.#engine.run('logs', this.name).output;
  }

  /** Where a port of the container is on this machine. */
  port(inside: number): number {
    return Number(/:(\d+)\s*$/m.exec(this.#engine.must('port', this.name, `${inside}/tcp`))?.[1]);
  }

  inspect(format: string): string {
    return this.#engine.must('inspect', '--format', format, this.name).trim();
  }

  stop(): void {
    this.#engine.must('stop', '-t', '20', this.name);
  }

  restart(): void {
    this.#engine.must('start', this.name);
  }
}

/** The first engine that runs containers here, or why there is none. */
export function engineHere(): Engine | string {
  const reasons: string[] = [];
  for (const candidate of candidates) {
    const words = candidate.split(' ').filter(isWord);
    const { error, status, stderr } = spawnSync(words[0] ?? '', [...words.slice(1), 'info'], { encoding: 'utf8', timeout: 60_000 });
    if (error === undefined && status === 0) return new Engine(words);
    reasons.push(`${candidate}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`);
  }
  return `needs a container engine (${reasons.join('; ')})`;
}
