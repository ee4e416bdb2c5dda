import { ApiError, orMissing } from '../api-error.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import { type Command, commandsOf, type CommandContext, segment } from '../command.ts';
import { jsonArgument, noVhost, requireUser, requireVhost } from './missing.ts';

const vhostLimit = commandsOf('Virtual hosts', ['rabbitmqctl']);
const userLimit = commandsOf('Users', ['rabbitmqctl']);
const shown = ['rabbitmqctl', 'rabbitmq-diagnostics'] as const;

const vhostNames = ['max-connections', 'max-queues'];
const userNames = ['max-connections', 'max-channels'];

/** Limits of an argument. @throws CliError when there is something else among them */
function limitsOf(text: string, known: readonly string[], where: string): [string, number][] {
  const value = jsonArgument(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new CliError('JSON decoding error. Reason: badarg');
  const entries = Object.entries(value);
  const unknown = entries.filter(([name]) => !known.includes(name)).map(([name, limit]) => `{<<"${name}">>,${JSON.stringify(limit)}}`);
  if (unknown.length > 0)
    throw new CliError(`${where === 'limits' ? 'Validation failed\n\n' : ''}Unrecognised terms [${unknown.join(',')}] in ${where}`);
  for (const [name, limit] of entries) {
    if (!Number.isSafeInteger(limit))
      throw new CliError(`Validation failed\n\n${name} should be a number, actually was ${JSON.stringify(limit)}`);
  }
  return entries as [string, number][];
}

function valueOf(list: readonly Record<string, unknown>[]): unknown {
  const value = list[0]?.['value'];
  return Array.isArray(value) ? {} : value;
}

function userName({ options }: CommandContext): string {
  return options.get('user') ?? 'guest';
}

export const limits: readonly Command[] = [
  vhostLimit(
    'set_vhost_limits [--vhost <vhost>] <definition>',
    [1, 1],
    'Sets virtual host limits: max-connections, max-queues. A negative number is no limit.',
    [`set_vhost_limits -p shop '{"max-connections":256,"max-queues":100}'`],
    async context => {
      const [text = ''] = context.args;
      context.out.say(`Setting vhost limits to "${text}" for vhost "${context.vhost}" ...`);
      const wanted = limitsOf(text, vhostNames, 'limits');
      await requireVhost(context);
      for (const [name, value] of wanted) await context.api.put(`/vhost-limits/${segment(context.vhost)}/${name}`, { value });
      const names = wanted.map(([name]) => name);
      for (const name of vhostNames) if (!names.includes(name)) await forget(context, `/vhost-limits/${segment(context.vhost)}/${name}`);
    },
  ),
  vhostLimit(
    'clear_vhost_limits [--vhost <vhost>]',
    [0, 0],
    'Clears virtual host limits.',
    ['clear_vhost_limits -p shop'],
    async context => {
      context.out.say(`Clearing vhost "${context.vhost}" limits ...`);
      await requireVhost(context);
      for (const name of vhostNames) await forget(context, `/vhost-limits/${segment(context.vhost)}/${name}`);
    },
  ),
  vhostLimit(
    'list_vhost_limits [--vhost <vhost>] [--global] [--no-table-headers]',
    [0, 0],
    'Displays configured virtual host limits.',
    ['list_vhost_limits -p shop', 'list_vhost_limits --global'],
    async ({ api, out, options, vhost }) => {
      if (options.has('global')) {
        out.say('Listing limits for all vhosts ...');
        const list = await api.list('/vhost-limits');
        out.list({ columns: ['vhost', 'limits'], rows: list.map(item => [item['vhost'], JSON.stringify(item['value'])]) });
        return;
      }
      out.say(`Listing limits for vhost "${vhost}" ...`);
      const value = valueOf(await orMissing(api.list(`/vhost-limits/${segment(vhost)}`), () => noVhost(vhost)));
      if (value !== undefined) out.answer(JSON.stringify(value));
    },
    { options: ['global'], tools: shown },
  ),
  userLimit(
    'set_user_limits <username> <definition>',
    [2, 2],
    'Sets user limits: max-connections, max-channels. A negative number is no limit.',
    [`set_user_limits alice '{"max-connections":5,"max-channels":50}'`],
    async context => {
      const [user = '', text = ''] = context.args;
      context.out.say(`Setting user limits to "${text}" for user "${user}" ...`);
      const wanted = limitsOf(text, userNames, 'user-limits');
      await requireUser(context, user);
      for (const [name, value] of wanted) await context.api.put(`/user-limits/${segment(user)}/${name}`, { value });
    },
  ),
  userLimit(
    'clear_user_limits <username> <limit> | all',
    [2, 2],
    'Clears one user limit, or all.',
    ['clear_user_limits alice max-channels', 'clear_user_limits alice all'],
    async context => {
      const [user = '', name = ''] = context.args;
      context.out.say(`Clearing ${name === 'all' ? 'all limits' : `"${name}" limit`} for user "${user}" ...`);
      if (name !== 'all' && !userNames.includes(name)) {
        throw new CliError(`there is no limit ${name} of users; there are ${userNames.join(', ')}`, exitCodes.data);
      }
      await requireUser(context, user);
      for (const limit of name === 'all' ? userNames : [name]) await forget(context, `/user-limits/${segment(user)}/${limit}`);
    },
  ),
  userLimit(
    'list_user_limits [--user <username>] [--global]',
    [0, 0],
    'Displays configured user limits, of guest by default.',
    ['list_user_limits --user alice', 'list_user_limits --global'],
    async context => {
      const { api, out, options } = context;
      if (options.has('global')) {
        out.say('Listing limits for all users ...');
        const list = await api.list('/user-limits');
        out.list({ columns: ['user', 'limits'], rows: list.map(item => [item['user'], JSON.stringify(item['value'])]) });
        return;
      }
      const user = userName(context);
      out.say(`Listing limits for user "${user}" ...`);
      await requireUser(context, user);
      out.answer(JSON.stringify(valueOf(await api.list(`/user-limits/${segment(user)}`)) ?? {}));
    },
    { options: ['user', 'global'], tools: shown },
  ),
];

/** Clears what may not be there. */
async function forget({ api }: CommandContext, path: string): Promise<void> {
  try {
    await api.delete(path);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}
