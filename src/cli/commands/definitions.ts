import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { badArgument, CliError, exitCodes } from '../cli-error.ts';
import { type Command, commandsOf } from '../command.ts';

const define = commandsOf('Definitions', ['rabbitmqctl']);
const textMax = 64 * 1024 * 1024;

export const definitions: readonly Command[] = [
  define(
    'export_definitions <file_path | "-"> [--format json]',
    [1, 1],
    'Exports definitions in JSON: users, virtual hosts, permissions, policies, queues, exchanges, bindings. "-" is standard output.',
    ['export_definitions /var/backups/definitions.json', 'export_definitions - | jq .queues'],
    async ({ api, out, args, options }) => {
      const [path = ''] = args;
      requireJson(options);
      // The control socket's own directory becomes the current one: paths are of where the command was given.
      const target = path === '-' ? null : fromHere(path);
      if (target !== null) out.say(`Exporting definitions in JSON to a file at "${path}" ...`);
      const text = JSON.stringify(await api.get('/definitions'));
      if (target === null) out.write(text);
      else write(target, path, text);
    },
    { options: ['format'] },
  ),
  define(
    'import_definitions <file_path | "-"> [--format json] [--skip-if-unchanged]',
    [0, 1],
    'Imports definitions in JSON. What is there already stays, or is changed to what the file says. "-" or nothing is standard input.',
    ['import_definitions definitions.json', 'curl -s https://example.com/definitions.json | warrenctl import_definitions'],
    async ({ api, out, args, options }) => {
      const [path = '-'] = args;
      requireJson(options);
      if (path !== '-' && !existsSync(path)) throw badArgument(`File ${path} does not exist`);
      out.say(`Importing definitions in JSON from ${path === '-' ? 'standard input' : `a file at "${path}"`} ...`);
      let parsed: unknown;
      const text = readFileSync(path === '-' ? 0 : path, 'utf8');
      if (text.length > textMax) throw badArgument('the file is larger than 64 MiB');
      try {
        parsed = JSON.parse(text);
      } catch (error) {
        throw new CliError(`Failed to parse definitions: ${error instanceof Error ? error.message : 'no JSON'}`, exitCodes.data);
      }
      await api.post('/definitions', parsed);
      out.finish('Successfully imported definitions.');
    },
    { options: ['format', 'skip-if-unchanged'] },
  ),
];

const startedIn = process.cwd();

function fromHere(path: string): string {
  return path.startsWith('/') ? path : `${startedIn}/${path}`;
}

function write(target: string, path: string, text: string): void {
  try {
    // Password hashes are in it.
    writeFileSync(target, text, { mode: 0o600 });
  } catch (error) {
    throw new CliError(`Could not write to file ${path}: ${error instanceof Error ? error.message : ''}`, exitCodes.software);
  }
}

function requireJson(options: ReadonlyMap<string, string>): void {
  const format = options.get('format') ?? 'json';
  if (format !== 'json') throw badArgument(`format ${format} is not supported: only JSON, since there is no Erlang here`);
}
