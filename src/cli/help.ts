import type { Command } from './command.ts';
import { commandOptions, generalOptions, generalShorts, type OptionSpec } from './options.ts';
import type { Tool } from './tool.ts';

/** The line with a command's arguments. */
export function usageLine(tool: Tool, command: Command): string {
  const general = tool === 'warrenctl' ? '[--data-dir <dir> | --url <url>] [--quiet]' : '[--node <node>] [--longnames] [--quiet]';
  return `${tool} ${general} ${command.name}${command.usage === '' ? '' : ` ${command.usage}`}`;
}

/** What `--help` shows of a command. */
export function helpOf(tool: Tool, command: Command): string {
  const prefix = tool === 'warrenctl' && command.tools[0] === 'rabbitmq-plugins' ? `${tool} plugins` : tool;
  const own = command.options.map(name => optionLine(name, commandOptions[name] as OptionSpec, shortOf(name, command.shorts)));
  const lines = [
    '',
    'Usage',
    '',
    usageLine(tool, command),
    '',
    command.description,
    '',
    'Examples',
    '',
    ...command.examples.map(example => `   ${prefix} ${example}`),
    '',
  ];
  if (own.length > 0) lines.push('Options', '', ...own, '');
  if (!command.hasOwnOptions) lines.push('General Options', '', ...generalLines(), '');
  return lines.join('\n');
}

/** All commands of a tool, by groups. */
export function helpOfAll(tool: Tool, commands: Iterable<Command>): string {
  const groups = new Map<string, Command[]>();
  for (const command of commands) groups.set(command.group, [...(groups.get(command.group) ?? []), command]);
  const width = Math.max(...[...groups.values()].flat().map(({ name }) => name.length));
  const sections = [...groups].map(([group, list]) => {
    const lines = list
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, description }) => `   ${name.padEnd(width)}  ${firstSentence(description)}`);
    return `${group}:\n\n${lines.join('\n')}\n`;
  });
  const where =
    'The broker is found by its data directory (--data-dir, WARREN_DATA_DIR, RABBITMQ_MNESIA_DIR, RABBITMQ_MNESIA_BASE, ./data) and needs no\n' +
    'password there, or by --url http://HOST:15672 with --username and --password.\n';
  return (
    `\nUsage\n\n${tool} [--data-dir <dir>] [--url <url>] [--node <node>] [--timeout <seconds>] [--quiet] <command> [<command options>]\n\n` +
    `Available commands:\n\n${sections.join('\n')}\n${where}\n` +
    (tool === 'warrenctl'
      ? 'Commands of the other tools have the word in front: warrenctl plugins list, warrenctl queues rebalance all, warrenctl upgrade drain.\n\n'
      : '') +
    `Use '${tool} help <command>' to learn more about a specific command\n`
  );
}

export function firstSentence(text: string): string {
  return /^.*?[.:](?=\s|$)/s.exec(text)?.[0].replace(/[.:]$/, '') ?? text;
}

function generalLines(): string[] {
  return Object.entries(generalOptions)
    .filter(([, { description }]) => !description.startsWith('accepted without'))
    .map(([name, spec]) => optionLine(name, spec, shortOf(name, generalShorts)));
}

function optionLine(name: string, spec: OptionSpec, short: string | undefined): string {
  const form = `${short === undefined ? '    ' : `-${short}, `}--${name}${spec.value === null ? '' : ` <${spec.value}>`}`;
  return `   ${form.padEnd(36)}  ${spec.description}`;
}

function shortOf(name: string, shorts: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(shorts).find(short => shorts[short] === name);
}
