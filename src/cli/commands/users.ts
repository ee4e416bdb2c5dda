import { argument, type Command, segment } from '../command.ts';
import { CliError, exitCodes } from '../cli-error.ts';

const group = 'Users';

async function assertUser(api: { get(path: string): Promise<unknown> }, name: string): Promise<Record<string, unknown>> {
  try {
    return (await api.get(`/users/${segment(name)}`)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof CliError && error.exitCode === exitCodes.data)
      throw new CliError(`User "${name}" does not exist`, exitCodes.noUser);
    throw error;
  }
}

export const users: readonly Command[] = [
  {
    name: 'add_user',
    usage: '<username> <password>',
    group,
    description: 'Creates a new user. This user has no permissions for any virtual host by default.',
    arity: [1, 2],
    async run(context) {
      const name = argument(context, 0, 'username');
      const password = argument(context, 1, 'password');
      context.out.say(`Adding user "${name}" ...`);
      const existing = await context.api.list('/users');
      if (existing.some(user => user.name === name)) throw new CliError(`User "${name}" already exists`, exitCodes.software);
      await context.api.put(`/users/${segment(name)}`, { password, tags: '' });
      context.out.say(
        "Done. Don't forget to grant the user permissions to some virtual hosts! See 'warrenctl help set_permissions' to learn more.",
      );
    },
  },
  {
    name: 'delete_user',
    usage: '<username>',
    group,
    description: 'Removes a user.',
    arity: [1, 1],
    async run(context) {
      const name = argument(context, 0, 'username');
      context.out.say(`Deleting user "${name}" ...`);
      await assertUser(context.api, name);
      await context.api.delete(`/users/${segment(name)}`);
    },
  },
  {
    name: 'change_password',
    usage: '<username> <password>',
    group,
    description: "Changes a user's password.",
    arity: [2, 2],
    async run(context) {
      const name = argument(context, 0, 'username');
      context.out.say(`Changing password for user "${name}" ...`);
      const user = await assertUser(context.api, name);
      await context.api.put(`/users/${segment(name)}`, { password: argument(context, 1, 'password'), tags: user.tags });
    },
  },
  {
    name: 'clear_password',
    usage: '<username>',
    group,
    description: "Clears a user's password: it cannot be used to log in any more.",
    arity: [1, 1],
    async run(context) {
      const name = argument(context, 0, 'username');
      context.out.say(`Clearing password for user "${name}" ...`);
      const user = await assertUser(context.api, name);
      await context.api.put(`/users/${segment(name)}`, { password_hash: '', tags: user.tags });
    },
  },
  {
    name: 'set_user_tags',
    usage: '<username> <tag> [...]',
    group,
    description: 'Sets user tags; none clears them.',
    arity: [1, Infinity],
    async run(context) {
      const name = argument(context, 0, 'username');
      const tags = context.args
        .slice(1)
        .flatMap(tag => tag.split(','))
        .map(tag => tag.trim())
        .filter(tag => tag !== '');
      context.out.say(`Setting tags for user "${name}" to [${tags.join(', ')}] ...`);
      const user = await assertUser(context.api, name);
      await context.api.put(`/users/${segment(name)}`, {
        password_hash: user.password_hash,
        hashing_algorithm: user.hashing_algorithm,
        tags,
      });
    },
  },
  {
    name: 'list_users',
    usage: '[--no-table-headers]',
    group,
    description: 'Lists user names and tags.',
    arity: [0, 0],
    async run(context) {
      context.out.say('Listing users ...');
      const list = await context.api.list('/users');
      context.out.list({ columns: ['user', 'tags'], rows: list.map(user => [user.name, user.tags]) });
    },
  },
];
