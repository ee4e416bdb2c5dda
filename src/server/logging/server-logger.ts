import type { Logger } from '../../core/ports/logger.ts';
import { ExchangeTarget, type PublishLog } from './exchange-target.ts';
import { LOG_LEVELS } from '../config/schema/logging.ts';
import type { EntryFormat, EntryLevel, LogCategory, LogLevel } from './log-entry.ts';
import { severity, weights } from './log-entry.ts';
import type { LogTarget } from './log-target.ts';
import { wallMillis } from './timestamp.ts';

/** One place where entries go: those of its level and above, in its format. */
export interface LogOutput {
  /** 'console', or the path of the file. */
  readonly name: string;
  readonly target: LogTarget;
  readonly format: EntryFormat;
  readonly level: LogLevel;
}

/** The server's log. Levels can be changed while it runs. */
export class ServerLogger implements Logger {
  readonly #outputs: readonly LogOutput[];
  /** Thresholds of the outputs, in their order. */
  #thresholds: number[];
  /** A category with a level of its own has it at every output. [RabbitMQ docs: log categories] */
  readonly #categories = new Map<LogCategory, LogLevel>();

  constructor(outputs: readonly LogOutput[]) {
    this.#outputs = outputs;
    this.#thresholds = outputs.map(output => severity(output.level));
  }

  get outputNames(): string[] {
    return this.#outputs.map(output => output.name);
  }

  debug(category: LogCategory, text: string): void {
    this.#log('debug', category, text, undefined);
  }

  info(category: LogCategory, text: string): void {
    this.#log('info', category, text, undefined);
  }

  warning(category: LogCategory, text: string): void {
    this.#log('warning', category, text, undefined);
  }

  error(category: LogCategory, text: string, error?: unknown): void {
    this.#log('error', category, text, error);
  }

  /** Sets the level of a category, or, without one, that of every output. Levels of categories stay then. */
  setLevel(level: LogLevel, category?: LogCategory): void {
    if (category === undefined) this.#thresholds = this.#thresholds.map(() => severity(level));
    else this.#categories.set(category, level);
  }

  /** The least important level that each output takes, by the output's name. */
  get outputLevels(): { readonly name: string; readonly level: LogLevel }[] {
    return this.#outputs.map(({ name }, index) => ({ name, level: LOG_LEVELS[this.#thresholds[index] as number] as LogLevel }));
  }

  /** The levels of categories that have one of their own. */
  get categoryLevels(): ReadonlyMap<LogCategory, LogLevel> {
    return this.#categories;
  }

  /** The category follows the outputs' levels again. */
  clearLevel(category: LogCategory): void {
    this.#categories.delete(category);
  }

  /** Gives the outputs that publish their lines somebody to do it. */
  publishTo(publish: PublishLog): void {
    for (const { target } of this.#outputs) if (target instanceof ExchangeTarget) target.attach(publish);
  }

  /** Log files are opened anew: whoever rotates them from outside has moved them. */
  reopen(): void {
    for (const { target } of this.#outputs) target.reopen();
  }

  /** Says why the process ends at once. It is written when this returns. */
  lastWords(text: string, error?: unknown): void {
    const entry = { timeMillis: wallMillis(), level: 'error', category: 'default', text, error } as const;
    for (const { target, format } of this.#outputs) target.writeLast(format(entry));
  }

  /** Waits until everything is written, at most `timeoutMillis`, and closes the files. Later entries are lost. */
  async close(timeoutMillis = 1000): Promise<void> {
    await Promise.all(this.#outputs.map(({ target }) => target.flush(timeoutMillis)));
    for (const { target } of this.#outputs) target.close();
  }

  #log(level: EntryLevel, category: LogCategory, text: string, error: unknown): void {
    const ownLevel = this.#categories.size === 0 ? undefined : this.#categories.get(category);
    const weight = weights[level];
    for (let index = 0; index < this.#outputs.length; index++) {
      const threshold = ownLevel === undefined ? (this.#thresholds[index] as number) : severity(ownLevel);
      if (weight < threshold) continue;
      const { target, format } = this.#outputs[index] as LogOutput;
      target.write(format({ timeMillis: wallMillis(), level, category, text, error }), level);
    }
  }
}
