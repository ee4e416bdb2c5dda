import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySegments } from './key.ts';
import { AREAS, KEY_INDEX, KEYS } from './schema.ts';
import { Mismatch } from './value-type.ts';

/** A name that a pattern stands for. */
function exampleOf(pattern: string): readonly string[] {
  const segments = keySegments(pattern.replace('**', 'x.y').replaceAll('$', ''));
  assert.notEqual(segments, null, pattern);
  return segments ?? [];
}

test('every key is found by its pattern and by its aliases', () => {
  for (const key of KEYS) {
    assert.equal(KEY_INDEX.find(exampleOf(key.pattern))?.key, key, key.pattern);
    for (const alias of key.aliases) assert.deepEqual(KEY_INDEX.find(exampleOf(alias)), { key, variables: [], isAlias: true }, alias);
  }
});

test('every default is a value of its key’s type', () => {
  for (const key of KEYS) {
    if (key.kind === 'key') assert.ok(!(key.type.parse(key.defaultText) instanceof Mismatch), `${key.pattern}: ${key.defaultText}`);
  }
});

test('every key with an effect is described in a sentence, every one without has a reason', () => {
  for (const key of KEYS) {
    if (key.kind !== 'ignored') assert.match(key.description, /^[A-Za-z`].*[.)]$/, key.pattern);
    if (key.effect !== 'full') assert.match(key.effect.none, /^[A-Za-z].*[^.]$/, key.pattern);
  }
});

test('a family has a variable, and nothing else has one', () => {
  for (const key of KEYS) {
    if (key.kind === 'family') assert.match(key.pattern, /\$/, key.pattern);
    else if (key.kind !== 'ignored') assert.doesNotMatch(key.pattern, /\$|\*/, key.pattern);
  }
});

test('areas have titles of their own', () => {
  assert.equal(new Set(AREAS.map(area => area.title)).size, AREAS.length);
});

/** Keys that RabbitMQ's documentation and its example file set; a file with any of them has to be read. [RabbitMQ rabbitmq.conf.example] */
const DOCUMENTED = `
listeners.tcp listeners.tcp.default listeners.tcp.local_v6 listeners.ssl listeners.ssl.default num_acceptors.tcp num_acceptors.ssl
socket_writer.gc_threshold handshake_timeout reverse_dns_lookups loopback_users loopback_users.guest ssl_options ssl_options.verify
ssl_options.fail_if_no_peer_cert ssl_options.cacertfile ssl_options.certfile ssl_options.keyfile ssl_options.password ssl_options.honor_cipher_order
ssl_options.honor_ecc_order ssl_options.client_renegotiation ssl_options.secure_renegotiate ssl_options.versions.1 ssl_options.ciphers.1
ssl_options.bypass_pem_cache ssl_options.depth ssl_options.dhfile ssl_options.crl_check ssl_options.crl_sources.a.path auth_backends.1 auth_backends.1.authn
auth_backends.1.authz auth_mechanisms.1 ssl_cert_login_from ssl_cert_login_san_type ssl_cert_login_san_index ssl_handshake_timeout load_definitions
definitions.local.path definitions.import_backend definitions.skip_if_unchanged definitions.hashing.algorithm definitions.https.url definitions.tls.versions.1
definitions.tls.verify password_hashing_module credential_validator.validation_backend credential_validator.min_length credential_validator.regexp
default_vhost default_user default_pass default_permissions.configure default_permissions.read default_permissions.write default_user_tags.administrator
default_user_tags.custom_tag default_limits.vhosts.prod.pattern default_limits.vhosts.prod.max_connections default_limits.vhosts.prod.max_queues
default_policies.operator.limits.vhost_pattern default_policies.operator.limits.queue_pattern default_policies.operator.limits.apply_to
default_policies.operator.limits.max_length default_policies.operator.limits.message_ttl default_policies.operator.x.classic_queues.ha_mode
default_users.monitoring.vhost_pattern default_users.monitoring.tags default_users.monitoring.configure default_users.monitoring.read
default_users.monitoring.write default_users.monitoring.password anonymous_login_user anonymous_login_pass heartbeat frame_max initial_frame_max
max_channels_per_connection channel_max channel_max_per_node consumer_max_per_channel max_connections connection_max session_max_per_connection
link_max_per_session ranch_connection_max vhost_max cluster_queue_limit cluster_exchange_limit max_message_size tcp_listen_options.backlog
tcp_listen_options.nodelay tcp_listen_options.exit_on_close tcp_listen_options.keepalive tcp_listen_options.send_timeout tcp_listen_options.buffer
tcp_listen_options.sndbuf tcp_listen_options.recbuf tcp_listen_options.linger.on tcp_listen_options.linger.timeout default_queue_type
quorum_queue.property_equivalence.relaxed_checks_on_redeclaration quorum_queue.initial_cluster_size quorum_queue.commands_soft_limit
quorum_queue.wal_max_size_bytes quorum_queue.continuous_membership_reconciliation.enabled classic_queue.default_version stream.listeners.tcp.default
stream.listeners.ssl.default stream.num_acceptors.tcp stream.heartbeat stream.replication.port_range.min stream.replication.address_family
stream.advertised_host stream.advertised_port stream.advertised_tls_host stream.advertised_tls_port stream.data_dir stream.initial_frame_max
stream.max_uncompressed_sub_entry_batch_size stream.initial_credits stream.credits_required_for_unblocking stream.frame_max
vm_memory_high_watermark.relative vm_memory_high_watermark.absolute vm_memory_high_watermark_paging_ratio vm_memory_calculation_strategy
total_memory_available_override_value memory_monitor_interval disk_free_limit.absolute disk_free_limit.relative cluster_name cluster_tags.region
node_tags.uuid queue_leader_locator queue_master_locator cluster_partition_handling cluster_partition_handling.pause_if_all_down.recover
cluster_partition_handling.pause_if_all_down.nodes.1 cluster_formation.peer_discovery_backend cluster_formation.classic_config.nodes.1
cluster_formation.dns.hostname cluster_formation.k8s.host cluster_formation.k8s.address_type cluster_formation.node_cleanup.interval
cluster_formation.node_cleanup.only_log_warning cluster_formation.discovery_retry_limit cluster_formation.target_cluster_size_hint
cluster_formation.node_type cluster_formation.consul.host cluster_formation.etcd.endpoints.1 cluster_formation.aws.region cluster_keepalive_interval
collect_statistics collect_statistics_interval raft.segment_max_entries raft.wal_max_size_bytes raft.adaptive_failure_detector.poll_interval
metadata_store.khepri.default_timeout deprecated_features.permit.transient_nonexcl_queues queue_index_embed_msgs_below msg_store_file_size_limit
background_gc_enabled background_gc_target_interval proxy_protocol product.name product.version motd_file channel_interceptor.priorities.one
consumer_timeout consumer_disconnected_timeout net_ticktime distribution.listener.port_range.min distribution.listener.interface
mnesia_table_loading_retry_timeout mnesia_table_loading_retry_limit message_store_shutdown_timeout vhost_restart_strategy
message_interceptors.incoming.set_header_timestamp.overwrite event_exchange.vhost event_exchange.protocol track_auth_attempt_source
http_dispatch.access_log_dir management.http_log_dir management.http.max_body_size management.tcp.port management.tcp.ip
management.tcp.shutdown_timeout management.tcp.max_keepalive management.tcp.idle_timeout management.tcp.inactivity_timeout
management.tcp.request_timeout management.tcp.compress management.ssl.port management.ssl.cacertfile management.ssl.certfile management.ssl.keyfile
management.ssl.honor_cipher_order management.ssl.versions.1 management.ssl.ciphers.1 management.listener.port management.listener.ssl
management.listener.ssl_opts.cacertfile management.path_prefix management.rates_mode management.sample_retention_policies.global.minute
management.sample_retention_policies.detailed.10 management.credential_encryption_secret management.definitions.require_json_extension
management.require_definition_json_extension management.headers.referrer_policy management.http.hide_allow_header management.load_definitions
management.login_session_timeout management.cors.allow_origins.1 management.cors.max_age management.csp.policy management.hsts.policy
management.disable_stats management.enable_queue_totals management.disable_basic_auth management.oauth_enabled management.oauth_client_id
management.oauth_resource_servers.a.id management.restrictions.operator_policy_changes.disabled management_agent.disable_metrics_collector
prometheus.tcp.port prometheus.tcp.ip prometheus.ssl.port prometheus.path prometheus.return_per_object_metrics prometheus.authentication.enabled
shovel.delete_after_duration_floor stomp.listeners.tcp.1 stomp.listeners.ssl.default stomp.tcp_listen_options.backlog stomp.proxy_protocol
stomp.num_acceptors.tcp stomp.ssl_cert_login stomp.default_user stomp.default_pass stomp.implicit_connect stomp.default_vhost stomp.max_frame_size
web_stomp.hsts.policy web_stomp.tcp.port web_stomp.ssl.port web_stomp.ssl.certfile web_stomp.ws_opts.compress web_stomp.cowboy_opts.max_keepalive
mqtt.listeners.tcp.1 mqtt.listeners.ssl.default mqtt.tcp_listen_options.backlog mqtt.num_acceptors.tcp mqtt.proxy_protocol
mqtt.disconnect_on_unauthorized mqtt.allow_anonymous mqtt.vhost mqtt.exchange mqtt.max_session_expiry_interval_seconds mqtt.prefetch
mqtt.durable_queue_type mqtt.retained_message_store mqtt.retained_message_store.max_messages mqtt.default_user mqtt.default_pass mqtt.subscription_ttl
mqtt.sparkplug mqtt.ssl_cert_login mqtt.ssl_cert_client_id_from mqtt.mailbox_soft_limit mqtt.topic_alias_maximum mqtt.max_packet_size_authenticated
web_mqtt.hsts.policy web_mqtt.tcp.port web_mqtt.ws_opts.max_frame_size web_mqtt.tcp.ip log.dir log.file log.file.level log.file.rotation.date
log.file.rotation.size log.file.rotation.count log.file.rotation.compress log.file.formatter log.file.formatter.time_format log.console
log.console.level log.console.formatter log.console.use_colors log.console.color_esc_seqs.debug log.exchange log.exchange.level log.user.file
log.user.level log.connection.level log.connection.file log.federation.level log.default.level log.upgrade.level log.syslog log.syslog.ip
log.syslog.transport log.syslog.ssl_options.cacertfile log.journald auth_oauth2.resource_server_id auth_oauth2.scope_aliases.admin
auth_oauth2.https.cacertfile auth_ldap.servers.1 auth_ldap.ssl_options.sni auth_http.user_path auth_cache.cached_backend trust_store.url aws.prefer_imdsv2
amqp1_0.default_user sysmon_handler.thresholds.busy_ports erlang.K hipe_compile
`;

test('every key that RabbitMQ documents is known', () => {
  const unknown = DOCUMENTED.trim()
    .split(/\s+/)
    .filter(name => KEY_INDEX.find(keySegments(name) ?? []) === null);
  assert.deepEqual(unknown, []);
});
