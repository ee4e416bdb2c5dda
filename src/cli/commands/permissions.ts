import { argument, type Command, segment } from '../command.ts';

const group = 'Access Control';

export const permissions: readonly Command[] = [
  {
    name: 'set_permissions',
    usage: '[--vhost <vhost>] <username> <conf> <write> <read>',
    group,
    description: 'Sets user permissions for a vhost: three regular expressions on names.',
    arity: [4, 4],
    async run(context) {
      const user = argument(context, 0, 'username');
      context.out.say(`Setting permissions for user "${user}" in vhost "${context.vhost}" ...`);
      await context.api.put(`/permissions/${segment(context.vhost)}/${segment(user)}`, {
        configure: argument(context, 1, 'conf'),
        write: argument(context, 2, 'write'),
        read: argument(context, 3, 'read'),
      });
    },
  },
  {
    name: 'clear_permissions',
    usage: '[--vhost <vhost>] <username>',
    group,
    description: 'Revokes user permissions for a vhost.',
    arity: [1, 1],
    async run(context) {
      const user = argument(context, 0, 'username');
      context.out.say(`Clearing permissions for user "${user}" in vhost "${context.vhost}" ...`);
      await context.api.delete(`/permissions/${segment(context.vhost)}/${segment(user)}`);
    },
  },
  {
    name: 'list_permissions',
    usage: '[--vhost <vhost>] [--no-table-headers]',
    group,
    description: 'Lists user permissions in a virtual host.',
    arity: [0, 0],
    async run(context) {
      context.out.say(`Listing permissions for vhost "${context.vhost}" ...`);
      const list = await context.api.list(`/vhosts/${segment(context.vhost)}/permissions`);
      context.out.list({
        columns: ['user', 'configure', 'write', 'read'],
        rows: list.map(item => [item.user, item.configure, item.write, item.read]),
      });
    },
  },
  {
    name: 'list_user_permissions',
    usage: '[--no-table-headers] <username>',
    group,
    description: 'Lists permissions of a user across all virtual hosts.',
    arity: [1, 1],
    async run(context) {
      const user = argument(context, 0, 'username');
      context.out.say(`Listing permissions for user "${user}" ...`);
      const list = await context.api.list(`/users/${segment(user)}/permissions`);
      context.out.list({
        columns: ['vhost', 'configure', 'write', 'read'],
        rows: list.map(item => [item.vhost, item.configure, item.write, item.read]),
      });
    },
  },
  {
    name: 'add_vhost',
    usage: '<vhost> [--description <text>] [--tags <tags>] [--default-queue-type <type>]',
    group: 'Virtual hosts',
    description: 'Creates a virtual host.',
    arity: [1, 1],
    async run(context) {
      const name = argument(context, 0, 'vhost');
      const { options } = context;
      context.out.say(`Adding vhost "${name}" ...`);
      await context.api.put(`/vhosts/${segment(name)}`, {
        description: options.get('description') ?? '',
        tags: options.get('tags') ?? '',
        ...(options.has('default-queue-type') ? { default_queue_type: options.get('default-queue-type') } : {}),
      });
    },
  },
  {
    name: 'delete_vhost',
    usage: '<vhost>',
    group: 'Virtual hosts',
    description: 'Deletes a virtual host with everything in it.',
    arity: [1, 1],
    async run(context) {
      const name = argument(context, 0, 'vhost');
      context.out.say(`Deleting vhost "${name}" ...`);
      await context.api.delete(`/vhosts/${segment(name)}`);
    },
  },
];
