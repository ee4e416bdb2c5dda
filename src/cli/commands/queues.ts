import { ApiError, orMissing } from '../api-error.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import { argument, type Command, commandsOf, segment } from '../command.ts';

const define = commandsOf('Queues', ['rabbitmqctl']);

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
];
