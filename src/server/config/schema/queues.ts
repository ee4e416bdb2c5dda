import { type Area, familyKey, ignoredKey, key, optionalKey } from '../key.ts';
import { boolean, oneOf, path } from '../value-type.ts';
import { INTERCEPTORS } from './effects.ts';

export const QUEUES = {
  defaultType: key(
    'default_queue_type',
    oneOf('classic', 'quorum', 'stream'),
    'classic',
    'Type of queues that are declared without x-queue-type.',
  ),
  interceptors: familyKey(
    'message_interceptors.incoming.$name.overwrite',
    boolean,
    'Set a header (set_header_timestamp, set_header_routing_node) on every message that comes in; whether over an existing one.',
    { effect: INTERCEPTORS },
  ),
};

export const DEFINITIONS = {
  file: optionalKey(
    'load_definitions',
    path,
    'JSON file with definitions (users, virtual hosts, queues, policies) to import at the start; a directory: every .json in it.',
  ),
  localPath: optionalKey('definitions.local.path', path, 'The newer name of load_definitions, which load_definitions goes before.'),
  managementFile: optionalKey('management.load_definitions', path, 'The older name of load_definitions, which both others go before.'),
  skipIfUnchanged: key('definitions.skip_if_unchanged', boolean, 'false', 'Import only if the file has changed since the last import.'),
  backend: key(
    'definitions.import_backend',
    oneOf('local_filesystem', 'local', 'https', 'http'),
    'local_filesystem',
    'Where definitions come from; files are the only source there is, any other stops the start.',
  ),
};

const ONE_NODE = 'a broker is one node';
const ERLANG = 'it tunes the Erlang runtime';
const RAFT = 'replication does not exist';
const OWN_STORE = 'WarrenMQ stores messages in its own way';

export const QUEUES_AREA: Area = {
  title: 'Queues and definitions',
  introduction: '',
  keys: [
    ...Object.values(QUEUES),
    ...Object.values(DEFINITIONS),
    ignoredKey('message_interceptors.**', 'only set_header_timestamp and set_header_routing_node of incoming messages are known'),
    ignoredKey('definitions.hashing.algorithm', 'it matters to definitions.skip_if_unchanged alone, which is content-exact here'),
    ignoredKey('definitions.https.url', 'definitions are read from files; fetch them first'),
    ignoredKey('definitions.tls.**', 'definitions are read from files'),
    ignoredKey('consumer_disconnected_timeout', RAFT),
    ignoredKey('queue_leader_locator', RAFT),
    ignoredKey('queue_master_locator', RAFT),
    ignoredKey('queue_index_embed_msgs_below', OWN_STORE),
    ignoredKey('msg_store_file_size_limit', OWN_STORE),
    ignoredKey('message_store_shutdown_timeout', OWN_STORE),
    ignoredKey('classic_queue.default_version', OWN_STORE),
    ignoredKey('quorum_queue.**', RAFT),
    ignoredKey('raft.**', RAFT),
    ignoredKey('mirroring_sync_batch_size', 'mirrored queues do not exist'),
    ignoredKey('mirroring_sync_max_throughput', 'mirrored queues do not exist'),
    ignoredKey('delegate_count', ERLANG),
    ignoredKey('default_worker_pool_size', ERLANG),
    ignoredKey('background_gc_enabled', ERLANG),
    ignoredKey('background_gc_target_interval', ERLANG),
    ignoredKey('hipe_compile', ERLANG),
    ignoredKey('erlang.K', ERLANG),
    ignoredKey('sysmon_handler.**', ERLANG),
    ignoredKey('channel_operation_timeout', ERLANG),
    ignoredKey('channel_interceptor.**', 'plugins of RabbitMQ do not run here'),
    ignoredKey('vhost_restart_strategy', 'virtual hosts do not fail on their own'),
    ignoredKey('runtime_parameters.limits.$category', 'runtime parameters are not limited by component'),
    ignoredKey('deprecated_features.permit.$name', 'WarrenMQ has no deprecated features; what RabbitMQ 3.13 permits is permitted'),
    ignoredKey('queue_types.$type.enabled', 'every queue type there is can be used'),
    ignoredKey('exchange_types.$type.enabled', 'every exchange type there is can be used'),
    ignoredKey('prevent_startup_if_node_was_reset', ONE_NODE),
    ignoredKey('shovel.**', 'there are no shovels'),
    ignoredKey('federation.**', 'there is no federation'),
    ignoredKey('tracing.**', 'there is no tracing to files'),
  ],
};
