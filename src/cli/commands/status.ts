import { CliError, exitCodes } from '../cli-error.ts';
import { type Command, commandsOf, type CommandContext, segment } from '../command.ts';
import { cell } from '../formatters/cell.ts';
import { listenerLine, listenersOf } from './listeners.ts';
import { byteUnits, inUnit, unitOf } from './units.ts';

const define = commandsOf('Monitoring, observability and health checks', ['rabbitmqctl', 'rabbitmq-diagnostics']);
const diagnostics = commandsOf('Monitoring, observability and health checks', ['rabbitmq-diagnostics']);

type Facts = Record<string, unknown>;

/** What the broker says of itself: node, overview, parts of its memory. */
export interface Status {
  readonly node: Facts;
  readonly overview: Facts;
  readonly memory: Facts;
  readonly vhostCount: number;
}

export async function readStatus({ api }: CommandContext): Promise<Status> {
  const [overview, nodes, vhosts] = await Promise.all([api.object('/overview'), api.list('/nodes'), api.list('/vhosts?columns=name')]);
  const [node] = nodes;
  if (node === undefined) throw new CliError('the broker has no node', exitCodes.software);
  const { memory } = await api.object(`/nodes/${segment(String(node['name']))}/memory`);
  return { node, overview, memory: (memory ?? {}) as Facts, vhostCount: vhosts.length };
}

export function alarmsOf(node: Facts): string[] {
  return [node['mem_alarm'] === true ? 'memory' : '', node['disk_free_alarm'] === true ? 'disk' : ''].filter(name => name !== '');
}

/** Bytes of the parts of the memory, the largest first. */
function partsOf(memory: Facts): [string, number][] {
  return Object.entries(memory)
    .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
    .sort(([, a], [, b]) => b - a);
}

function totalOf(memory: Facts): number {
  return Number((memory['total'] as Facts | undefined)?.['rss'] ?? 0);
}

export function statusLines({ node, overview, memory, vhostCount }: Status, unit: string): string[] {
  const totals = (overview['object_totals'] ?? {}) as Facts;
  const total = totalOf(memory);
  const name = String(node['name']);
  const product = `${cell(overview['product_name'] ?? 'RabbitMQ')} ${cell(overview['product_version'] ?? overview['rabbitmq_version'])}`;
  return [
    'Runtime',
    '',
    `OS PID: ${String(node['os_pid'])}`,
    `OS: ${process.platform === 'linux' ? 'Linux' : process.platform}`,
    `Uptime (seconds): ${Math.round(Number(node['uptime']) / 1000)}`,
    `Is under maintenance?: ${String(node['being_drained'] === true)}`,
    `Product: ${product}`,
    `RabbitMQ version: ${cell(overview['rabbitmq_version'])}`,
    `WarrenMQ version: ${cell(node['warrenmq_version'])}`,
    `Node name: ${name}`,
    '',
    'Plugins',
    '',
    'Enabled plugins:',
    '',
    ...((node['enabled_plugins'] ?? []) as string[]).map(plugin => ` * ${plugin}`),
    '',
    'Data directory',
    '',
    `Node data directory: ${cell(node['db_dir']) || '(in memory)'}`,
    '',
    'Config files',
    '',
    ...((node['config_files'] ?? []) as string[]).map(file => ` * ${file}`),
    '',
    'Log file(s)',
    '',
    ...((node['log_files'] ?? []) as string[]).map(file => ` * ${file}`),
    '',
    'Alarms',
    '',
    ...(alarmsOf(node).length === 0 ? ['(none)'] : alarmsOf(node).map(alarm => alarmLine(alarm, name))),
    '',
    'Memory',
    '',
    `Total memory used: ${inUnit(total, unit)}`,
    'Calculation strategy: rss',
    `Memory high watermark setting: computed to: ${inUnit(Number(node['mem_limit']), unit)}`,
    '',
    ...partsOf(memory).map(([part, bytes]) => `${part}: ${inUnit(bytes, unit)} (${percent(bytes, total)} %)`),
    '',
    'File Descriptors',
    '',
    `Total: ${String(node['fd_used'])}, limit: ${String(node['fd_total'])}`,
    `Sockets: ${String(node['sockets_used'])}, limit: ${String(node['sockets_total'])}`,
    '',
    'Free Disk Space',
    '',
    `Low free disk space watermark: ${inUnit(Number(node['disk_free_limit']), unit)}`,
    `Free disk space: ${inUnit(Number(node['disk_free']), unit)}`,
    '',
    'Totals',
    '',
    `Connection count: ${String(totals['connections'])}`,
    `Queue count: ${String(totals['queues'])}`,
    `Virtual host count: ${vhostCount}`,
    '',
    'Listeners',
    '',
    ...listenersOf(overview).map(listenerLine),
  ];
}

function statusObject({ node, overview, memory, vhostCount }: Status): Facts {
  const totals = (overview['object_totals'] ?? {}) as Facts;
  return {
    active_plugins: node['enabled_plugins'],
    alarms: alarmsOf(node),
    config_files: node['config_files'],
    data_directory: node['db_dir'],
    disk_free: node['disk_free'],
    disk_free_limit: node['disk_free_limit'],
    file_descriptors: {
      sockets_limit: node['sockets_total'],
      sockets_used: node['sockets_used'],
      total_limit: node['fd_total'],
      total_used: node['fd_used'],
    },
    is_under_maintenance: node['being_drained'],
    is_running: node['running'],
    listeners: listenersOf(overview),
    log_files: node['log_files'],
    memory,
    node: node['name'],
    os: process.platform === 'linux' ? 'Linux' : process.platform,
    pid: Number(node['os_pid']),
    product_name: overview['product_name'],
    product_version: overview['product_version'],
    rabbitmq_version: overview['rabbitmq_version'],
    warrenmq_version: node['warrenmq_version'],
    totals: { virtual_host_count: vhostCount, connection_count: totals['connections'], queue_count: totals['queues'] },
    uptime: Math.round(Number(node['uptime']) / 1000),
    vm_memory_calculation_strategy: 'rss',
    vm_memory_high_watermark_limit: node['mem_limit'],
  };
}

export function alarmLine(alarm: string, node: string): string {
  return alarm === 'memory' ? `Memory alarm on node ${node}` : `Free disk space alarm on node ${node}`;
}

function percent(bytes: number, total: number): string {
  return (total > 0 ? (bytes * 100) / total : 0).toFixed(2);
}

export const status: readonly Command[] = [
  define(
    'status [--unit <unit>]',
    [0, 0],
    `Displays status of the broker. Sizes are in ${byteUnits.join(', ')}; gb by default.`,
    ['status', 'status --unit mb', 'status --formatter json | jq .memory'],
    async context => {
      const unit = unitOf(context.options.get('unit'));
      const found = await readStatus(context);
      context.out.say(`Status of node ${String(found.node['name'])} ...`);
      context.out.facts(statusObject(found), () => statusLines(found, unit));
    },
    { options: ['unit'] },
  ),
  diagnostics(
    'memory_breakdown [--unit <unit>]',
    [0, 0],
    `Provides a memory usage breakdown, in ${byteUnits.join(', ')}; gb by default.`,
    ['memory_breakdown --unit mb'],
    async context => {
      const unit = unitOf(context.options.get('unit'));
      const { node, memory } = await readStatus(context);
      const total = totalOf(memory);
      context.out.say(`Reporting memory breakdown on node ${String(node['name'])}...`);
      const parts = partsOf(memory);
      context.out.facts(
        Object.fromEntries(parts.map(([name, bytes]) => [name, { bytes, percentage: Number(percent(bytes, total)) }])),
        () => parts.map(([name, bytes]) => `${name}: ${inUnit(bytes, unit)} (${percent(bytes, total)}%)`),
      );
    },
    { options: ['unit'] },
  ),
  diagnostics('server_version', [0, 0], 'Displays server version.', ['server_version'], async context => {
    const { api, out } = context;
    const overview = await api.object('/overview?columns=rabbitmq_version,product_version,product_name');
    out.say(`Asking node ${await context.node()} for its RabbitMQ version...`);
    out.answer(String(overview['rabbitmq_version']));
  }),
];
