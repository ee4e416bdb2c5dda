import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { badArgument, CliError } from '../cli-error.ts';
import { type Command, commandsOf, type CommandContext, segment } from '../command.ts';

const define = commandsOf('Configuration and Environment', ['rabbitmqctl']);
const diagnostics = commandsOf('Monitoring, observability and health checks', ['rabbitmq-diagnostics']);
const operations = commandsOf('Nodes', ['rabbitmqctl']);

const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency', 'none'];
const tailBytes = 64 * 1024;
const tailBytesMax = 16 * 1024 * 1024;
const pollMillis = 250;

async function nodeFacts({ api }: CommandContext): Promise<Record<string, unknown>> {
  return (await api.list('/nodes'))[0] ?? {};
}

/** The log file, for who is on the broker's machine. @throws CliError */
async function logFile(context: CommandContext): Promise<string> {
  const files = ((await nodeFacts(context))['log_files'] ?? []) as string[];
  const file = files.find(name => name.startsWith('/') || existsSync(name));
  if (file === undefined) throw new CliError('the broker logs to its standard output only: set log.file (or RABBITMQ_LOG_BASE) for a file');
  if (!context.api.isLocal || !existsSync(file)) throw new CliError(`the log file ${file} is on the broker's machine; run this there`);
  return file;
}

function readFrom(path: string, from: number): { text: string; end: number } {
  const fd = openSync(path, 'r');
  try {
    const end = fstatSync(fd).size;
    const bytes = Buffer.alloc(Math.min(Math.max(0, end - from), tailBytesMax));
    const count = readSync(fd, bytes, 0, bytes.length, Math.max(0, end - bytes.length, from));
    return { text: bytes.toString('utf8', 0, count), end };
  } finally {
    closeSync(fd);
  }
}

export const logs: readonly Command[] = [
  define(
    'set_log_level <log_level> [--category <category>]',
    [1, 2],
    `Sets log level in the running broker, of all categories or of one: ${levels.join(', ')}.`,
    ['set_log_level debug', 'set_log_level connection warning', 'set_log_level debug --category queue'],
    async context => {
      const { api, args, options, out } = context;
      const level = args.at(-1) ?? '';
      const category = args.length > 1 ? args[0] : options.get('category');
      if (!levels.includes(level))
        throw new CliError(`level ${level} is not supported. Try one of debug, info, warning, error, critical, none`);
      out.say(`Setting log level${category === undefined ? '' : ` of category "${category}"`} to "${level}" ...`);
      const path = `/nodes/${segment(String((await nodeFacts(context))['name']))}/log-levels`;
      await api.put(path, { level, ...(category === undefined ? {} : { category }) });
    },
    { options: ['category'] },
  ),
  define(
    'list_log_levels',
    [0, 0],
    'Lists the levels of log outputs, and of categories with one of their own.',
    ['list_log_levels'],
    async context => {
      const { name } = await nodeFacts(context);
      const { outputs, categories } = (await context.api.get(`/nodes/${segment(String(name))}/log-levels`)) as {
        outputs: { name: string; level: string }[];
        categories: Record<string, string>;
      };
      context.out.say('Listing log levels ...');
      context.out.list({
        columns: ['kind', 'name', 'level'],
        rows: [
          ...outputs.map(output => ['output', output.name, output.level]),
          ...Object.entries(categories).map(([category, level]) => ['category', category, level]),
        ],
      });
    },
    { tools: [] },
  ),
  operations(
    'rotate_logs',
    [0, 0],
    'Has the broker open its log files anew, for tools that have moved them away. It rotates files itself as log.file.rotation says.',
    ['rotate_logs'],
    async context => {
      context.out.say(`Opening log files of node ${await context.node()} anew ...`);
      const { name } = await nodeFacts(context);
      await context.api.post(`/nodes/${segment(String(name))}/actions`, { action: 'reopen_logs' });
    },
  ),
  diagnostics(
    'log_location [--all|-a]',
    [0, 0],
    'Shows log file location(s).',
    ['log_location'],
    async context => {
      const { name, log_files: files } = await nodeFacts(context);
      context.out.say(`Log file location(s) on node ${String(name)} ...`);
      context.out.answer(((files ?? []) as string[]).join('\n'));
    },
    { options: ['all'], shorts: { a: 'all' } },
  ),
  diagnostics(
    'log_tail [--number|-N <lines>]',
    [0, 0],
    'Prints the last lines of the log, 50 by default.',
    ['log_tail -N 100'],
    async context => {
      const count = Number(context.options.get('number') ?? 50);
      if (count < 1) throw badArgument('number is from 1');
      const file = await logFile(context);
      context.out.say(`Last ${count} log lines on node ${await context.node()} ...`);
      const { size } = statSync(file);
      let from = Math.max(0, size - tailBytes);
      let lines = readFrom(file, from).text.split('\n').slice(0, -1);
      while (lines.length <= count && from > 0 && size - from < tailBytesMax) {
        from = Math.max(0, size - (size - from) * 4);
        lines = readFrom(file, from).text.split('\n').slice(0, -1);
      }
      context.out.write((from > 0 ? lines.slice(1) : lines).slice(-count).join('\n'));
    },
    { options: ['number'], shorts: { N: 'number' } },
  ),
  diagnostics(
    'log_tail_stream [--duration <seconds>|-d <seconds>]',
    [0, 0],
    'Streams the log for a while, or until Ctrl+C.',
    ['log_tail_stream --duration 60'],
    async context => {
      const seconds = Number(context.options.get('duration') ?? 0);
      const file = await logFile(context);
      context.out.say(`Streaming logs from node ${await context.node()} ...`);
      const deadline = seconds > 0 ? performance.now() + seconds * 1000 : Infinity;
      let at = statSync(file).size;
      while (performance.now() < deadline) {
        await sleep(Math.min(pollMillis, Math.max(1, deadline - performance.now())));
        const { text, end } = readFrom(file, at > statSync(file).size ? 0 : at);
        at = end;
        if (text !== '') process.stdout.write(text);
      }
    },
    { options: ['duration'], shorts: { d: 'duration' } },
  ),
];
