import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { ApiError } from '../api-error.ts';
import type { ApiClient } from '../api-client.ts';
import { badArgument, CliError, exitCodes, invalid } from '../cli-error.ts';
import { type Command, commandsOf, type CommandContext, segment } from '../command.ts';

const define = commandsOf('Nodes', ['rabbitmqctl']);
const both = { tools: ['rabbitmqctl', 'rabbitmq-diagnostics'] } as const;
const upgrade = commandsOf('Upgrade', ['rabbitmq-upgrade']);
const operations = commandsOf('Operations', ['rabbitmqctl']);

const stopTimeoutMillis = 15_000;
const startTimeoutSeconds = 300;
const pollMillis = 50;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Ends the broker's process and waits for it. */
async function stop(api: ApiClient): Promise<void> {
  if (!api.isLocal) throw new CliError('a broker is stopped on its own machine: name its data directory with --data-dir');
  const { pid } = api;
  if (pid === null || !isAlive(pid)) throw new CliError('no running broker was found in the data directory');
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    throw new CliError(`the process ${pid} cannot be stopped by this user: ${(error as Error).message}`);
  }
  const deadline = performance.now() + stopTimeoutMillis;
  while (isAlive(pid)) {
    if (performance.now() > deadline)
      throw new CliError(`the broker with pid ${pid} did not stop within ${stopTimeoutMillis / 1000} seconds`);
    await sleep(20);
  }
}

/** Waits until the broker serves. */
async function awaitStart({ api, options }: CommandContext, isAlso: () => boolean = () => true): Promise<void> {
  const deadline = performance.now() + Number(options.get('timeout') ?? startTimeoutSeconds) * 1000;
  for (;;) {
    try {
      if (!isAlso()) throw new CliError('the process is not running');
      await api.get('/health/checks/ready-to-serve-clients');
      return;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) throw error;
      if (performance.now() > deadline) throw error;
      await sleep(pollMillis);
    }
  }
}

/** Has the node do something. */
export async function act(context: CommandContext, action: string): Promise<void> {
  const [node] = await context.api.list('/nodes?columns=name');
  await context.api.post(`/nodes/${segment(String(node?.['name']))}/actions`, { action });
}

/** @throws CliError in RabbitMQ's words while clients are served */
async function requireStopped(context: CommandContext): Promise<void> {
  const [node] = await context.api.list('/nodes?columns=running');
  if (node?.['running'] === true) {
    throw new CliError(
      `Error: this command requires the 'rabbit' app to be stopped on the target node. Stop it with '${context.tool} stop_app'.`,
      exitCodes.usage,
      'plain',
    );
  }
}

function pidFromFile(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

export const node: readonly Command[] = [
  define('await_startup', [0, 0], 'Waits for the broker to start and to serve clients.', ['await_startup --timeout 60'], async context => {
    await awaitStart(context);
  }),
  define(
    'wait [<pidfile>] [--pid <pid>]',
    [0, 1],
    'Waits for the broker to start, by its PID file or process id.',
    ['wait /var/lib/warren/warren.pid', 'wait --pid 4711'],
    async context => {
      const { args, options, out } = context;
      const [file] = args;
      if (file === undefined && !options.has('pid')) throw invalid('No pid or pidfile specified');
      if (file !== undefined && options.has('pid')) throw invalid('Cannot specify both pid and pidfile');
      const pid = (): number | null => (file === undefined ? Number(options.get('pid')) : pidFromFile(file));
      if (file !== undefined) out.say(`Waiting for pid file '${file}' to appear`);
      let isSaid = false;
      await awaitStart(context, () => {
        const found = pid();
        if (found !== null && !isSaid) out.say(`pid is ${found}`);
        isSaid ||= found !== null;
        return found !== null && isAlive(found);
      });
      out.say('Applications are up');
    },
    { ...both, options: ['pid'] },
  ),
  define(
    'stop [<pidfile>]',
    [0, 1],
    'Stops the broker: connections are closed, then the process exits.',
    ['stop'],
    async ({ api, out }) => {
      out.say('Stopping and halting node ...');
      await stop(api);
    },
  ),
  define('shutdown', [0, 0], 'Stops the broker and waits for the process to exit.', ['shutdown'], async ({ api, out }) => {
    out.say(`Shutting down RabbitMQ node running at PID ${api.pid ?? '-'}`);
    await stop(api);
    out.say('RabbitMQ node exited');
  }),
  define(
    'stop_app',
    [0, 0],
    'Stops serving clients: listeners are closed and connections ended. The process, its HTTP API and this program go on until start_app.',
    ['stop_app'],
    async context => {
      context.out.say(`Stopping rabbit application on node ${await context.node()} ...`);
      await act(context, 'stop_app');
    },
  ),
  define('start_app', [0, 0], 'Serves clients again after stop_app.', ['start_app'], async context => {
    context.out.say(`Starting node ${await context.node()} ...`);
    await act(context, 'start_app');
  }),
  define(
    'reset',
    [0, 0],
    'Deletes everything: queues with their messages, users, virtual hosts, policies. What is left is the first user and virtual host. After stop_app only.',
    ['reset'],
    async context => {
      await requireStopped(context);
      context.out.say(`Resetting node ${await context.node()} ...`);
      await act(context, 'reset');
    },
  ),
  define('force_reset', [0, 0], 'Does the same as reset: a broker is one node.', ['force_reset'], async context => {
    await requireStopped(context);
    context.out.say(`Forcefully resetting node ${await context.node()} ...`);
    await act(context, 'reset');
  }),
  define(
    'ping',
    [0, 0],
    'Checks that the broker answers.',
    ['ping', 'ping -q && echo up'],
    async context => {
      const { api, out } = context;
      const millis = Number(context.options.get('timeout') ?? 60) * 1000;
      const name = context.options.get('node');
      await api.get('/whoami');
      out.say(`Will ping ${name ?? 'the broker'}. This only checks if the process is running and answers. Timeout: ${millis} ms.`);
      out.done('Ping succeeded');
    },
    both,
  ),
  operations(
    'suspend_listeners',
    [0, 0],
    'Suspends client connection listeners so that no new client connections are accepted. Those there are stay.',
    ['suspend_listeners'],
    async context => {
      const name = await context.node();
      context.out.say(`Will suspend client connection listeners on node ${name}. The node will no longer accept client connections!`);
      await act(context, 'suspend_listeners');
    },
  ),
  operations(
    'resume_listeners',
    [0, 0],
    'Resumes client connection listeners making them accept client connections again.',
    ['resume_listeners'],
    async context => {
      const name = await context.node();
      context.out.say(`Will resume client connection listeners on node ${name}. The node will now accept client connections`);
      await act(context, 'resume_listeners');
    },
  ),
  operations('force_gc', [0, 0], 'Gives memory back to the system as far as that can be done.', ['force_gc'], async context => {
    context.out.say(`Will ask all processes on node ${await context.node()} to schedule a full sweep GC`);
    await act(context, 'collect_garbage');
  }),
  upgrade(
    'drain',
    [0, 0],
    'Puts the node in maintenance mode: no new connections, and those there are are closed.',
    ['drain'],
    async context => {
      const name = await context.node();
      context.out.say(`Will put node ${name} into maintenance mode. The node will no longer serve any client traffic!`);
      await act(context, 'suspend_listeners');
      for (const item of await context.api.list('/connections?columns=name')) {
        try {
          await context.api.delete(`/connections/${segment(String(item['name']))}`, { 'x-reason': 'Node was put into maintenance mode' });
        } catch (error) {
          if (!(error instanceof ApiError) || error.status !== 404) throw error;
        }
      }
    },
  ),
  upgrade('revive', [0, 0], 'Puts the node out of maintenance and into regular operating mode.', ['revive'], async context => {
    const name = await context.node();
    context.out.say(
      `Will put node ${name} back into regular operating mode. The node will again serve client traffic and host primary queue replicas.`,
    );
    await act(context, 'resume_listeners');
  }),
  upgrade('post_upgrade', [0, 0], 'Runs post-upgrade tasks: there are none.', ['post_upgrade'], async ({ api, out }) => {
    out.say('Executing post upgrade tasks...');
    await api.get('/whoami');
    out.say('There is nothing to do: data of older versions is brought up to date at the start.');
  }),
  ...(['await_online_quorum_plus_one', 'await_online_synchronized_mirror'] as const).map(name =>
    upgrade(
      name,
      [0, 0],
      'Returns at once: a broker is one node, whose shutdown no other member could make up for.',
      [name],
      async ({ api, out }) => {
        await api.get('/whoami');
        out.say('Target node seems to be the only one in a single node cluster, the command does not apply');
      },
    ),
  ),
  define(
    'await_online_nodes <count>',
    [1, 1],
    'Waits for nodes to join the cluster. A broker is one node: any other count fails at once.',
    ['await_online_nodes 1'],
    async context => {
      const count = Number(context.args[0]);
      if (!Number.isSafeInteger(count) || count < 1) throw badArgument('count is a whole number from 1');
      const seconds = Number(context.options.get('timeout') ?? startTimeoutSeconds);
      const name = await context.node();
      context.out.say(`Will wait for at least ${count} nodes to join the cluster of ${name}. Timeout: ${seconds} seconds.`);
      if (count > 1) throw new CliError(`Error: there is one node, and there will not be ${count}: brokers do not form clusters`);
      await awaitStart(context);
    },
  ),
];
