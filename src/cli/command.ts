import type { ApiClient } from './api-client.ts';
import { badArgument, invalid } from './cli-error.ts';
import type { Output } from './output.ts';
import type { RabbitTool, Tool } from './tool.ts';

/** What a command gets to work with. */
export interface CommandContext {
  readonly api: ApiClient;
  readonly out: Output;
  readonly args: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  /** --vhost, "/" when not given. */
  readonly vhost: string;
  /** Under which name it was started. */
  readonly tool: Tool;
  /** Of a command that parses its options itself: everything behind its name. */
  readonly rest: readonly string[];
  /** The node's name: --node, or what the broker says. */
  node(): Promise<string>;
}

/** A command: one object each, listed in commands/registry.ts. */
export interface Command {
  readonly name: string;
  /** Arguments and options, as help shows them. */
  readonly usage: string;
  readonly group: string;
  /** Its first sentence is the line of the list of commands. */
  readonly description: string;
  /** Command lines without the program's name; at least one. */
  readonly examples: readonly string[];
  /** Which of RabbitMQ's tools have it; none: it is ours. */
  readonly tools: readonly RabbitTool[];
  /** Fewest and most arguments. */
  readonly arity: readonly [min: number, max: number];
  readonly options: readonly string[];
  readonly shorts: Readonly<Record<string, string>>;
  /** It parses its options itself. */
  readonly hasOwnOptions: boolean;
  run(context: CommandContext): Promise<void>;
}

type More = Partial<Pick<Command, 'options' | 'shorts' | 'hasOwnOptions' | 'tools'>>;

type Define = (
  head: string,
  arity: readonly [min: number, max: number],
  description: string,
  examples: readonly string[],
  run: (context: CommandContext) => Promise<void>,
  more?: More,
) => Command;

/** Defines commands of one group; `head` is a command's name and, behind a blank, its usage. */
export function commandsOf(group: string, tools: readonly RabbitTool[]): Define {
  return (head, arity, description, examples, run, more = {}) => {
    const blank = head.indexOf(' ');
    const name = blank < 0 ? head : head.slice(0, blank);
    const usage = blank < 0 ? '' : head.slice(blank + 1);
    return { name, usage, group, description, examples, tools, arity, options: [], shorts: {}, hasOwnOptions: false, ...more, run };
  };
}

/** The argument at an index. @throws CliError when it is missing */
export function argument(context: Pick<CommandContext, 'args'>, index: number): string {
  const value = context.args[index];
  if (value === undefined) throw invalid('not enough arguments.');
  return value;
}

/** The argument at an index, which must not be empty. */
export function nameArgument(context: Pick<CommandContext, 'args'>, index: number, what: string): string {
  const value = argument(context, index);
  if (value === '') throw badArgument(`${what} cannot be an empty string`);
  return value;
}

/** A path segment of the API. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
