import type { ApiClient } from './api-client.ts';
import { CliError, exitCodes } from './cli-error.ts';
import type { Output } from './output.ts';

/** What a command gets to work with. */
export interface CommandContext {
  readonly api: ApiClient;
  readonly out: Output;
  readonly args: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  /** --vhost, "/" when not given. */
  readonly vhost: string;
}

/** A command of warrenctl: one object each, listed in commands/registry.ts. */
export interface Command {
  readonly name: string;
  /** Arguments, as help shows them. */
  readonly usage: string;
  readonly group: string;
  readonly description: string;
  /** Fewest and most arguments. */
  readonly arity: readonly [min: number, max: number];
  run(context: CommandContext): Promise<void>;
}

/** The argument at an index. @throws CliError when it is missing */
export function argument(context: CommandContext, index: number, name: string): string {
  const value = context.args[index];
  if (value === undefined) throw new CliError(`${name} is missing`, exitCodes.usage);
  return value;
}

/** A path segment of the API. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
