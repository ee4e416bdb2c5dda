import { orMissing } from '../api-error.ts';
import { badArgument, CliError, exitCodes } from '../cli-error.ts';
import { type Command, commandsOf, type CommandContext, segment } from '../command.ts';
import { jsonArgument } from './missing.ts';

const define = commandsOf('Messages', []);
const pageMax = 500;
const payloadCharsMax = 60;

type Item = Record<string, unknown>;

const noQueue = (name: string, vhost: string) => (): CliError => new CliError(`no queue '${name}' in vhost '${vhost}'`, exitCodes.data);

function queuePath({ vhost }: CommandContext, name: string): string {
  return `/queues/${segment(vhost)}/${segment(name)}`;
}

function headersOf(message: Item): Item {
  return ((message['properties'] as Item | undefined)?.['headers'] ?? {}) as Item;
}

/** Where a dead letter was before it died for the first time: its queue; null when the message is none. */
function originOf(message: Item): string | null {
  const headers = headersOf(message);
  const first = headers['x-first-death-queue'];
  if (typeof first === 'string') return first;
  const deaths = headers['x-death'];
  const last: unknown = Array.isArray(deaths) ? deaths.at(-1) : undefined;
  const queue = typeof last === 'object' && last !== null ? (last as Item)['queue'] : undefined;
  return typeof queue === 'string' ? queue : null;
}

function count({ options }: CommandContext, absent: number): number {
  const value = Number(options.get('count') ?? absent);
  if (value < 1) throw badArgument('count is from 1');
  return value;
}

export const messages: readonly Command[] = [
  define(
    'browse_messages <queue> [--vhost <vhost>] [--count <count>] [--offset <count>] [--search <text>] [--state ready|unacked|delayed|dead-lettered]',
    [1, 1],
    'Shows messages of a queue without taking them: 50 from the head by default.',
    ['browse_messages orders', 'browse_messages orders --search "order-4711" --formatter json'],
    async context => {
      const { api, out, args, options, vhost } = context;
      const [name = ''] = args;
      const query = new URLSearchParams({ count: String(Math.min(count(context, 50), pageMax)) });
      for (const option of ['offset', 'search', 'state']) if (options.has(option)) query.set(option, options.get(option) ?? '');
      out.say(`Browsing messages of queue '${name}' in vhost '${vhost}' ...`);
      const list = await orMissing(api.list(`${queuePath(context, name)}/messages?${query.toString()}`), noQueue(name, vhost));
      if (out.isJson) return out.write(JSON.stringify(list));
      const shortened = (payload: unknown): string => {
        const text = String(payload);
        return text.length > payloadCharsMax ? `${text.slice(0, payloadCharsMax)}...` : text;
      };
      out.list({
        columns: ['id', 'exchange', 'routing_key', 'redelivered', 'payload_bytes', 'headers', 'payload'],
        rows: list.map(item => [
          item['id'],
          item['exchange'],
          item['routing_key'],
          item['redelivered'],
          item['payload_bytes'],
          headersOf(item),
          shortened(item['payload']),
        ]),
      });
    },
    { options: ['count', 'offset', 'search', 'state'] },
  ),
  define(
    'delete_message <queue> <id> [--vhost <vhost>]',
    [2, 2],
    'Deletes one ready message, by the id that browse_messages shows.',
    ['delete_message orders 1-4711'],
    async context => {
      const [name = '', id = ''] = context.args;
      context.out.say(`Deleting message ${id} of queue '${name}' in vhost '${context.vhost}' ...`);
      await orMissing(
        context.api.delete(`${queuePath(context, name)}/messages/${segment(id)}`),
        () => new CliError(`there is no ready message ${id} in queue '${name}'`, exitCodes.data),
      );
    },
  ),
  define(
    'move_messages <queue> [<destination queue>] [--exchange <exchange>] [--vhost <vhost>] [--count <count>] [--id <id>] [--rate <messages>] [--dry-run]',
    [1, 2],
    'Moves ready messages to another queue, or publishes them to an exchange and takes them away.',
    [
      'move_messages failed orders --count 100',
      'move_messages failed --exchange amq.topic --rate 50',
      'move_messages failed orders --dry-run',
    ],
    async context => {
      const { api, out, args, options, vhost } = context;
      const [name = '', destination] = args;
      const exchange = options.get('exchange');
      if ((destination === undefined) === (exchange === undefined)) throw badArgument('there is a destination queue, or --exchange');
      out.say(
        `Moving messages of queue '${name}' in vhost '${vhost}' to ${exchange === undefined ? `queue '${destination}'` : `exchange '${exchange}'`} ...`,
      );
      const isDry = options.has('dry-run');
      const moved = (await orMissing(
        api.post(`${queuePath(context, name)}/move`, {
          ...(destination === undefined ? { exchange } : { destination }),
          ...(options.has('count') ? { count: count(context, 1) } : {}),
          ...(options.has('id') ? { ids: (options.get('id') ?? '').split('\n') } : {}),
          ...(options.has('rate') ? { rate: Number(options.get('rate')) } : {}),
          dry_run: isDry,
        }),
        noQueue(name, vhost),
      )) as { moved: number };
      out.done(isDry ? `${moved.moved} messages would be moved` : `Moved ${moved.moved} messages`);
    },
    { options: ['exchange', 'count', 'id', 'rate', 'dry-run'] },
  ),
  define(
    'redrive_messages <queue> [--vhost <vhost>] [--count <count>] [--search <text>] [--dry-run]',
    [1, 1],
    'Moves dead letters back to the queues they died in: each to that of its first death. Messages that are no dead letters stay.',
    ['redrive_messages failed', 'redrive_messages failed --search timeout --dry-run'],
    async context => {
      const { api, out, args, options, vhost } = context;
      const [name = ''] = args;
      const isDry = options.has('dry-run');
      const limit = options.has('count') ? count(context, 1) : Infinity;
      out.say(`Redriving dead letters of queue '${name}' in vhost '${vhost}' ...`);
      const moved = new Map<string, number>();
      let skipped = 0;
      let left = limit;
      while (left > 0) {
        const query = new URLSearchParams({ count: String(pageMax), offset: String(skipped) });
        if (options.has('search')) query.set('search', options.get('search') ?? '');
        const page = await orMissing(api.list(`${queuePath(context, name)}/messages?${query.toString()}`), noQueue(name, vhost));
        if (page.length === 0) break;
        const groups = new Map<string, string[]>();
        for (const message of page) {
          const origin = left > 0 ? originOf(message) : null;
          if (origin === null || origin === name) {
            skipped++;
            continue;
          }
          groups.set(origin, [...(groups.get(origin) ?? []), String(message['id'])]);
          left--;
        }
        for (const [origin, ids] of groups) {
          const done = isDry
            ? { moved: ids.length }
            : ((await orMissing(api.post(`${queuePath(context, name)}/move`, { destination: origin, ids }), noQueue(origin, vhost))) as {
                moved: number;
              });
          moved.set(origin, (moved.get(origin) ?? 0) + done.moved);
          // What could not be moved (a consumer took it) or only would be is still there.
          if (isDry || done.moved === 0) skipped += ids.length;
        }
      }
      out.list({ columns: ['queue', isDry ? 'would_be_moved' : 'moved'], rows: [...moved] });
      if (moved.size === 0) out.done('There are no dead letters to move');
    },
    { options: ['count', 'search', 'dry-run'] },
  ),
  define(
    'publish <routing key> [<payload>] [--exchange <exchange>] [--headers <json>] [--vhost <vhost>]',
    [1, 2],
    'Publishes one message, to the default exchange unless another is named: the routing key is then the queue.',
    ['publish orders "hello"', `publish orders.new '{"id":1}' --exchange amq.topic --headers '{"source":"shell"}'`],
    async ({ api, out, args, options, vhost }) => {
      const [key = '', payload = ''] = args;
      const exchange = options.get('exchange') ?? 'amq.default';
      const headers = options.has('headers') ? jsonArgument(options.get('headers') ?? '') : {};
      const { routed } = (await orMissing(
        api.post(`/exchanges/${segment(vhost)}/${segment(exchange === '' ? 'amq.default' : exchange)}/publish`, {
          properties: { delivery_mode: 2, headers },
          routing_key: key,
          payload,
          payload_encoding: 'string',
        }),
        () => new CliError(`no exchange '${exchange}' in vhost '${vhost}'`, exitCodes.data),
      )) as { routed: boolean };
      if (!routed) throw new CliError('The message was not routed to any queue', exitCodes.data);
      out.done('Message published');
    },
    { options: ['exchange', 'headers'] },
  ),
  define(
    'explain_routing <exchange> <routing key> [--headers <json>] [--vhost <vhost>]',
    [2, 2],
    'Tells which queues a message would reach, and by which bindings.',
    ['explain_routing amq.topic orders.eu.new', `explain_routing amq.headers "" --headers '{"type":"invoice"}'`],
    async ({ api, out, args, options, vhost }) => {
      const [exchange = '', key = ''] = args;
      const headers = options.has('headers') ? jsonArgument(options.get('headers') ?? '') : {};
      out.say(`Explaining a publish to exchange '${exchange}' with routing key '${key}' in vhost '${vhost}' ...`);
      const path = `/exchanges/${segment(vhost)}/${segment(exchange === '' ? 'amq.default' : exchange)}/explain`;
      const found = (await orMissing(
        api.post(path, { routing_key: key, headers }),
        () => new CliError(`no exchange '${exchange}' in vhost '${vhost}'`, exitCodes.data),
      )) as { queues: unknown[]; bindings: Item[] };
      out.facts(found, () => [
        `Queues: ${found.queues.length === 0 ? '(none)' : found.queues.map(queue => (typeof queue === 'string' ? queue : String((queue as Item)['name']))).join(', ')}`,
        ...found.bindings.map(
          item =>
            `Binding: ${String(item['source']) || '(default)'} -> ${String(item['destination_type'])} ${String(item['destination'])}, key '${String(item['routing_key'])}'`,
        ),
      ]);
    },
    { options: ['headers'] },
  ),
];
