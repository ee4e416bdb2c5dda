import { csv } from './formatters/csv.ts';
import { json } from './formatters/json.ts';
import { prettyTable } from './formatters/pretty-table.ts';
import { tabs } from './formatters/tabs.ts';
import { CliError, exitCodes } from './cli-error.ts';

/** Rows of a listing: one value per column. */
export interface Listing {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

export type Formatter = (listing: Listing, withHeader: boolean) => string;

const formatters: ReadonlyMap<string, Formatter> = new Map([
  ['table', tabs],
  ['erlang', tabs],
  ['pretty_table', prettyTable],
  ['json', json],
  ['csv', csv],
]);

/** Where a command's words and listings go, as its options want it. */
export class Output {
  readonly #formatter: Formatter;
  readonly #isQuiet: boolean;
  readonly #withHeader: boolean;
  readonly isJson: boolean;

  constructor(options: ReadonlyMap<string, string>) {
    const name = options.get('formatter') ?? 'table';
    const formatter = formatters.get(name);
    if (formatter === undefined)
      throw new CliError(`formatter ${name} is not supported; there are ${[...formatters.keys()].join(', ')}`, exitCodes.usage);
    this.#formatter = formatter;
    this.isJson = name === 'json';
    this.#isQuiet = options.has('quiet') || options.has('silent') || name === 'json' || name === 'csv';
    this.#withHeader = !options.has('silent') && !options.has('no-table-headers');
  }

  /** A remark on what is being done; left out when it is to be quiet. */
  say(text: string): void {
    if (!this.#isQuiet) this.write(text);
  }

  list(listing: Listing): void {
    const text = this.#formatter(listing, this.#withHeader);
    if (text !== '') this.write(text);
  }

  write(text: string): void {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }
}
