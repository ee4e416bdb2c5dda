import { version } from '../base/version.ts';
import { ApiClient } from './api-client.ts';
import { CliError, exitCodes } from './cli-error.ts';
import type { Command } from './command.ts';
import { parseCommandLine } from './command-line.ts';
import { commands } from './commands/registry.ts';
import { Output } from './output.ts';

const requestTimeoutMillis = 60_000;

function helpOf(command: Command): string {
  return `\nUsage\n\nwarrenctl [--data-dir <dir>] [--url <url>] [--quiet] ${command.name} ${command.usage}\n\n${command.description}\n`;
}

function help(): string {
  const groups = new Map<string, Command[]>();
  for (const command of commands.values()) groups.set(command.group, [...(groups.get(command.group) ?? []), command]);
  const sections = [...groups].map(
    ([group, list]) =>
      `${group}:\n\n${list.map(command => `   ${command.name.padEnd(28)}  ${command.description.split('. ')[0]}`).join('\n')}\n`,
  );
  return (
    '\nUsage\n\nwarrenctl [--data-dir <dir>] [--url <url>] [--node <node>] [--timeout <seconds>] [--quiet] <command> [<command options>]\n\n' +
    `Available commands:\n\n${sections.join('\n')}\n` +
    'The broker is found by its data directory (--data-dir, WARREN_DATA_DIR, ./data) and needs no password there, or by --url http://USER:PASSWORD@HOST:15672.\n' +
    "Use 'warrenctl help <command>' to learn more about a specific command\n"
  );
}

async function run(argv: readonly string[]): Promise<void> {
  const line = parseCommandLine(argv);
  const out = new Output(line.options);
  if (line.command === 'version' || line.options.has('version')) {
    out.write(version);
    return;
  }
  if (line.command === '' || line.command === 'help') {
    const about = commands.get(line.args[0] ?? '');
    if (line.args.length > 0 && about === undefined) throw new CliError(`Command '${line.args[0]}' not found.`, exitCodes.usage);
    out.write(about === undefined ? help() : helpOf(about));
    if (line.command === '' && !line.options.has('help')) process.exitCode = exitCodes.usage;
    return;
  }
  const command = commands.get(line.command);
  if (command === undefined)
    throw new CliError(`Command '${line.command}' not found. Use 'warrenctl help' for a list of commands.`, exitCodes.usage);
  if (line.options.has('help')) {
    out.write(helpOf(command));
    return;
  }
  const [min, max] = command.arity;
  if (line.args.length < min) throw new CliError(`not enough arguments.\n${helpOf(command)}`, exitCodes.usage);
  if (line.args.length > max) throw new CliError(`too many arguments.\n${helpOf(command)}`, exitCodes.usage);
  const seconds = Number(line.options.get('timeout') ?? Number.NaN);
  const api = new ApiClient(
    { dataDir: line.options.get('data-dir') ?? process.env.WARREN_DATA_DIR ?? 'data', url: line.options.get('url') ?? null },
    Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : requestTimeoutMillis,
  );
  await command.run({ api, out, args: line.args, options: line.options, vhost: line.options.get('vhost') ?? '/' });
}

/** Runs the command of this process's command line. */
export async function main(): Promise<void> {
  try {
    await run(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    process.stderr.write(`Error: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
