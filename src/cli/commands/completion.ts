import { badArgument } from '../cli-error.ts';
import { type Command, commandsOf } from '../command.ts';
import { bash, fish, zsh } from '../completion.ts';
import { formatters } from '../output.ts';
import { commandOptions, generalOptions } from '../options.ts';
import type { Tool } from '../tool.ts';

const define = commandsOf('Help', []);
const help = commandsOf('Help', [
  'rabbitmqctl',
  'rabbitmq-diagnostics',
  'rabbitmq-queues',
  'rabbitmq-plugins',
  'rabbitmq-upgrade',
  'rabbitmq-streams',
]);
const scripts: Readonly<Record<string, () => string>> = { bash, zsh, fish };

export const completion: readonly Command[] = [
  define(
    'completion bash|zsh|fish',
    [1, 1],
    'Prints the script that completes commands and options in a shell.',
    [
      'completion bash > /etc/bash_completion.d/warrenctl',
      'completion zsh > "${fpath[1]}/_warrenctl"',
      'completion fish > ~/.config/fish/completions/warrenctl.fish',
    ],
    async ({ args, out }) => {
      const [shell = ''] = args;
      const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
      if (script === undefined) throw badArgument(`there are scripts for ${Object.keys(scripts).join(', ')}`);
      out.write(script());
      await Promise.resolve();
    },
  ),
  help(
    'autocomplete [<word> ...]',
    [0, Infinity],
    'Provides command name autocomplete variants: the words that may follow. The completion scripts ask it.',
    ['autocomplete list_q', 'autocomplete -- list_queues --fo'],
    async ({ rest, out, tool }) => {
      out.write((await candidates(tool, rest[0] === '--' ? rest.slice(1) : rest)).join('\n'));
    },
    { hasOwnOptions: true },
  ),
];

/** What the last word may become. */
async function candidates(tool: Tool, words: readonly string[]): Promise<string[]> {
  const { commandsOfTool, findCommand } = await import('./registry.ts');
  const { commandAt } = await import('../command-line.ts');
  const last = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const at = commandAt(before);
  const command = at < 0 ? undefined : findCommand(tool, before[at] ?? '');
  const starting = (list: readonly string[]): string[] => [...new Set(list)].filter(word => word.startsWith(last)).sort();
  if (before.at(-1) === '--formatter') return starting([...formatters.keys()]);
  if (last.startsWith('-')) {
    const own = command === undefined ? [] : command.options.filter(name => Object.hasOwn(commandOptions, name));
    const general = Object.keys(generalOptions).filter(name => !generalOptions[name]?.description.startsWith('accepted without'));
    return starting([...own, ...general].map(name => `--${name}`));
  }
  if (at < 0) return starting([...commandsOfTool(tool).map(({ name }) => name), 'help', 'version']);
  if (before[at] === 'help') return starting(commandsOfTool(tool).map(({ name }) => name));
  const columns = /Columns: ([^;]+)/.exec(command?.description ?? '')?.[1];
  return columns === undefined ? [] : starting(columns.split(', '));
}
