import { version } from '../base/version.ts';
import { ApiClient, targetOf } from './api-client.ts';
import { CliError, exitCodes } from './cli-error.ts';
import type { Command } from './command.ts';
import { commandAt, parseCommandLine, type CommandLine } from './command-line.ts';
import { commandsOfTool, findCommand, similarCommand } from './commands/registry.ts';
import { helpOf, helpOfAll, usageLine } from './help.ts';
import { Output } from './output.ts';
import { type Tool, toolByWord, toolNamed } from './tool.ts';

const requestTimeoutSeconds = 60;

/** What one call of the program is to do. */
interface Call {
  readonly tool: Tool;
  readonly argv: readonly string[];
}

/** `warrenctl plugins list` is `rabbitmq-plugins list`. */
function callOf(path: string, argv: readonly string[]): Call {
  const tool = toolNamed(path);
  const at = commandAt(argv);
  const other = tool === 'warrenctl' && at >= 0 ? toolByWord(argv[at] as string) : null;
  if (other === null) return { tool, argv };
  return { tool: other, argv: argv.toSpliced(at, 1) };
}

async function run({ tool, argv }: Call): Promise<void> {
  const at = commandAt(argv);
  const name = at < 0 ? '' : (argv[at] ?? '');
  if (name === '' || name === 'help' || name === 'version') {
    const line = parseCommandLine(argv);
    if (name === 'version' || line.options.has('version')) process.stdout.write(`${version}\n`);
    else showHelp(tool, line);
    return;
  }
  const command = findCommand(tool, name);
  if (command === undefined) throw notFound(tool, name);
  if (command.hasOwnOptions) return await start(tool, command, parseCommandLine(argv.slice(0, at)), argv.slice(at + 1));
  try {
    const line = parseCommandLine(argv, command);
    if (line.options.has('help')) {
      process.stdout.write(helpOf(tool, command));
      return;
    }
    await start(tool, command, { ...line, words: line.words.slice(1) }, []);
  } catch (error) {
    if (!(error instanceof CliError) || error.form !== 'validation') throw error;
    const usage = `Arguments given:\n\t${argv.join(' ')}\n\nUsage\n\n${usageLine(tool, command)}`;
    throw new CliError(`Error (argument validation): ${error.message}\n${usage}`, error.exitCode, 'plain');
  }
}

async function start(tool: Tool, command: Command, { words, options }: CommandLine, rest: readonly string[]): Promise<void> {
  const [min, max] = command.arity;
  if (words.length < min) throw new CliError('not enough arguments.', exitCodes.usage, 'validation');
  if (words.length > max) throw new CliError('too many arguments.', exitCodes.usage, 'validation');
  const timeout = Number(options.get('timeout') ?? requestTimeoutSeconds);
  const api = new ApiClient(targetOf(options, process.env), (timeout > 0 ? timeout : requestTimeoutSeconds) * 1000);
  let nodeName: Promise<string> | null = null;
  const node = (): Promise<string> => (nodeName ??= askNodeName(api, options.get('node')));
  const runOnce = (write: (text: string) => void): Promise<void> =>
    command.run({ api, out: new Output(options, write), args: words, options, vhost: options.get('vhost') ?? '/', tool, rest, node });
  const seconds = options.get('watch');
  try {
    if (seconds !== undefined) await (await import('./watch.ts')).watch(seconds, runOnce);
    await runOnce(text => void process.stdout.write(text));
  } finally {
    api.close();
  }
}

async function askNodeName(api: ApiClient, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const [node] = await api.list('/nodes?columns=name');
  return typeof node?.['name'] === 'string' ? node['name'] : 'rabbit@localhost';
}

function showHelp(tool: Tool, line: CommandLine): void {
  const [word, name] = line.words;
  const command = name === undefined ? undefined : findCommand(tool, name);
  if (name !== undefined && command === undefined) throw notFound(tool, name);
  if (command !== undefined) {
    process.stdout.write(helpOf(tool, command));
  } else if (word === 'help' || line.options.has('help')) {
    process.stdout.write(helpOfAll(tool, commandsOfTool(tool)));
  } else {
    process.stderr.write(helpOfAll(tool, commandsOfTool(tool)));
    process.exitCode = exitCodes.usage;
  }
}

function notFound(tool: Tool, name: string): CliError {
  const similar = similarCommand(tool, name);
  const hint = similar === null ? `Use '${tool} help' for a list of commands.` : `Did you mean '${similar}'?`;
  return new CliError(`\nCommand '${name}' not found. \n${hint}`, exitCodes.usage, 'plain');
}

/** Runs the command of this process's command line. */
export async function main(): Promise<void> {
  // Whoever reads our output may leave: `warrenctl list_queues | head`.
  process.stdout.on('error', () => process.exit(0));
  try {
    await run(callOf(process.argv[1] ?? '', process.argv.slice(2)));
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const prefix = error.form === 'plain' ? '' : error.form === 'validation' ? 'Error (argument validation): ' : 'Error:\n';
    process.stderr.write(`${prefix}${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
