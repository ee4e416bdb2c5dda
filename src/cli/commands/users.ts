import { ApiError } from '../api-error.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import { argument, type Command, commandsOf, nameArgument, segment } from '../command.ts';
import { noUser, requireUser } from './missing.ts';
import { passwordOf } from './secret-input.ts';

const define = commandsOf('Users', ['rabbitmqctl']);

export const users: readonly Command[] = [
  define(
    'add_user <username> [<password>] [--pre-hashed-password]',
    [1, 2],
    'Creates a new user. The user has no permissions for any virtual host by default. Without a password, it is read from standard input.',
    ['add_user alice s3cret', "echo 's3cret' | warrenctl add_user alice"],
    async ({ api, out, args, options, tool }) => {
      const name = nameArgument({ args }, 0, 'user');
      out.say(`Adding user "${name}" ...`);
      const password = await passwordOf(args[1]);
      if (password === '') throw new CliError('Bad argument: password cannot be an empty string', exitCodes.data);
      const existing = await api.list('/users?columns=name');
      if (existing.some(user => user['name'] === name)) throw new CliError(`User "${name}" already exists`, exitCodes.software);
      const secret = options.has('pre-hashed-password') ? { password_hash: password } : { password };
      await api.put(`/users/${segment(name)}`, { ...secret, tags: '' });
      out.finish(
        `Done. Don't forget to grant the user permissions to some virtual hosts! See '${tool} help set_permissions' to learn more.`,
      );
    },
    { options: ['pre-hashed-password'] },
  ),
  define('delete_user <username>', [1, 1], 'Removes a user.', ['delete_user alice'], async context => {
    const name = argument(context, 0);
    context.out.say(`Deleting user "${name}" ...`);
    await requireUser(context, name);
    await context.api.delete(`/users/${segment(name)}`);
  }),
  define(
    'change_password <username> [<password>]',
    [1, 2],
    "Changes a user's password. Without a password, it is read from standard input.",
    ['change_password alice n3w'],
    async context => {
      const name = argument(context, 0);
      context.out.say(`Changing password for user "${name}" ...`);
      const password = await passwordOf(context.args[1]);
      const user = await requireUser(context, name);
      await context.api.put(`/users/${segment(name)}`, { password, tags: user['tags'] });
    },
  ),
  define(
    'clear_password <username>',
    [1, 1],
    "Clears a user's password: it cannot be used to log in any more.",
    ['clear_password alice'],
    async context => {
      const name = argument(context, 0);
      context.out.say(`Clearing password for user "${name}" ...`);
      const user = await requireUser(context, name);
      await context.api.put(`/users/${segment(name)}`, { password_hash: '', tags: user['tags'] });
    },
  ),
  define(
    'authenticate_user <username> [<password>]',
    [1, 2],
    'Attempts to authenticate a user. Exits with a non-zero code if authentication fails.',
    ['authenticate_user alice s3cret'],
    async context => {
      const username = argument(context, 0);
      context.out.say(`Authenticating user "${username}" ...`);
      const password = await passwordOf(context.args[1]);
      try {
        await context.api.post('/auth/check', { username, password });
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 401) throw error;
        const words = `Error: failed to authenticate user "${username}"\nuser '${username}' - invalid credentials`;
        throw new CliError(words, exitCodes.data);
      }
      context.out.done('Success');
    },
  ),
  define(
    'hash_password [<password>]',
    [0, 1],
    'Hashes a password for definitions files and add_user --pre-hashed-password. Without one, it is read from standard input.',
    ['hash_password s3cret'],
    async ({ api, out, args }) => {
      out.say('Will hash password ...');
      const password = await passwordOf(args[0]);
      const { ok } = await api.object(`/auth/hash_password/${segment(password)}`);
      out.answer(String(ok));
    },
  ),
  define(
    'set_user_tags <username> [<tag> ...]',
    [1, Infinity],
    'Sets user tags; none clears them.',
    ['set_user_tags alice administrator', 'set_user_tags alice monitoring policymaker'],
    async context => {
      const name = argument(context, 0);
      const tags = context.args
        .slice(1)
        .flatMap(tag => tag.split(','))
        .map(tag => tag.trim())
        .filter(tag => tag !== '');
      context.out.say(`Setting tags for user "${name}" to [${tags.join(', ')}] ...`);
      const user = await requireUser(context, name);
      await context.api.put(`/users/${segment(name)}`, {
        password_hash: user['password_hash'],
        hashing_algorithm: user['hashing_algorithm'],
        tags,
      });
    },
  ),
  define(
    'list_users [--no-table-headers]',
    [0, 0],
    'Lists user names and tags.',
    ['list_users', 'list_users --formatter json'],
    async ({ api, out }) => {
      out.say('Listing users ...');
      const list = await api.list('/users?columns=name,tags');
      out.list({ columns: ['user', 'tags'], rows: list.map(user => [user['name'], user['tags']]) });
    },
    { tools: ['rabbitmqctl', 'rabbitmq-diagnostics'] },
  ),
  define(
    'close_all_user_connections <username> <reason>',
    [2, 2],
    'Instructs the broker to close all connections of the specified user.',
    ['close_all_user_connections alice "password changed"'],
    async ({ api, out, args }) => {
      const [user = '', reason = ''] = args;
      out.say(`Closing connections of user ${user}, reason: ${reason}...`);
      try {
        await api.delete(`/connections/username/${segment(user)}`, { 'x-reason': encodeReason(reason) });
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) throw noUser(user);
        throw error;
      }
    },
  ),
];

/** A header holds no line breaks and nothing beyond Latin-1. */
export function encodeReason(reason: string): string {
  return reason.replace(/[^\x20-\x7e\xa0-\xff]/g, ' ');
}
