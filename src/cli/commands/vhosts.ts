import { orMissing } from '../api-error.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import { argument, type Command, commandsOf, nameArgument, segment } from '../command.ts';
import { noVhost } from './missing.ts';

const define = commandsOf('Virtual hosts', ['rabbitmqctl']);

export const vhosts: readonly Command[] = [
  define(
    'add_vhost <vhost> [--description <description>] [--tags <tags>] [--default-queue-type <type>]',
    [1, 1],
    'Creates a virtual host. One that exists is changed to what is given.',
    ['add_vhost shop', 'add_vhost shop --description "the shop" --default-queue-type classic'],
    async context => {
      const name = nameArgument(context, 0, 'vhost');
      const { options, api, out } = context;
      out.say(`Adding vhost "${name}" ...`);
      const given = {
        ...(options.has('description') ? { description: options.get('description') } : {}),
        ...(options.has('tags') ? { tags: options.get('tags') } : {}),
        ...(options.has('default-queue-type') ? { default_queue_type: options.get('default-queue-type') } : {}),
      };
      const before = (await api.list('/vhosts')).find(vhost => vhost['name'] === name);
      await api.put(`/vhosts/${segment(name)}`, { ...kept(before), ...given });
    },
    { options: ['description', 'tags', 'default-queue-type'] },
  ),
  define('delete_vhost <vhost>', [1, 1], 'Deletes a virtual host with everything in it.', ['delete_vhost shop'], async context => {
    const name = argument(context, 0);
    context.out.say(`Deleting vhost "${name}" ...`);
    await orMissing(context.api.delete(`/vhosts/${segment(name)}`), () => noVhost(name));
  }),
  define(
    'set_vhost_tags <vhost> [<tag> ...]',
    [1, Infinity],
    'Sets virtual host tags; none clears them.',
    ['set_vhost_tags shop production eu'],
    async ({ api, out, args }) => {
      const [name = '', ...words] = args;
      const tags = words.flatMap(word => word.split(',')).filter(word => word !== '');
      out.say(`Setting tags for virtual host "${name}" to [${tags.join(', ')}] ...`);
      const vhost = await orMissing(api.object(`/vhosts/${segment(name)}`), () => noVhost(name));
      await api.put(`/vhosts/${segment(name)}`, { ...kept(vhost), tags });
    },
  ),
  define(
    'update_vhost_metadata <vhost> [--description <description>] [--tags <tags>] [--default-queue-type <type>]',
    [1, 1],
    'Changes description, tags and default queue type of a virtual host.',
    ['update_vhost_metadata shop --description "the new shop"'],
    async ({ api, out, args, options }) => {
      const [name = ''] = args;
      out.say(`Updating metadata of vhost "${name}" ...`);
      const vhost = await orMissing(api.object(`/vhosts/${segment(name)}`), () => noVhost(name));
      await api.put(`/vhosts/${segment(name)}`, {
        ...kept(vhost),
        ...(options.has('description') ? { description: options.get('description') } : {}),
        ...(options.has('tags') ? { tags: options.get('tags') } : {}),
        ...(options.has('default-queue-type') ? { default_queue_type: options.get('default-queue-type') } : {}),
      });
    },
    { options: ['description', 'tags', 'default-queue-type'] },
  ),
  ...(['enable', 'disable'] as const).map(verb =>
    define(
      `${verb}_vhost_deletion_protection <vhost>`,
      [1, 1],
      verb === 'enable' ? 'Protects a virtual host from deletion.' : 'Lets a protected virtual host be deleted again.',
      [`${verb}_vhost_deletion_protection shop`],
      async ({ api, out, args }) => {
        const [name = ''] = args;
        const path = `/vhosts/${segment(name)}/deletion/protection`;
        out.say(`${verb === 'enable' ? 'Protecting' : 'No longer protecting'} virtual host "${name}" from deletion ...`);
        await orMissing(verb === 'enable' ? api.post(path, {}) : api.delete(path), () => noVhost(name));
      },
    ),
  ),
  define(
    'restart_vhost [--vhost <vhost>]',
    [0, 0],
    'Does nothing: virtual hosts have no processes of their own that could be down.',
    ['restart_vhost -p shop'],
    async context => {
      const node = await context.node();
      context.out.say(`Trying to restart vhost '${context.vhost}' on node '${node}' ...`);
      await orMissing(context.api.get(`/vhosts/${segment(context.vhost)}`), () => noVhost(context.vhost));
      context.out.done(`Vhost '${context.vhost}' is already running on node '${node}'`);
    },
  ),
  ...(['on', 'off'] as const).map(state =>
    define(
      `trace_${state} [--vhost <vhost>]`,
      [0, 0],
      state === 'on'
        ? 'Starts the firehose: copies of all messages of the virtual host go to the exchange amq.rabbitmq.trace.'
        : 'Stops the firehose of a virtual host.',
      [`trace_${state} -p shop`],
      async ({ api, out, vhost }) => {
        out.say(`${state === 'on' ? 'Starting' : 'Stopping'} tracing for vhost "${vhost}" ...`);
        const found = await orMissing(
          api.object(`/vhosts/${segment(vhost)}`),
          () => new CliError(`Virtual host '${vhost}' does not exist`, exitCodes.data, 'plain'),
        );
        await api.put(`/vhosts/${segment(vhost)}`, { ...kept(found), tracing: state === 'on' });
        out.done(`Trace ${state === 'on' ? 'enabled' : 'disabled'} for vhost ${vhost}`);
      },
    ),
  ),
];

/** What a change of one property must not change. */
function kept(vhost: Record<string, unknown> | undefined): Record<string, unknown> {
  if (vhost === undefined) return {};
  const { description, tags, default_queue_type: type } = vhost;
  return { description, tags, ...(typeof type === 'string' && type !== 'undefined' ? { default_queue_type: type } : {}) };
}
