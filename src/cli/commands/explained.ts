// Commands of RabbitMQ's tools that have nothing to do here. Each says what it is and why; those whose work is already done, or needs not
// be done, succeed, so that scripts go on; those that were to change or show something that there is not fail.
import { CliError, exitCodes } from '../cli-error.ts';
import { type Command, commandsOf } from '../command.ts';
import type { RabbitTool } from '../tool.ts';

interface Explained {
  readonly head: string;
  readonly tools: readonly RabbitTool[];
  readonly group: string;
  /** What it is in RabbitMQ, and why it does nothing here. */
  readonly description: string;
  readonly fails: boolean;
  readonly options?: readonly string[];
  readonly example?: string;
}

const ctl = ['rabbitmqctl'] as const;
const diagnostics = ['rabbitmq-diagnostics'] as const;
const queues = ['rabbitmq-queues'] as const;
const streams = ['rabbitmq-streams'] as const;

const oneNode = 'A broker is one node: there is no cluster to change.';
const noErlang = 'WarrenMQ does not run on Erlang.';

const list: readonly Explained[] = [
  // What clusters are for
  ...(
    [
      ['join_cluster [--disc|--ram] <existing_cluster_member>', ['disc', 'ram']],
      ['forget_cluster_node <node> [--offline]', ['offline']],
      ['change_cluster_node_type <disc | ram>', []],
      ['rename_cluster_node <oldnode1> <newnode1>', []],
      ['update_cluster_nodes <seed_node>', []],
      ['force_standalone_khepri_boot', []],
    ] as const
  ).map(([head, options]) => ({ head, tools: ctl, group: 'Cluster', description: oneNode, fails: true, options })),
  { head: 'force_boot', tools: ctl, group: 'Cluster', description: `Does nothing. ${oneNode} It always starts by itself.`, fails: false },
  {
    head: 'discover_peers',
    tools: diagnostics,
    group: 'Cluster',
    description: 'No peers discovered. A broker is one node.',
    fails: false,
  },
  {
    head: 'rebalance <type> [--vhost-pattern <pattern>] [--queue-pattern <pattern>]',
    tools: queues,
    group: 'Cluster',
    description: `Does nothing. ${oneNode} All queues are where they can be.`,
    fails: false,
    options: ['vhost-pattern', 'queue-pattern'],
    example: 'rebalance all',
  },
  ...['grow <node> <all | even>', 'shrink <node> [--errors-only]', 'add_member <queue> <node>', 'delete_member <queue> <node>'].map(
    head => ({
      head,
      tools: queues,
      group: 'Replication',
      description: 'Queues have one member. A broker is one node.',
      fails: true,
      options: head.startsWith('grow') ? ['vhost-pattern', 'queue-pattern', 'errors-only'] : ['errors-only'],
    }),
  ),
  ...['add_replica <stream> <node>', 'delete_replica <stream> <node>'].map(head => ({
    head,
    tools: streams,
    group: 'Replication',
    description: 'Streams have one replica. A broker is one node.',
    fails: true,
  })),
  {
    head: 'restart_stream <stream>',
    tools: streams,
    group: 'Operations',
    description: 'Does nothing. Streams have no processes of their own that could be down.',
    fails: false,
  },
  ...['sync_queue <queue>', 'cancel_sync_queue <queue>'].map(head => ({
    head,
    tools: ctl,
    group: 'Replication',
    description: 'Mirrored queues are of the past. RabbitMQ 4 has none either.',
    fails: true,
  })),
  {
    head: 'reclaim_quorum_memory <queue>',
    tools: ['rabbitmq-diagnostics', 'rabbitmq-queues'],
    group: 'Operations',
    description: 'Does nothing. The memory of queues is given back by itself; force_gc does so at once.',
    fails: false,
    example: 'reclaim_quorum_memory orders',
  },
  {
    head: 'peek <queue> <position>',
    tools: queues,
    group: 'Monitoring, observability and health checks',
    description: "Shows a message of a quorum queue's log. browse_messages does so for any queue.",
    fails: true,
    example: 'peek orders 1',
  },
  {
    head: 'check_if_cluster_has_classic_queue_mirroring_policy',
    tools: ['rabbitmq-diagnostics', 'rabbitmq-queues'],
    group: 'Monitoring, observability and health checks',
    description: 'There are no mirrored queues. Policies with ha-mode have no effect.',
    fails: false,
  },
  {
    head: 'check_if_any_deprecated_features_are_used',
    tools: diagnostics,
    group: 'Monitoring, observability and health checks',
    description: 'Cluster reported no deprecated features in use.',
    fails: false,
  },
  {
    head: 'check_if_metadata_store_is_initialized',
    tools: diagnostics,
    group: 'Monitoring, observability and health checks',
    description: 'Metadata store has completed its initialization. A broker that answers has.',
    fails: false,
  },
  // Erlang
  ...['eval <expression>', 'eval_file <file path>', 'exec <expression> [--offline]'].map(head => ({
    head,
    tools: ctl,
    group: 'Operations',
    description:
      `${noErlang} There is no code to evaluate: see 'environment' for settings, 'status' and 'list_*' for facts, and the HTTP API ` +
      '(GET /api/openapi.json describes it) for everything else.',
    fails: true,
    options: ['offline'],
    example: `${head.split(' ')[0]} 'rabbit_misc:version().'`,
  })),
  ...['observer [--interval <seconds>]', 'remote_shell'].map(head => ({
    head,
    tools: diagnostics,
    group: 'Monitoring, observability and health checks',
    description: `${noErlang} 'warrenctl top' is a live view of the broker.`,
    fails: true,
  })),
  ...['maybe_stuck', 'runtime_thread_stats [--sample-interval <seconds>]'].map(head => ({
    head,
    tools: diagnostics,
    group: 'Monitoring, observability and health checks',
    description: `${noErlang} Its one thread is in the metrics warrenmq_event_loop_delay_p99_seconds, and in 'warrenctl top'.`,
    fails: false,
    options: ['sample-interval'],
  })),
  ...(['erlang_version [--details] [--offline]', 'erlang_cookie_hash', 'erlang_cookie_sources', 'resolver_info [--offline]'] as const).map(
    head => ({
      head,
      tools: diagnostics,
      group: 'Configuration and Environment',
      description: `${noErlang} A broker is one node, and needs no cookie.`,
      fails: false,
      options: ['offline'],
    }),
  ),
  {
    head: 'hipe_compile <directory>',
    tools: ctl,
    group: 'Deprecated',
    description: `This command is a no-op. ${noErlang}`,
    fails: false,
    example: 'hipe_compile /tmp',
  },
  {
    head: 'schema_info [<column> ...]',
    tools: ['rabbitmqctl', 'rabbitmq-diagnostics'],
    group: 'Monitoring, observability and health checks',
    description: 'There is no schema database. Everything durable is one journal in the data directory (docs/internals/journal.md).',
    fails: false,
  },
  ...['encode <value> <passphrase>', 'decode <value> <passphrase>', 'encrypt_conf_value <value> <passphrase>'].map(head => ({
    head,
    tools: ctl,
    group: 'Configuration and Environment',
    description: 'Encrypted configuration values are not supported. Take secrets from the environment: default_pass = $(BROKER_PASSWORD).',
    fails: true,
    options: ['cipher', 'hash', 'iterations', 'decode'],
  })),
  ...['list_ciphers', 'list_hashes'].map(head => ({
    head,
    tools: ['rabbitmqctl', 'rabbitmq-diagnostics'] as const,
    group: 'Monitoring, observability and health checks',
    description: 'They are for encrypted configuration values, which are not supported.',
    fails: false,
  })),
  ...['enable_auth_attempt_source_tracking', 'disable_auth_attempt_source_tracking'].map(head => ({
    head,
    tools: diagnostics,
    group: 'Configuration and Environment',
    description: 'Does nothing. Every failed login is in the log with its address and user.',
    fails: false,
  })),
  {
    head: 'consume_event_stream [--duration <seconds>] [--pattern <pattern>]',
    tools: diagnostics,
    group: 'Monitoring, observability and health checks',
    description: 'Internal events are published to the exchange amq.rabbitmq.event. Bind a queue to it.',
    fails: true,
    options: ['duration'],
  },
  {
    head: 'consistent_hash_exchange_ring_state <exchange>',
    tools: diagnostics,
    group: 'Consistent Hash Exchange plugin',
    description: "There is no ring. Which queue a key belongs to depends on the queues' names and weights: explain_routing shows it.",
    fails: false,
    example: 'consistent_hash_exchange_ring_state shards',
  },
  // Parts that are not here
  ...(['shovel_status', 'federation_status [--only-down]'] as const).map(head => ({
    head,
    tools: ['rabbitmqctl', 'rabbitmq-diagnostics'] as const,
    group: 'Operations',
    description: `There is no ${head.startsWith('shovel') ? 'shovel' : 'federation link'}. Shovel and federation are not part of WarrenMQ yet.`,
    fails: false,
  })),
  ...['delete_shovel <name>', 'restart_shovel <name>', 'restart_federation_link <link_id>'].map(head => ({
    head,
    tools: ctl,
    group: 'Operations',
    description: 'There is none. Shovel and federation are not part of WarrenMQ yet.',
    fails: true,
  })),
  {
    head: 'decommission_mqtt_node <node>',
    tools: ctl,
    group: 'Operations',
    description: oneNode,
    fails: true,
  },
  {
    head: 'reset_stats_db [--all]',
    tools: ctl,
    group: 'Operations',
    description: 'Does nothing. Statistics are part of the broker and have no database of their own.',
    fails: false,
    options: ['all'],
  },
];

/** Least number of arguments: the required ones of a usage. */
function arityOf(usage: string): [number, number] {
  const required = usage.replace(/\[[^\]]*\]/g, '').match(/<[^>]*>/g) ?? [];
  return [required.length, Infinity];
}

export const explained: readonly Command[] = list.map(({ head, tools, group, description, fails, options: more = [], example }) => {
  const [name = ''] = head.split(' ');
  const usage = head.slice(name.length + 1);
  const options = [...new Set([...more, ...Array.from(usage.matchAll(/--([a-z0-9-]+)/g), match => match[1] as string)])];
  const examples = [
    example ??
      `${name}${(usage.replace(/\[[^\]]*\]/g, '').match(/<([^>]*)>/g) ?? []).map(word => ` ${word.replace(/[<>]/g, '').split(' ')[0]}`).join('')}`,
  ];
  return commandsOf(group, tools)(
    head,
    arityOf(usage),
    description,
    examples,
    async ({ out }) => {
      await Promise.resolve();
      if (fails) throw new CliError(description, exitCodes.unavailable);
      out.done(description);
    },
    { options },
  );
});
