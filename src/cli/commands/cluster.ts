import { type Command, commandsOf } from '../command.ts';
import { listenersOf } from './listeners.ts';
import { alarmLine, readStatus, alarmsOf } from './status.ts';

const define = commandsOf('Cluster', ['rabbitmqctl', 'rabbitmq-diagnostics']);

export const cluster: readonly Command[] = [
  define(
    'cluster_status',
    [0, 0],
    'Displays the node as a cluster of one, in the form that scripts know.',
    ['cluster_status', 'cluster_status --formatter json | jq .running_nodes'],
    async context => {
      const found = await readStatus(context);
      const { node, overview } = found;
      const name = String(node['name']);
      const flags = await context.api.list('/feature-flags');
      const clusterName = String(overview['cluster_name']);
      const version = String(overview['rabbitmq_version']);
      const listeners = listenersOf(overview);
      const maintenance = node['being_drained'] === true ? 'marked for maintenance' : 'not under maintenance';
      const running = node['running'] === true ? [name] : [];
      context.out.say(`Cluster status of node ${name} ...`);
      context.out.facts(
        {
          alarms: alarmsOf(node),
          cluster_name: clusterName,
          disk_nodes: [name],
          feature_flags: flags,
          listeners: { [name]: listeners },
          maintenance_status: { [name]: maintenance },
          partitions: {},
          ram_nodes: [],
          running_nodes: running,
          versions: { [name]: { rabbitmq_name: 'RabbitMQ', rabbitmq_version: version, warrenmq_version: node['warrenmq_version'] } },
          cpu_cores: { [name]: node['processors'] },
        },
        () => [
          ...section('Basics', [`Cluster name: ${clusterName}`, `Total CPU cores available cluster-wide: ${String(node['processors'])}`]),
          ...section('Disk Nodes', [name]),
          ...section('Running Nodes', running),
          ...section('Versions', [`${name}: RabbitMQ ${version}, WarrenMQ ${String(node['warrenmq_version'])}`]),
          ...section('Maintenance status', [`Node: ${name}, status: ${maintenance}`]),
          ...section(
            'Alarms',
            alarmsOf(node).map(alarm => alarmLine(alarm, name)),
          ),
          ...section('Network Partitions', []),
          ...section(
            'Listeners',
            listeners.map(
              item =>
                `Node: ${name}, interface: ${item.interface}, port: ${item.port}, protocol: ${item.protocol}, purpose: ${item.purpose}`,
            ),
          ),
          ...section(
            'Feature flags',
            flags.map(flag => `Flag: ${String(flag['name'])}, state: ${String(flag['state'])}`),
          ),
        ],
      );
    },
  ),
];

function section(title: string, lines: readonly string[]): string[] {
  return [title, '', ...(lines.length === 0 ? ['(none)'] : lines), ''];
}
