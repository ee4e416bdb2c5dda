import { isIP } from 'node:net';
import { ConfigError, EXIT_USAGE, quotable } from './config-error.ts';

/** The command line of `warren`, as typed. */
export interface CommandLine {
  readonly action: 'start' | 'help' | 'version';
  /** --config */
  readonly config: string | null;
  /** --data-dir */
  readonly dataDir: string | null;
  /** --in-memory */
  readonly inMemory: boolean;
  /** --port; 0 takes a free one. */
  readonly port: number | null;
  /** --host: an address, or null for every interface; undefined if the flag is not given. */
  readonly host: string | null | undefined;
  /** --print-url */
  readonly printUrl: boolean;
  /** --watch-definitions */
  readonly watchDefinitions: string | null;
  /** --seed */
  readonly seed: string | null;
}

export const USAGE = `Usage: warren [options]
       warren check DIR | export DIR

Starts the broker. Without options it listens for AMQP on 127.0.0.1:5672 and keeps its data in ./data.

  --config FILE      read FILE, in rabbitmq.conf's format (of a directory: its *.conf, in name order)
                     instead of RABBITMQ_CONFIG_FILE or /etc/rabbitmq/rabbitmq.conf and /etc/rabbitmq/conf.d
  --data-dir DIR     keep everything durable in DIR (default: ./data, below the current directory)
  --in-memory        keep nothing on disk
  --host ADDRESS     listen for AMQP on ADDRESS only (any: on every interface)
  --port N           listen for AMQP on port N; with 0 on a free one, and every server on a free one
                     whose port is not configured
  --print-url        print the AMQP URL on standard output as soon as the broker is ready
  --watch-definitions FILE
                     load definitions from FILE, and again whenever it changes
  --seed FILE        begin with what is in FILE, JSON lines as \`warren export\` writes them, if there are no queues yet
  check DIR          look whether everything in a data directory is sound; changes nothing
  export DIR         write definitions and messages of a data directory as JSON lines; changes nothing
  --version          print the version and exit
  --help             print this and exit

Options go before environment variables (RABBITMQ_DEFAULT_USER, RABBITMQ_NODE_PORT, ...), and these before
the configuration file. The reference of keys and variables is docs/guides/configuration.md.
`;

type Flag = 'config' | 'data-dir' | 'port' | 'host' | 'watch-definitions' | 'seed';

/**
 * Reads the arguments after the program's name. The last of repeated flags counts.
 * @throws ConfigError with exit code 64 for what is no option, or has no proper value
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const values = new Map<Flag, string>();
  let action: CommandLine['action'] = 'start';
  let inMemory = false;
  let printUrl = false;
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    const equals = argument.indexOf('=');
    const name = argument.startsWith('--') && equals > 0 ? argument.slice(0, equals) : argument;
    switch (name) {
      case '--config':
      case '--data-dir':
      case '--port':
      case '--host':
      case '--watch-definitions':
      case '--seed': {
        const value = equals > 0 ? argument.slice(equals + 1) : argv[++index];
        // "--config --port 0": the value was forgotten.
        if (value === undefined || value === '' || (equals < 0 && value.startsWith('--'))) throw usageError(`${name} needs a value`);
        values.set(name.slice(2) as Flag, value);
        continue;
      }
      case '--in-memory':
      case '--print-url':
      case '--help':
      case '--version':
        if (equals > 0) throw usageError(`${name} takes no value`);
        if (name === '--in-memory') inMemory = true;
        else if (name === '--print-url') printUrl = true;
        // Help goes before everything else that was asked for.
        else if (action !== 'help') action = name === '--help' ? 'help' : 'version';
        continue;
      case '-h':
        action = 'help';
        continue;
      default:
        throw usageError(argument.startsWith('-') ? `there is no option ${quotable(name)}` : `unexpected argument "${quotable(argument)}"`);
    }
  }
  if (inMemory && values.has('data-dir')) throw usageError('--in-memory and --data-dir exclude each other');
  return {
    action,
    config: values.get('config') ?? null,
    dataDir: values.get('data-dir') ?? null,
    inMemory,
    port: parsePort(values.get('port')),
    host: parseHost(values.get('host')),
    printUrl,
    watchDefinitions: values.get('watch-definitions') ?? null,
    seed: values.get('seed') ?? null,
  };
}

function usageError(problem: string): ConfigError {
  return new ConfigError([problem], EXIT_USAGE, USAGE);
}

function parsePort(value: string | undefined): number | null {
  if (value === undefined) return null;
  if (!/^[0-9]{1,5}$/.test(value) || Number(value) > 65535) throw usageError(`--port ${quotable(value)}: expected a port from 0 to 65535`);
  return Number(value);
}

function parseHost(value: string | undefined): string | null | undefined {
  if (value === undefined) return undefined;
  if (value === 'any') return null;
  if (value === 'localhost') return '127.0.0.1';
  const address = value.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 0) throw usageError(`--host ${quotable(value)}: expected an IP address, localhost or any`);
  return address;
}
