import { CliError, exitCodes } from './cli-error.ts';
import { csv } from './formatters/csv.ts';
import { erlang } from './formatters/erlang.ts';
import { json, jsonStream } from './formatters/json.ts';
import { prettyTable } from './formatters/pretty-table.ts';
import { tabs } from './formatters/tabs.ts';

/** Rows of a listing: one value per column. */
export interface Listing {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

export type Formatter = (listing: Listing, withHeader: boolean) => string;

export const formatters: ReadonlyMap<string, Formatter> = new Map([
  ['table', tabs],
  ['erlang', erlang],
  ['pretty_table', prettyTable],
  ['json', json],
  ['json_stream', jsonStream],
  ['csv', csv],
]);

/** Where a command's words and listings go, as its options want it. */
export class Output {
  readonly #formatter: Formatter;
  readonly #isQuiet: boolean;
  readonly #isSilent: boolean;
  readonly #withHeader: boolean;
  readonly #write: (text: string) => void;
  readonly isJson: boolean;

  constructor(options: ReadonlyMap<string, string>, write: (text: string) => void) {
    const name = options.get('formatter') ?? 'table';
    const formatter = formatters.get(name);
    if (formatter === undefined)
      throw new CliError(`formatter ${name} is not supported. Try one of ${[...formatters.keys()].join(', ')}`, exitCodes.usage);
    this.#formatter = formatter;
    this.#write = write;
    this.isJson = name === 'json' || name === 'json_stream';
    this.#isQuiet = options.has('quiet') || options.has('silent') || this.isJson || name === 'csv';
    this.#isSilent = options.has('silent');
    this.#withHeader = !options.has('silent') && !options.has('no-table-headers');
  }

  /** A remark on what is being done; left out when it is to be quiet. */
  say(text: string): void {
    if (!this.#isQuiet) this.write(text);
  }

  /** What came of it, in a sentence; left out when it is to be silent. */
  done(text: string): void {
    if (this.isJson) this.write(JSON.stringify({ status: 'ok', message: text }));
    else if (!this.#isSilent) this.write(text);
  }

  /** The same, where quiet means silent: for what is only politeness. */
  finish(text: string): void {
    if (this.isJson || !this.#isQuiet) this.done(text);
  }

  /** The answer of a command that answers in a line. */
  answer(text: string): void {
    this.write(this.isJson ? JSON.stringify({ message: text }) : text);
  }

  /** Facts that are lines for people and an object for programs. */
  facts(object: unknown, lines: () => readonly string[]): void {
    this.write(this.isJson ? JSON.stringify(object) : lines().join('\n'));
  }

  list(listing: Listing): void {
    const text = this.#formatter(listing, this.#withHeader);
    if (text !== '') this.write(text);
  }

  write(text: string): void {
    this.#write(text.endsWith('\n') ? text : `${text}\n`);
  }
}
