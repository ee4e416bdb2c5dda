import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../command-line.ts';
import { helpOf, helpOfAll } from '../help.ts';
import { commandOptions, generalOptions } from '../options.ts';
import { rabbitTools, type Tool } from '../tool.ts';
import { allCommands, commandsOfTool, findCommand, similarCommand } from './registry.ts';

/** [rabbitmqctl 3.10.8 help, and the manual pages of 4.x] */
const ofRabbitMQ: Readonly<Record<string, string>> = {
  rabbitmqctl:
    'autocomplete await_startup reset rotate_logs shutdown start_app stop stop_app wait await_online_nodes change_cluster_node_type ' +
    'cluster_status force_boot force_reset forget_cluster_node join_cluster rename_cluster_node update_cluster_nodes cancel_sync_queue ' +
    'sync_queue add_user authenticate_user change_password clear_password clear_user_limits delete_user list_user_limits list_users ' +
    'set_user_limits set_user_tags clear_permissions clear_topic_permissions list_permissions list_topic_permissions ' +
    'list_user_permissions list_user_topic_permissions list_vhosts set_permissions set_topic_permissions list_bindings list_channels ' +
    'list_ciphers list_connections list_consumers list_exchanges list_hashes list_node_auth_attempt_stats list_queues ' +
    'list_unresponsive_queues ping report schema_info status clear_global_parameter clear_parameter list_global_parameters ' +
    'list_parameters set_global_parameter set_parameter clear_operator_policy clear_policy list_operator_policies list_policies ' +
    'set_operator_policy set_policy add_vhost clear_vhost_limits delete_vhost list_vhost_limits restart_vhost set_vhost_limits ' +
    'set_vhost_tags trace_off trace_on decode encode environment set_cluster_name set_disk_free_limit set_log_level ' +
    'set_vm_memory_high_watermark export_definitions import_definitions enable_feature_flag list_feature_flags close_all_connections ' +
    'close_all_user_connections close_connection eval eval_file exec force_gc resume_listeners suspend_listeners delete_queue ' +
    'purge_queue list_stream_connections list_stream_consumers list_stream_publishers hipe_compile node_health_check ' +
    'decommission_mqtt_node delete_shovel federation_status hash_password list_mqtt_connections list_stomp_connections reset_stats_db ' +
    'restart_federation_link set_permissions_globally shovel_status list_deprecated_features list_amqp10_connections restart_shovel ' +
    'enable_vhost_deletion_protection disable_vhost_deletion_protection force_standalone_khepri_boot encrypt_conf_value update_vhost_metadata',
  'rabbitmq-diagnostics':
    'alarms check_alarms check_certificate_expiration check_if_node_is_mirror_sync_critical check_if_node_is_quorum_critical ' +
    'check_local_alarms check_port_connectivity check_port_listener check_protocol_listener check_running check_virtual_hosts ' +
    'cipher_suites consume_event_stream discover_peers erlang_version is_booting is_running list_network_interfaces listeners log_tail ' +
    'log_tail_stream maybe_stuck memory_breakdown observer ping quorum_status remote_shell report runtime_thread_stats schema_info ' +
    'server_version status stream_status tls_versions certificates command_line_arguments disable_auth_attempt_source_tracking ' +
    'enable_auth_attempt_source_tracking environment erlang_cookie_hash erlang_cookie_sources log_location os_env ' +
    'reset_node_auth_attempt_metrics resolve_hostname resolver_info reclaim_quorum_memory consistent_hash_exchange_ring_state ' +
    'check_if_any_deprecated_features_are_used check_if_metadata_store_is_initialized',
  'rabbitmq-queues':
    'grow rebalance shrink add_member delete_member check_if_node_is_mirror_sync_critical check_if_node_is_quorum_critical peek ' +
    'quorum_status stream_status reclaim_quorum_memory',
  'rabbitmq-plugins': 'directories is_enabled disable enable list set',
  'rabbitmq-upgrade': 'await_online_quorum_plus_one await_online_synchronized_mirror drain post_upgrade revive',
  'rabbitmq-streams': 'add_replica delete_replica restart_stream stream_status',
};

test("every command of RabbitMQ's tools is there, under the name of its tool", () => {
  for (const [tool, names] of Object.entries(ofRabbitMQ)) {
    const there = commandsOfTool(tool as Tool).map(({ name }) => name);
    for (const name of names.split(' ')) assert.ok(there.includes(name), `${tool} ${name}`);
  }
});

test('every command has a description, an example that its own rules accept, and no other of its name', () => {
  const seen = new Set<string>();
  for (const command of allCommands) {
    const { name } = command;
    assert.ok(!seen.has(name), `${name} is there once`);
    seen.add(name);
    assert.match(name, /^[a-z0-9_]+$/);
    assert.match(command.description, /^[A-Z].*\.$/s, `the description of ${name} is a sentence`);
    assert.ok(command.examples.length > 0, `${name} has an example`);
    for (const option of command.options) assert.ok(Object.hasOwn(commandOptions, option), `${name}: --${option}`);
    for (const [, option = ''] of command.usage.matchAll(/--([a-z0-9-]+)/g)) {
      const isKnown = command.options.includes(option) || Object.hasOwn(generalOptions, option) || command.hasOwnOptions;
      assert.ok(isKnown, `the usage of ${name} has --${option}`);
    }
    for (const example of command.examples) {
      if (example.startsWith('curl') || example.startsWith('echo') || command.hasOwnOptions) continue;
      const line = example.split(/ (?:[|>&]|\|\||&&) /)[0] ?? '';
      const given = Array.from(line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g), match => match[1] ?? match[2] ?? match[3] ?? '');
      const { words } = parseCommandLine(given, command);
      assert.equal(words[0], name, example);
      const count = words.length - 1;
      assert.ok(count >= command.arity[0] && count <= command.arity[1], `arguments of: ${example}`);
    }
  }
});

test('help shows usage, description, examples and options of every command', () => {
  for (const command of allCommands) {
    const tool = command.tools[0] ?? 'warrenctl';
    const text = helpOf(tool, command);
    assert.ok(text.includes(`${command.name}${command.usage === '' ? '' : ` ${command.usage}`}`), command.name);
    for (const part of [command.description, ...command.examples]) assert.ok(text.includes(part), command.name);
    for (const option of command.options) assert.ok(text.includes(`--${option}`), `${command.name} --${option}`);
  }
  for (const tool of [...rabbitTools, 'warrenctl'] as const) {
    const list = helpOfAll(tool, commandsOfTool(tool));
    for (const { name } of commandsOfTool(tool)) assert.match(list, new RegExp(`^ {3}${name} `, 'm'));
  }
});

test('a command of another tool is found, too, but not one of rabbitmq-plugins, whose names are too general', () => {
  assert.equal(findCommand('rabbitmqctl', 'check_alarms')?.name, 'check_alarms');
  assert.equal(findCommand('rabbitmqctl', 'list'), undefined);
  assert.equal(findCommand('rabbitmq-plugins', 'list')?.name, 'list');
});

test('who mistypes a name is told the nearest', () => {
  assert.equal(similarCommand('rabbitmqctl', 'list_quues'), 'list_queues');
  assert.equal(similarCommand('rabbitmqctl', 'nosuchcommandatall'), null);
  assert.equal(similarCommand('rabbitmqctl', 'x'.repeat(100_000)), null);
});
