// The API's objects, as far as pages show them. Everything may be missing: what a user may not see, and what a queue type has not.
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonRecord = Record<string, Json>;

export interface Details {
  readonly rate?: number;
  readonly samples?: readonly { readonly sample: number; readonly timestamp: number }[];
}

export type MessageStats = Record<string, number | Details | undefined>;

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly filtered_count: number;
  readonly total_count: number;
  readonly page: number;
  readonly page_count: number;
  readonly page_size: number;
}

export interface Queue {
  readonly name: string;
  readonly vhost: string;
  readonly type: string;
  readonly durable: boolean;
  readonly auto_delete: boolean;
  readonly exclusive: boolean;
  readonly arguments: JsonRecord;
  readonly state?: string;
  /** Set while nothing is handed out. */
  readonly paused_since?: string;
  readonly paused_by?: string;
  /** Waiting to be tried again. */
  readonly messages_delayed?: number;
  readonly messages?: number;
  readonly messages_ready?: number;
  readonly messages_unacknowledged?: number;
  readonly message_bytes?: number;
  readonly memory?: number;
  readonly consumers?: number;
  readonly consumer_capacity?: number;
  readonly policy?: string | null;
  readonly operator_policy?: string | null;
  readonly effective_policy_definition?: JsonRecord;
  readonly message_stats?: MessageStats;
  readonly consumer_details?: readonly Consumer[];
  readonly idle_since?: string;
  readonly node?: string;
  readonly single_active_consumer_tag?: string | null;
  readonly head_message_timestamp?: number | null;
  readonly owner_pid_details?: { readonly name: string };
}

export interface Exchange {
  readonly name: string;
  readonly vhost: string;
  readonly type: string;
  readonly durable: boolean;
  readonly auto_delete: boolean;
  readonly internal: boolean;
  readonly arguments: JsonRecord;
  readonly policy?: string;
  readonly messages_delayed?: number;
  readonly message_stats?: MessageStats;
}

export interface Binding {
  readonly source: string;
  readonly vhost: string;
  readonly destination: string;
  readonly destination_type: string;
  readonly routing_key: string;
  readonly arguments: JsonRecord;
  readonly properties_key: string;
}

export interface Consumer {
  readonly consumer_tag: string;
  readonly queue: { readonly name: string; readonly vhost: string };
  readonly ack_required: boolean;
  readonly exclusive: boolean;
  readonly active: boolean;
  readonly activity_status: string;
  readonly prefetch_count: number;
  readonly arguments: JsonRecord;
  readonly channel_details: {
    readonly name?: string;
    readonly connection_name?: string;
    readonly number?: number;
    readonly user?: string;
    readonly peer_host?: string;
  };
}

export interface Connection {
  readonly name: string;
  readonly user_provided_name?: string;
  readonly user: string;
  readonly vhost: string;
  readonly protocol: string;
  readonly state: string;
  readonly ssl: boolean;
  readonly channels: number;
  readonly connected_at: number;
  readonly auth_mechanism: string;
  readonly peer_host: string;
  readonly peer_port: number;
  readonly host: string;
  readonly port: number;
  readonly timeout: number;
  readonly frame_max: number;
  readonly channel_max: number;
  readonly client_properties: JsonRecord;
  readonly recv_oct?: number;
  readonly send_oct?: number;
  readonly send_pend?: number;
  readonly recv_oct_details?: Details;
  readonly send_oct_details?: Details;
  readonly peer_cert_subject?: string | null;
}

export interface Channel {
  readonly name: string;
  readonly number: number;
  readonly user: string;
  readonly vhost: string;
  readonly state: string;
  readonly confirm: boolean;
  readonly transactional: boolean;
  readonly consumer_count: number;
  readonly messages_unacknowledged: number;
  readonly messages_unconfirmed: number;
  readonly messages_uncommitted: number;
  readonly prefetch_count: number;
  readonly global_prefetch_count: number;
  readonly connection_details: { readonly name: string; readonly peer_host: string };
  readonly message_stats?: MessageStats;
  readonly consumer_details?: readonly Consumer[];
}

export interface Overview {
  readonly cluster_name: string;
  readonly product_version: string;
  readonly rabbitmq_version: string;
  readonly warrenmq_version: string;
  readonly erlang_full_version: string;
  readonly node: string;
  readonly default_queue_type: string;
  readonly is_op_policy_updating_enabled?: boolean;
  readonly message_stats?: MessageStats;
  readonly queue_totals?: Record<string, number | Details | undefined>;
  readonly churn_rates?: Record<string, number | Details | undefined>;
  readonly object_totals?: Record<string, number>;
  readonly exchange_types: readonly { readonly name: string; readonly description?: string }[];
  /** For monitors only. */
  readonly listeners?: readonly { readonly protocol: string; readonly ip_address: string; readonly port: number }[];
}

export interface Node {
  readonly name: string;
  readonly running: boolean;
  readonly type?: string;
  readonly uptime?: number;
  readonly mem_used?: number;
  readonly mem_limit?: number;
  readonly mem_alarm?: boolean;
  readonly disk_free?: number;
  readonly disk_free_limit?: number;
  readonly disk_free_alarm?: boolean;
  readonly fd_used?: number;
  readonly fd_total?: number;
  readonly sockets_used?: number;
  readonly sockets_total?: number;
  readonly processors?: number;
  readonly run_queue?: number;
  readonly os_pid?: string;
  readonly config_files?: readonly string[];
  readonly db_dir?: string;
  readonly log_files?: readonly string[];
  readonly rates_mode?: string;
  readonly warrenmq_version?: string;
  readonly [key: string]: unknown;
}

export interface Message {
  readonly id?: string;
  readonly state?: string;
  readonly payload: string;
  readonly payload_encoding: 'string' | 'base64';
  readonly payload_bytes: number;
  readonly properties: JsonRecord | readonly never[] | null;
  readonly exchange: string;
  readonly routing_key: string;
  readonly redelivered?: boolean;
}

/** A message that an exchange holds for later. */
export interface HeldMessage extends Message {
  readonly id: string;
  /** Unix milliseconds. */
  readonly deliver_at: number;
  /** In a queue: which try it comes back for. */
  readonly retry_count?: number;
}

/** A message that reached no queue. */
export interface UnroutableMessage extends Message {
  readonly id: string;
  readonly timestamp: number;
}

export interface User {
  readonly name: string;
  readonly tags: readonly string[] | string;
  readonly limits?: Record<string, number>;
}

export interface Vhost {
  readonly name: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly default_queue_type?: string;
  readonly tracing?: boolean;
  readonly protected_from_deletion?: boolean;
  readonly messages?: number;
  readonly messages_ready?: number;
  readonly messages_unacknowledged?: number;
}

export interface Policy {
  readonly name: string;
  readonly vhost: string;
  readonly pattern: string;
  readonly priority: number;
  readonly 'apply-to': string;
  readonly definition: JsonRecord;
}

export interface Permission {
  readonly user: string;
  readonly vhost: string;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

export interface TopicPermission {
  readonly user: string;
  readonly vhost: string;
  readonly exchange: string;
  readonly write: string;
  readonly read: string;
}

export interface Finding {
  readonly severity: 'bad' | 'warn' | 'info';
  readonly text: string;
  readonly advice: string;
  readonly kind?: string;
  readonly vhost?: string;
  readonly name?: string;
}
