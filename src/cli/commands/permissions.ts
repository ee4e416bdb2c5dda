import { ApiError, orMissing } from '../api-error.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import { argument, type Command, commandsOf, type CommandContext, segment } from '../command.ts';
import { noUser, requireUser, requireVhost } from './missing.ts';

const define = commandsOf('Access Control', ['rabbitmqctl']);
const shown = { tools: ['rabbitmqctl', 'rabbitmq-diagnostics'] } as const;

/** The words that RabbitMQ's tool has for a missing user and virtual host in commands about permissions. */
async function requireBoth(context: CommandContext, user: string): Promise<void> {
  await requireVhost(context, name => new CliError(`Virtual host ${name} does not exist`, exitCodes.unavailable));
  await orMissing(context.api.get(`/users/${segment(user)}`), () => new CliError(`User ${user} does not exist`, exitCodes.noUser));
}

function rows(list: readonly Record<string, unknown>[], columns: readonly string[]): unknown[][] {
  return list.map(item => columns.map(name => item[name]));
}

export const permissions: readonly Command[] = [
  define(
    'set_permissions [--vhost <vhost>] <username> <conf> <write> <read>',
    [4, 4],
    'Sets user permissions for a vhost: three regular expressions on names of what may be configured, written to and read from.',
    ['set_permissions -p / alice ".*" ".*" ".*"', 'set_permissions -p shop worker "" "" "^orders$"'],
    async context => {
      const [user = '', configure = '', write = '', read = ''] = context.args;
      context.out.say(`Setting permissions for user "${user}" in vhost "${context.vhost}" ...`);
      await requireBoth(context, user);
      await context.api.put(`/permissions/${segment(context.vhost)}/${segment(user)}`, { configure, write, read });
    },
  ),
  define(
    'set_permissions_globally <username> <conf> <write> <read>',
    [4, 4],
    'Sets user permissions for all virtual hosts there are.',
    ['set_permissions_globally alice ".*" ".*" ".*"'],
    async context => {
      const [user = '', configure = '', write = '', read = ''] = context.args;
      context.out.say(`Setting permissions for user "${user}" in all virtual hosts ...`);
      await requireUser(context, user);
      for (const { name } of await context.api.list('/vhosts?columns=name')) {
        await context.api.put(`/permissions/${segment(String(name))}/${segment(user)}`, { configure, write, read });
      }
    },
  ),
  define(
    'clear_permissions [--vhost <vhost>] <username>',
    [1, 1],
    'Revokes user permissions for a vhost.',
    ['clear_permissions -p shop alice'],
    async context => {
      const user = argument(context, 0);
      context.out.say(`Clearing permissions for user "${user}" in vhost "${context.vhost}" ...`);
      await requireBoth(context, user);
      await ifThere(context.api.delete(`/permissions/${segment(context.vhost)}/${segment(user)}`));
    },
  ),
  define(
    'list_permissions [--vhost <vhost>] [--no-table-headers]',
    [0, 0],
    'Lists user permissions in a virtual host.',
    ['list_permissions', 'list_permissions -p shop'],
    async context => {
      context.out.say(`Listing permissions for vhost "${context.vhost}" ...`);
      await requireVhost(context);
      const columns = ['user', 'configure', 'write', 'read'];
      context.out.list({ columns, rows: rows(await context.api.list(`/vhosts/${segment(context.vhost)}/permissions`), columns) });
    },
    shown,
  ),
  define(
    'list_user_permissions [--no-table-headers] <username>',
    [1, 1],
    'Lists permissions of a user across all virtual hosts.',
    ['list_user_permissions alice'],
    async context => {
      const user = argument(context, 0);
      context.out.say(`Listing permissions for user "${user}" ...`);
      const columns = ['vhost', 'configure', 'write', 'read'];
      const list = await orMissing(context.api.list(`/users/${segment(user)}/permissions`), () => noUser(user));
      context.out.list({ columns, rows: rows(list, columns) });
    },
    shown,
  ),
  define(
    'set_topic_permissions [--vhost <vhost>] <username> <exchange> <write> <read>',
    [4, 4],
    'Sets user topic permissions for an exchange: regular expressions on routing keys.',
    ['set_topic_permissions alice amq.topic "^sensors\\." ".*"'],
    async context => {
      const [user = '', exchange = '', write = '', read = ''] = context.args;
      context.out.say(`Setting topic permissions on "${exchange}" for user "${user}" in vhost "${context.vhost}" ...`);
      await requireBoth(context, user);
      await context.api.put(`/topic-permissions/${segment(context.vhost)}/${segment(user)}`, { exchange, write, read });
    },
  ),
  define(
    'clear_topic_permissions [--vhost <vhost>] <username> [<exchange>]',
    [1, 2],
    'Clears user topic permissions for a vhost or exchange.',
    ['clear_topic_permissions alice amq.topic', 'clear_topic_permissions -p shop alice'],
    async context => {
      const [user = '', exchange] = context.args;
      const what = exchange === undefined ? '' : ` on "${exchange}"`;
      context.out.say(`Clearing topic permissions${what} for user "${user}" in vhost "${context.vhost}" ...`);
      await requireBoth(context, user);
      const path = `/topic-permissions/${segment(context.vhost)}/${segment(user)}`;
      await ifThere(context.api.delete(exchange === undefined ? path : `${path}/${segment(exchange)}`));
    },
  ),
  define(
    'list_topic_permissions [--vhost <vhost>] [--no-table-headers]',
    [0, 0],
    'Lists topic permissions in a virtual host.',
    ['list_topic_permissions -p shop'],
    async context => {
      context.out.say(`Listing topic permissions for vhost "${context.vhost}" ...`);
      await requireVhost(context);
      const columns = ['user', 'exchange', 'write', 'read'];
      context.out.list({ columns, rows: rows(await context.api.list(`/vhosts/${segment(context.vhost)}/topic-permissions`), columns) });
    },
    shown,
  ),
  define(
    'list_user_topic_permissions [--no-table-headers] <username>',
    [1, 1],
    'Lists user topic permissions.',
    ['list_user_topic_permissions alice'],
    async context => {
      const user = argument(context, 0);
      context.out.say(`Listing topic permissions for user "${user}" ...`);
      const columns = ['vhost', 'exchange', 'write', 'read'];
      const list = await orMissing(context.api.list(`/users/${segment(user)}/topic-permissions`), () => noUser(user));
      context.out.list({ columns, rows: rows(list, columns) });
    },
    shown,
  ),
];

/** Clearing what is not there is no error. */
async function ifThere(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}
