import { ApiError, orMissing } from '../api-error.ts';
import { badArgument, CliError, exitCodes } from '../cli-error.ts';
import { argument, type Command, type CommandContext, commandsOf, segment } from '../command.ts';
import { jsonArgument } from './missing.ts';

const define = commandsOf('Queues', ['rabbitmqctl']);
const own = commandsOf('Queues', []);

export const queues: readonly Command[] = [
  define(
    'purge_queue [--vhost <vhost>] <queue>',
    [1, 1],
    'Purges a queue (removes all messages in it).',
    ['purge_queue orders', 'purge_queue -p shop orders'],
    async context => {
      const name = argument(context, 0);
      context.out.say(`Purging queue '${name}' in vhost '${context.vhost}' ...`);
      await orMissing(context.api.delete(`/queues/${segment(context.vhost)}/${segment(name)}/contents`), () => new CliError('not_found'));
    },
  ),
  define(
    'delete_queue <queue> [--vhost <vhost>] [--if-empty|-e] [--if-unused|-u]',
    [1, 1],
    'Deletes a queue.',
    ['delete_queue orders', 'delete_queue orders --if-empty --if-unused'],
    async ({ api, out, args, options, vhost }) => {
      const [name = ''] = args;
      const conditions = ['if-empty', 'if-unused'].filter(option => options.has(option));
      const words = conditions.map(option => (option === 'if-empty' ? 'if queue is empty ' : 'if queue is unused '));
      out.say(`Deleting queue '${name}' on vhost '${vhost}' ${words.join('and ')}...`);
      const path = `/queues/${segment(vhost)}/${segment(name)}`;
      const queue = await orMissing(api.object(`${path}?columns=messages_ready`), () => new CliError('Queue not found', exitCodes.usage));
      try {
        await api.delete(conditions.length > 0 ? `${path}?${conditions.map(option => `${option}=true`).join('&')}` : path);
      } catch (error) {
        if (error instanceof ApiError && error.status === 400) throw new CliError(error.reason, exitCodes.usage);
        throw error;
      }
      out.done(`Queue was successfully deleted with ${Number(queue['messages_ready'] ?? 0)} ready messages`);
    },
    { options: ['if-empty', 'if-unused'], shorts: { e: 'if-empty', u: 'if-unused' } },
  ),
  own(
    'pause_queue <queue> [--vhost <vhost>]',
    [1, 1],
    'Lets a queue hand out nothing, until it is resumed: it takes messages as before, and what was delivered can be acknowledged. Outlives a restart.',
    ['pause_queue orders'],
    context => pause(context, true),
  ),
  own('resume_queue <queue> [--vhost <vhost>]', [1, 1], 'Lets a paused queue go on.', ['resume_queue orders'], context =>
    pause(context, false),
  ),
  own(
    'change_queue_shape <queue> [--vhost <vhost>] [--type classic|quorum|stream] [--arguments <json>]',
    [1, 1],
    'Gives a queue another type or other arguments, with all its messages and bindings. It gets the arguments that are given and no others.',
    ['change_queue_shape orders --type quorum', `change_queue_shape orders --type classic --arguments '{"x-max-priority": 5}'`],
    async ({ api, out, args, options, vhost }) => {
      const [name = ''] = args;
      const given = options.has('arguments') ? jsonArgument(options.get('arguments') ?? '') : {};
      if (typeof given !== 'object' || given === null || Array.isArray(given)) throw badArgument('arguments have to be a JSON object');
      const type = options.get('type');
      out.say(`Changing queue '${name}' in vhost '${vhost}' ...`);
      const shape = (await orMissing(
        api.post(`/queues/${segment(vhost)}/${segment(name)}/shape`, {
          arguments: type === undefined ? given : { ...given, 'x-queue-type': type },
        }),
        () => new CliError(`no queue '${name}' in vhost '${vhost}'`, exitCodes.data),
      )) as { type: string; messages: number };
      out.done(`It is a ${shape.type} queue with ${shape.messages} messages`);
    },
    { options: ['type', 'arguments'] },
  ),
];

async function pause({ api, out, args, vhost }: CommandContext, isPaused: boolean): Promise<void> {
  const [name = ''] = args;
  const path = `/queues/${segment(vhost)}/${segment(name)}/pause`;
  out.say(`${isPaused ? 'Pausing' : 'Resuming'} queue '${name}' in vhost '${vhost}' ...`);
  await orMissing(
    isPaused ? api.put(path, {}) : api.delete(path),
    () => new CliError(`no queue '${name}' in vhost '${vhost}'`, exitCodes.data),
  );
}
