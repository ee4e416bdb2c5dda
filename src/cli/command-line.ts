import { CliError, exitCodes } from './cli-error.ts';

/** What stands in a command line, options taken out of wherever they are. */
export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
  /** Options by their long name; a flag is 'true'. */
  readonly options: ReadonlyMap<string, string>;
}

/** Options that take a value, and their short forms. [rabbitmqctl(8), general options] */
const valued = new Set([
  'node',
  'vhost',
  'timeout',
  'formatter',
  'data-dir',
  'url',
  'apply-to',
  'priority',
  'format',
  'default-queue-type',
  'description',
  'tags',
  'per-connection-delay',
  'limit',
  'hashing-algorithm',
]);
const shortForms: ReadonlyMap<string, string> = new Map([
  ['n', 'node'],
  ['p', 'vhost'],
  ['t', 'timeout'],
  ['q', 'quiet'],
  ['s', 'silent'],
  ['l', 'longnames'],
  ['u', 'url'],
  ['?', 'help'],
  ['h', 'help'],
  ['e', 'if-empty'],
]);
const flags = new Set([
  'quiet',
  'silent',
  'longnames',
  'help',
  'no-table-headers',
  'online',
  'offline',
  'local',
  'global',
  'if-unused',
  'if-empty',
  'dry-run',
  'script-name',
  'pre-hashed-password',
  'skip-if-unchanged',
  'verbose',
  'version',
  'erlang-cookie',
  'aggregate',
]);

/** @throws CliError for an unknown option or one without its value. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const options = new Map<string, string>();
  const words: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === '--') {
      words.push(...argv.slice(at + 1));
      break;
    }
    const match = /^--([a-z][a-z-]*)(?:=(.*))?$/s.exec(word);
    const short = /^-([a-z?])$/.exec(word);
    const name = match?.[1] ?? (short === null ? undefined : shortForms.get(short[1] as string));
    if (name === undefined || (!valued.has(name) && !flags.has(name))) {
      if (match !== null || short !== null) throw new CliError(`Invalid options for this command: ${word}`, exitCodes.usage);
      words.push(word);
      continue;
    }
    if (flags.has(name)) {
      options.set(name, 'true');
      continue;
    }
    const value = match?.[2] ?? argv[++at];
    if (value === undefined) throw new CliError(`option ${word} needs a value`, exitCodes.usage);
    options.set(name, value);
  }
  return { command: words[0] ?? '', args: words.slice(1), options };
}
