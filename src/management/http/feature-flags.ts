/** RabbitMQ's feature flags that tools look for. All are on: what they stand for is there from the start. */
export interface FeatureFlag {
  readonly name: string;
  readonly desc: string;
  readonly doc_url: string;
  readonly state: 'enabled';
  readonly stability: 'stable' | 'required';
  readonly provided_by: string;
}

function flag(name: string, desc: string, providedBy = 'rabbit'): FeatureFlag {
  return { name, desc, doc_url: '', state: 'enabled', stability: 'stable', provided_by: providedBy };
}

export const featureFlags: readonly FeatureFlag[] = [
  flag('classic_mirrored_queue_version', 'Support setting version for classic mirrored queues'),
  flag('classic_queue_type_delivery_support', 'Bug fix for classic queue deliveries using mixed versions'),
  flag('detailed_queues_endpoint', 'Add a detailed queues HTTP API endpoint', 'rabbitmq_management_agent'),
  flag('direct_exchange_routing_v2', 'v2 direct exchange routing implementation'),
  flag('drop_unroutable_metric', 'Count unroutable publishes to be dropped in stats', 'rabbitmq_management_agent'),
  flag('empty_basic_get_metric', 'Count AMQP `basic.get` on empty queues in stats', 'rabbitmq_management_agent'),
  flag('feature_flags_v2', 'Feature flags subsystem V2'),
  flag('implicit_default_bindings', 'Default bindings are now implicit, instead of being stored in the database'),
  flag('listener_records_in_ets', 'Store listener records in ETS instead of Mnesia'),
  flag('maintenance_mode_status', 'Maintenance mode status'),
  flag('message_containers', 'Message containers'),
  flag('quorum_queue', 'Support queues of type `quorum`'),
  flag('stream_queue', 'Support queues of type `stream`'),
  flag('tracking_records_in_ets', 'Store tracking records in ETS instead of Mnesia'),
  flag('user_limits', 'Configure connection and channel limits for a user'),
  flag('virtual_host_metadata', 'Virtual host metadata (description, tags, etc)'),
];
