import { argument, type Command, segment } from '../command.ts';

const group = 'Queues';

export const queues: readonly Command[] = [
  {
    name: 'purge_queue',
    usage: '[--vhost <vhost>] <queue>',
    group,
    description: 'Purges a queue (removes all messages in it).',
    arity: [1, 1],
    async run(context) {
      const name = argument(context, 0, 'queue');
      context.out.say(`Purging queue '${name}' in vhost '${context.vhost}' ...`);
      await context.api.delete(`/queues/${segment(context.vhost)}/${segment(name)}/contents`);
    },
  },
  {
    name: 'delete_queue',
    usage: '[--vhost <vhost>] <queue> [--if-empty] [--if-unused]',
    group,
    description: 'Deletes a queue.',
    arity: [1, 1],
    async run(context) {
      const name = argument(context, 0, 'queue');
      const conditions = ['if-empty', 'if-unused'].filter(option => context.options.has(option)).map(option => `${option}=true`);
      context.out.say(
        `Deleting queue '${name}' on vhost '${context.vhost}' ${conditions.length > 0 ? `${conditions.join(' and ')} ` : ''}...`,
      );
      await context.api.delete(
        `/queues/${segment(context.vhost)}/${segment(name)}${conditions.length > 0 ? `?${conditions.join('&')}` : ''}`,
      );
    },
  },
];
