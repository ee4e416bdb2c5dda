import { invalid } from './cli-error.ts';
import { commandOptions, generalOptions, generalShorts, type OptionSpec } from './options.ts';

/** What a command takes besides the general options. */
export interface OptionSet {
  readonly options: readonly string[];
  /** Short forms, to long names. */
  readonly shorts: Readonly<Record<string, string>>;
}

const nothing: OptionSet = { options: [], shorts: {} };

/** What stands in a command line, options taken out of wherever they are. */
export interface CommandLine {
  /** The words that are no options. */
  readonly words: readonly string[];
  /** Options by their long name; a flag is 'true', an option that was given more than once is divided by line feeds. */
  readonly options: ReadonlyMap<string, string>;
}

/** An option's name, if the command (or any, when it is null) has one of that name. */
function specOf(name: string, command: OptionSet | null): OptionSpec | undefined {
  if (Object.hasOwn(generalOptions, name)) return generalOptions[name];
  if (command !== null && !command.options.includes(name)) return undefined;
  return Object.hasOwn(commandOptions, name) ? commandOptions[name] : undefined;
}

/** Where the command's name stands: the first word that is neither an option nor an option's value. -1 if there is none. */
export function commandAt(argv: readonly string[], from = 0): number {
  for (let at = from; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === '--' || !isOption(word)) return word === '--' ? at + 1 : at;
    const { name, value } = split(word, nothing);
    const spec = value === undefined ? specOf(name, null) : undefined;
    if (spec !== undefined && spec.value !== null) at++;
  }
  return -1;
}

/** @throws CliError for an option that the command has not, one without its value, and a number that is none */
export function parseCommandLine(argv: readonly string[], command: OptionSet = nothing): CommandLine {
  const options = new Map<string, string>();
  const words: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === '--') {
      words.push(...argv.slice(at + 1));
      break;
    }
    if (!isOption(word)) {
      words.push(word);
      continue;
    }
    const { name, value: given } = split(word, command);
    const spec = specOf(name, command);
    if (spec === undefined) throw unknownOption(word.split('=')[0] as string, given ?? '');
    if (spec.value === null) {
      if (given !== 'false') options.set(name, 'true');
      continue;
    }
    const value = given ?? argv[++at];
    if (value === undefined) throw unknownOption(word, '');
    if (spec.isInteger && !/^-?\d{1,15}$/.test(value)) throw unknownOption(`--${name}`, value);
    const before = options.get(name);
    options.set(name, before === undefined || name !== 'id' ? value : `${before}\n${value}`);
  }
  return { words, options };
}

function unknownOption(name: string, value: string): Error {
  return invalid(`Invalid options for this command:\n${name} : ${value}`);
}

/** `-1` and `-` are words. */
function isOption(word: string): boolean {
  return /^--[a-z]/.test(word) || /^-[A-Za-z?](?:$|=)/.test(word);
}

function split(word: string, command: OptionSet): { name: string; value: string | undefined } {
  const equals = word.indexOf('=');
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const bare = equals < 0 ? word : word.slice(0, equals);
  if (bare.startsWith('--')) return { name: bare.slice(2).replaceAll('_', '-'), value };
  const short = bare.slice(1);
  const shorts = { ...generalShorts, ...command.shorts };
  return { name: Object.hasOwn(shorts, short) ? (shorts[short] as string) : bare, value };
}
