import { badArgument } from '../cli-error.ts';
import { type Command, commandsOf, type CommandContext, segment } from '../command.ts';
import { parseBytes } from './units.ts';

const define = commandsOf('Configuration and Environment', ['rabbitmqctl']);

async function put(context: CommandContext, what: string, body: unknown): Promise<void> {
  const [node] = await context.api.list('/nodes?columns=name');
  await context.api.put(`/nodes/${segment(String(node?.['name']))}/${what}`, body);
}

/** A fraction as RabbitMQ's tool takes it. @throws CliError */
function fraction(text: string, max: number): number {
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) throw badArgument('The threshold should be a number');
  const value = Number(text);
  if (value < 0 || value > max) throw badArgument(`The threshold should be a fraction between 0.0 and ${max.toFixed(1)}`);
  return value;
}

export const resources: readonly Command[] = [
  define(
    'set_vm_memory_high_watermark <fraction> | absolute <value>',
    [1, 2],
    'Moves the memory watermark, above which publishers wait, until the next start.',
    ['set_vm_memory_high_watermark 0.5', 'set_vm_memory_high_watermark absolute 2GiB'],
    async context => {
      const [first = '', second] = context.args;
      const node = await context.node();
      if (first !== 'absolute') {
        if (second !== undefined) throw badArgument('there is <fraction>, or absolute <value>');
        const relative = fraction(first, 1);
        context.out.say(`Setting memory threshold on ${node} to ${relative} ...`);
        return await put(context, 'memory-watermark', { relative });
      }
      const absolute = parseBytes(second ?? '');
      if (absolute === null) throw badArgument('Invalid units.');
      context.out.say(`Setting memory threshold on ${node} to ${second} bytes ...`);
      await put(context, 'memory-watermark', { absolute });
    },
  ),
  define(
    'set_disk_free_limit <disk_limit> | mem_relative <fraction>',
    [1, 2],
    'Moves the limit of free disk space, below which publishers wait, until the next start.',
    ['set_disk_free_limit 2GB', 'set_disk_free_limit mem_relative 1.0'],
    async context => {
      const [first = '', second] = context.args;
      const node = await context.node();
      if (first === 'mem_relative') {
        const relative = fraction(second ?? '', 100);
        context.out.say(`Setting disk free limit on ${node} to ${relative} times the total RAM ...`);
        return await put(context, 'disk-free-limit', { mem_relative: relative });
      }
      const absolute = second === undefined ? parseBytes(first) : null;
      if (absolute === null) throw badArgument('Invalid units.');
      context.out.say(`Setting disk free limit on ${node} to ${first} bytes ...`);
      await put(context, 'disk-free-limit', { absolute });
    },
  ),
  define(
    'set_cluster_name <name>',
    [1, 1],
    'Sets the cluster name, which clients and dashboards see.',
    ['set_cluster_name shop-production'],
    async ({ api, out, args }) => {
      const [name = ''] = args;
      if (name === '') throw badArgument('cluster name cannot be an empty string');
      out.say(`Setting cluster name to ${name} ...`);
      await api.put('/cluster-name', { name });
    },
  ),
];
