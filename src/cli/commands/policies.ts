import { orMissing } from '../api-error.ts';
import { argument, type Command, commandsOf, segment } from '../command.ts';
import { jsonArgument, noParameter, requireVhost } from './missing.ts';

const define = commandsOf('Policies', ['rabbitmqctl']);

interface Kind {
  readonly word: 'policy' | 'operator_policy';
  readonly list: 'policies' | 'operator_policies';
  readonly path: string;
  readonly setting: string;
  readonly clearing: string;
  readonly listing: string;
  readonly what: string;
}

const kinds: readonly Kind[] = [
  {
    word: 'policy',
    list: 'policies',
    path: '/policies',
    setting: 'policy',
    clearing: 'policy',
    listing: 'policies',
    what: 'a policy',
  },
  {
    word: 'operator_policy',
    list: 'operator_policies',
    path: '/operator-policies',
    setting: 'operator policy override',
    clearing: 'operator policy',
    listing: 'operator policy overrides',
    what: 'an operator policy that overrides a subset of arguments in user policies',
  },
];

function commandsFor({ word, list, path, setting, clearing, listing, what }: Kind): Command[] {
  return [
    define(
      `set_${word} [--vhost <vhost>] [--priority <priority>] [--apply-to <apply-to>] <name> <pattern> <definition>`,
      [3, 3],
      `Sets or updates ${what}: a JSON object that applies to queues and exchanges whose names match the regular expression.`,
      [
        `set_${word} limits "^orders" '{"max-length":100000}'`,
        `set_${word} --apply-to queues --priority 5 ttl ".*" '{"message-ttl":60000}'`,
      ],
      async ({ api, out, args, options, vhost }) => {
        const [name = '', pattern = '', text = ''] = args;
        const priority = Number(options.get('priority') ?? 0);
        out.say(`Setting ${setting} "${name}" for pattern "${pattern}" to "${text}" with priority "${priority}" for vhost "${vhost}" ...`);
        const definition = jsonArgument(text);
        const applyTo = options.get('apply-to');
        await api.put(`${path}/${segment(vhost)}/${segment(name)}`, {
          pattern,
          definition,
          priority,
          ...(applyTo === undefined ? {} : { 'apply-to': applyTo }),
        });
      },
      { options: ['priority', 'apply-to'] },
    ),
    define(`clear_${word} [--vhost <vhost>] <name>`, [1, 1], `Clears (removes) ${what}.`, [`clear_${word} limits`], async context => {
      const name = argument(context, 0);
      context.out.say(`Clearing ${clearing} "${name}" on vhost "${context.vhost}" ...`);
      await orMissing(context.api.delete(`${path}/${segment(context.vhost)}/${segment(name)}`), noParameter);
    }),
    define(
      `list_${list} [--vhost <vhost>] [--no-table-headers]`,
      [0, 0],
      word === 'policy' ? 'Lists all policies in a virtual host.' : 'Lists operator policy overrides for a virtual host.',
      [`list_${list} -p shop`],
      async context => {
        context.out.say(`Listing ${listing} for vhost "${context.vhost}" ...`);
        await requireVhost(context);
        const items = await context.api.list(`${path}/${segment(context.vhost)}`);
        const columns = ['vhost', 'name', 'pattern', 'apply-to', 'definition', 'priority'];
        context.out.list({
          columns,
          rows: items.map(item => columns.map(column => (column === 'definition' ? JSON.stringify(item[column]) : item[column]))),
        });
      },
      { tools: ['rabbitmqctl', 'rabbitmq-diagnostics'] },
    ),
  ];
}

export const policies: readonly Command[] = kinds.flatMap(commandsFor);
