import net from 'node:net';
import { ApiError, orMissing } from '../api-error.ts';
import { badArgument, CliError, type ErrorForm, exitCodes } from '../cli-error.ts';
import { type Command, commandsOf, type CommandContext } from '../command.ts';
import { listenerLine, listenersOf } from './listeners.ts';
import { alarmLine, alarmsOf } from './status.ts';

const define = commandsOf('Monitoring, observability and health checks', ['rabbitmq-diagnostics']);
const replicated = { tools: ['rabbitmq-diagnostics', 'rabbitmq-queues'] } as const;
const connectTimeoutMillis = 10_000;

/** Asks a health check. @throws CliError in the words of RabbitMQ's tool when it fails */
async function check(
  context: CommandContext,
  path: string,
  words: (facts: Readonly<Record<string, unknown>>) => string,
  form: ErrorForm = 'execution',
): Promise<void> {
  try {
    await context.api.get(`/health/checks/${path}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 503) throw new CliError(words(error.facts), exitCodes.unavailable, form);
    throw error;
  }
}

function listed(values: unknown): string {
  return Array.isArray(values) ? [...new Set(values)].sort((a, b) => (a < b ? -1 : 1)).join(', ') : '';
}

async function nodeFacts({ api }: CommandContext): Promise<Record<string, unknown>> {
  return (await api.list('/nodes'))[0] ?? {};
}

async function isRunning({ api }: CommandContext): Promise<boolean> {
  const [node] = await api.list('/nodes?columns=running');
  return node?.['running'] === true;
}

function alarmCheck(name: string, path: string, what: string): Command {
  return define(
    name,
    [0, 0],
    `Health check that exits with a non-zero code if the node reports any ${what}.`,
    [name, `-q ${name} || echo "publishers wait"`],
    async context => {
      const node = await context.node();
      context.out.say(`Asking node ${node} to report any local resource alarms ...`);
      await check(context, path, () => `Node ${node} reported ${what}. Run 'rabbitmq-diagnostics alarms' to see them.`);
      context.out.done(`Node ${node} reported no ${what}`);
    },
  );
}

/** Whether something answers on a port. */
function connects(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = net.connect({ host, port, timeout: connectTimeoutMillis });
    const end = (isOpen: boolean) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.on('connect', end(true));
    socket.on('error', end(false));
    socket.on('timeout', end(false));
  });
}

const protocolNames: Readonly<Record<string, string>> = {
  amqps: 'amqp/ssl',
  amqp091: 'amqp',
  amqp10: 'amqp',
  amqp10s: 'amqp/ssl',
  mqtts: 'mqtt/ssl',
  stomps: 'stomp/ssl',
  streams: 'stream/ssl',
  prometheus: 'http/prometheus',
};

export const health: readonly Command[] = [
  ...(['alarms', 'list_alarms'] as const).map(name =>
    define(
      name,
      [0, 0],
      'Lists resource alarms in effect: why publishers wait.',
      [name],
      async context => {
        const node = await nodeFacts(context);
        const nodeName = String(node['name']);
        context.out.say(`Asking node ${nodeName} to report any known resource alarms ...`);
        const active = alarmsOf(node);
        context.out.facts({ node: nodeName, result: 'ok', alarms: active }, () =>
          active.length === 0
            ? [`Node ${nodeName} reported no alarms, local or clusterwide`]
            : active.map(alarm => alarmLine(alarm, nodeName)),
        );
      },
      name === 'alarms' ? {} : { tools: [] },
    ),
  ),
  alarmCheck('check_alarms', 'alarms', 'alarms, local or clusterwide'),
  alarmCheck('check_local_alarms', 'local-alarms', 'local alarms'),
  define(
    'check_running',
    [0, 0],
    'Health check that exits with a non-zero code if the broker does not serve clients (after stop_app).',
    ['check_running'],
    async context => {
      const node = await context.node();
      context.out.say(`Checking if RabbitMQ is running on node ${node} ...`);
      if (!(await isRunning(context))) {
        throw new CliError(`RabbitMQ on node ${node} is not running or has not fully booted yet (check with is_booting)`);
      }
      context.out.done(`RabbitMQ on node ${node} is fully booted and running`);
    },
  ),
  define('is_running', [0, 0], 'Says whether the broker serves clients.', ['is_running'], async context => {
    const node = await context.node();
    context.out.say(`Asking node ${node} for its status ...`);
    const running = await isRunning(context);
    context.out.answer(running ? `RabbitMQ on node ${node} is fully booted and running` : `RabbitMQ on node ${node} is not running`);
  }),
  define(
    'is_booting',
    [0, 0],
    'Says whether the broker is still starting: it answers this only when it is not.',
    ['is_booting'],
    async context => {
      const node = await context.node();
      context.out.say(`Asking node ${node} for its boot status ...`);
      await context.api.get('/whoami');
      context.out.answer(`RabbitMQ on node ${node} is fully booted (check with is_running), stopped or has not started booting yet`);
    },
  ),
  define(
    'check_virtual_hosts',
    [0, 0],
    'Health check of the virtual hosts, which are up as soon as they exist.',
    ['check_virtual_hosts'],
    async context => {
      const node = await context.node();
      context.out.say(`Checking if all vhosts are running on node ${node} ...`);
      await check(context, 'virtual-hosts', () => 'Some virtual hosts are down');
      context.out.done(`Node ${node} reported all vhosts as running`);
    },
  ),
  define(
    'check_port_listener <port>',
    [1, 1],
    'Health check that exits with a non-zero code if there is no active listener for the port.',
    ['check_port_listener 5672'],
    async context => {
      const [text = ''] = context.args;
      if (!/^\d{1,5}$/.test(text)) throw badArgument('Argument must be a positive integer');
      const node = await context.node();
      context.out.say(`Asking node ${node} if there's an active listener on port ${text} ...`);
      await check(
        context,
        `port-listener/${text}`,
        facts =>
          `No listener for port ${text} is active on node ${node}. Found listeners that use the following ports: ${listed(facts['ports'])}`,
        'plain',
      );
      context.out.done(`A listener for port ${text} is running on node ${node}.`);
    },
  ),
  define(
    'check_protocol_listener <protocol>',
    [1, 1],
    'Health check that exits with a non-zero code if there is no active listener for the protocol.',
    ['check_protocol_listener amqp', 'check_protocol_listener https'],
    async context => {
      const [protocol = ''] = context.args;
      const node = await context.node();
      context.out.say(`Asking node ${node} if there's an active listener for protocol ${protocol} ...`);
      const name = Object.hasOwn(protocolNames, protocol) ? (protocolNames[protocol] as string) : protocol;
      await check(
        context,
        `protocol-listener/${encodeURIComponent(name)}`,
        facts =>
          `No listener for protocol ${protocol} is active on node ${node}. Found listeners for the following protocols: ${listed(facts['protocols'])}`,
      );
      context.out.done(`A listener for protocol ${protocol} is running on node ${node}.`);
    },
  ),
  define(
    'check_port_connectivity [--address <host>]',
    [0, 0],
    "Basic TCP connectivity health check for each listener's port.",
    ['check_port_connectivity'],
    async context => {
      const overview = await context.api.object('/overview?columns=listeners');
      const node = await context.node();
      context.out.say(`Testing TCP connections to all active listeners on node ${node} ...`);
      const { url } = context.api.target;
      const closed: string[] = [];
      for (const listener of listenersOf(overview)) {
        if (listener.port === 0) continue;
        const bound = listener.interface.replace(/^\[|\]$/g, '');
        const isAny = bound === '::' || bound === '0.0.0.0' || bound === '';
        const host = context.options.get('address') ?? (isAny ? (url === null ? 'localhost' : new URL(url).hostname) : bound);
        if (!(await connects(host, listener.port))) closed.push(listenerLine(listener));
      }
      if (closed.length > 0)
        throw new CliError(`Connection to ports of the following listeners on node ${node} failed: \n${closed.join('\n')}`);
      context.out.done(`Successfully connected to all ports on node ${node}.`);
    },
    { options: ['address'] },
  ),
  define(
    'check_certificate_expiration --within <number> --unit <unit>',
    [0, 0],
    'Checks that no certificate of a TLS listener ends within a time: days, weeks, months or years.',
    ['check_certificate_expiration --within 6 --unit weeks'],
    async context => {
      const within = context.options.get('within') ?? '4';
      const unit = context.options.get('unit') ?? 'weeks';
      const node = await context.node();
      context.out.say(`Checking certificate expiration on node ${node} ...`);
      if (!['days', 'weeks', 'months', 'years'].includes(unit))
        throw badArgument(`unit '${unit}' is not supported. Please use one of: days, weeks, months, years`);
      await check(context, `certificate-expiration/${within}/${unit}`, facts => {
        const expired = (facts['expired'] ?? []) as Record<string, unknown>[];
        const lines = expired.map(
          item =>
            `Interface: ${String(item['interface'])}, port: ${String(item['port'])}, protocol: ${String(item['protocol'])}, expires on: ${JSON.stringify(item['certfile_expires_on'])}`,
        );
        return `Certificates of the following listeners on node ${node} expire within ${within} ${unit}:\n${lines.join('\n')}`;
      });
      context.out.done(`No certificates are expiring within ${within} ${within === '1' ? unit.replace(/s$/, '') : unit}.`);
    },
    { options: ['within', 'unit'] },
  ),
  ...(['quorum', 'mirror_sync'] as const).map(kind =>
    define(
      `check_if_node_is_${kind}_critical`,
      [0, 0],
      'Health check for clusters. A broker is one node, to which it does not apply.',
      [`check_if_node_is_${kind}_critical`],
      async context => {
        const node = await context.node();
        context.out.say(
          `Checking if node ${node} is critical for ${kind === 'quorum' ? 'quorum' : 'data safety'} of any ${kind === 'quorum' ? 'quorum' : 'classic mirrored'} queues ...`,
        );
        await check(context, `node-is-${kind.replace('_', '-')}-critical`, () => `Node ${node} is critical`);
        context.out.done(`Node ${node} seems to be the only one in a single node cluster, the check does not apply`);
      },
      replicated,
    ),
  ),
  define(
    'listeners',
    [0, 0],
    'Lists active connection listeners (bound interface, port, protocol).',
    ['listeners', 'listeners --formatter json'],
    async context => {
      const overview = await context.api.object('/overview?columns=listeners,node');
      const node = String(overview['node']);
      const list = listenersOf(overview);
      context.out.say(`Asking node ${node} to report its protocol listeners ...`);
      context.out.facts({ result: 'ok', node, listeners: list }, () => list.map(listenerLine));
    },
  ),
  define(
    'quorum_status <queue> [--vhost <vhost>]',
    [1, 1],
    'Displays status of a queue with members: the one node there is.',
    ['quorum_status orders'],
    async context => memberStatus(context, 'quorum queue'),
    replicated,
  ),
  define(
    'stream_status <stream> [--vhost <vhost>]',
    [1, 1],
    'Displays the status of a stream: the one node there is.',
    ['stream_status events'],
    async context => memberStatus(context, 'stream'),
    { tools: ['rabbitmq-diagnostics', 'rabbitmq-queues', 'rabbitmq-streams'] },
  ),
  define(
    'node_health_check',
    [0, 0],
    'Deprecated check of the whole node: use check_running, check_alarms and check_port_connectivity.',
    ['node_health_check'],
    async context => {
      const node = await context.node();
      context.out.say(`Timeout: 70 seconds ...\nChecking health of node ${node} ...`);
      if (!(await isRunning(context))) throw new CliError(`Health check failed: node ${node} does not serve clients`);
      const active = alarmsOf(await nodeFacts(context));
      if (active.length > 0) throw new CliError(`Error: resource alarm(s) in effect:[${active.join(',')}]`, exitCodes.software);
      context.out.done('Health check passed');
    },
    { tools: ['rabbitmqctl', 'rabbitmq-diagnostics'] },
  ),
];

async function memberStatus(context: CommandContext, what: string): Promise<void> {
  const [name = ''] = context.args;
  const node = await context.node();
  context.out.say(`Status of ${what} ${name} on node ${node} ...`);
  const path = `/queues/${encodeURIComponent(context.vhost)}/${encodeURIComponent(name)}`;
  const queue = await orMissing(context.api.object(path), () => new CliError('not_found'));
  context.out.list({
    columns: ['Node Name', 'Role', 'State', 'Messages', 'Type'],
    rows: [[node, 'leader', queue['state'], queue['messages'], queue['type']]],
  });
}
