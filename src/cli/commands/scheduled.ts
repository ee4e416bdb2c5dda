import { orMissing } from '../api-error.ts';
import { badArgument, CliError, exitCodes, invalid } from '../cli-error.ts';
import { type Command, commandsOf, type CommandContext, segment } from '../command.ts';

const define = commandsOf('Messages', []);
const pageMax = 500;
const idsMax = 1000;
const payloadCharsMax = 60;

/** Who holds messages for later: an exchange, or a queue that tries them again. */
interface Holder {
  readonly path: string;
  /** As texts name it. */
  readonly term: string;
}

function holderOf({ options, vhost }: CommandContext): Holder {
  const [queue, exchange] = [options.get('queue'), options.get('exchange')];
  if ((queue === undefined) === (exchange === undefined)) throw invalid('either --queue or --exchange says who holds the messages');
  const [kind, name = ''] = queue === undefined ? ['exchange', exchange] : ['queue', queue];
  const inPath = kind === 'exchange' && name === '' ? 'amq.default' : name;
  return { path: `/${kind}s/${segment(vhost)}/${segment(inPath)}/delayed`, term: `${kind} '${name}' in vhost '${vhost}'` };
}

function wholeNumber(context: CommandContext, name: string, absent: number, max: number): number {
  const text = context.options.get(name);
  const value = text === undefined ? absent : Number(text);
  if (!Number.isInteger(value) || value < 0 || value > max) throw badArgument(`--${name} is a whole number, up to ${max}`);
  return value;
}

/** Does something with each of the messages that are named. */
async function withEach(context: CommandContext, holder: Holder, act: (path: string) => Promise<unknown>): Promise<void> {
  for (const id of context.args) {
    await orMissing(act(`${holder.path}/${segment(id)}`), () => new CliError(`no message ${id} waits in ${holder.term}`, exitCodes.data));
  }
}

export const scheduled: readonly Command[] = [
  define(
    'list_scheduled_messages --queue <queue> | --exchange <exchange> [--vhost <vhost>] [--count <count>] [--offset <count>]',
    [0, 0],
    'Lists messages that wait for their time, the first due first: held by an exchange, or in a queue to be tried again.',
    ['list_scheduled_messages --exchange later', 'list_scheduled_messages --queue orders --count 10'],
    async context => {
      const { api, out } = context;
      const holder = holderOf(context);
      const query = `count=${wholeNumber(context, 'count', 50, pageMax)}&offset=${wholeNumber(context, 'offset', 0, 1e12)}`;
      out.say(`Listing messages that wait in ${holder.term} ...`);
      const list = await orMissing(api.list(`${holder.path}?${query}`), () => new CliError(`no ${holder.term}`, exitCodes.data));
      if (out.isJson) return out.write(JSON.stringify(list));
      out.list({
        columns: ['id', 'deliver_at', 'remaining_seconds', 'retry_count', 'routing_key', 'payload_bytes', 'payload'],
        rows: list.map(item => [
          item['id'],
          new Date(Number(item['deliver_at'])).toISOString(),
          Math.ceil(Number(item['remaining']) / 1000),
          item['retry_count'],
          item['routing_key'],
          item['payload_bytes'],
          String(item['payload']).slice(0, payloadCharsMax),
        ]),
      });
    },
    { options: ['queue', 'exchange', 'count', 'offset'] },
  ),
  define(
    'deliver_scheduled_message <id> ... --queue <queue> | --exchange <exchange> [--after <seconds>] [--vhost <vhost>]',
    [1, idsMax],
    'Lets messages that wait go now, or at another time.',
    ['deliver_scheduled_message 4711 --queue orders', 'deliver_scheduled_message 4711 4712 --exchange later --after 3600'],
    async context => {
      const holder = holderOf(context);
      const delay = wholeNumber(context, 'after', 0, 315_360_000) * 1000;
      context.out.say(`Delivering messages of ${holder.term} ${delay === 0 ? 'now' : `in ${delay / 1000} seconds`} ...`);
      await withEach(context, holder, path => context.api.put(path, { delay }));
    },
    { options: ['queue', 'exchange', 'after'] },
  ),
  define(
    'cancel_scheduled_message <id> ... --queue <queue> | --exchange <exchange> [--vhost <vhost>]',
    [1, idsMax],
    'Drops messages that wait for their time: they are never delivered, and are no dead letters.',
    ['cancel_scheduled_message 4711 --exchange later'],
    async context => {
      const holder = holderOf(context);
      context.out.say(`Cancelling messages of ${holder.term} ...`);
      await withEach(context, holder, path => context.api.delete(path));
    },
    { options: ['queue', 'exchange'] },
  ),
];
