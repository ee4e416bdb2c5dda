// What the rest of the server sees of its configuration: read-only, complete, with units in the names.
import type { Secret } from '../../base/secret.ts';
import type { LogCategory, LogLevel } from './schema/logging.ts';
import type { AddressBlock } from './value-address.ts';

export type { AddressBlock } from './value-address.ts';
export type { LogCategory, LogLevel } from './schema/logging.ts';

/** The configuration of one broker. Deeply frozen. A number that limits something is Infinity where there is no limit. */
export interface Config {
  /** `rabbit@host`, as RabbitMQ names nodes. */
  readonly nodeName: string;
  readonly clusterName: string;
  readonly clusterTags: readonly NamedValue[];
  readonly nodeTags: readonly NamedValue[];
  /** What server properties say this broker is. */
  readonly product: { readonly name: string; readonly version: string };
  /** Directory of everything durable; null keeps everything in memory. */
  readonly dataDir: string | null;
  /** A further file to write the process id to (RABBITMQ_PID_FILE), besides the one in the data directory. */
  readonly pidFile: string | null;
  /** True if the AMQP URL is to be printed once the broker is ready (--print-url). */
  readonly printUrl: boolean;
  /** A file of definitions that is loaded at the start and whenever it changes; null without. */
  readonly watchDefinitions: string | null;
  /** A file of definitions and messages that a broker without queues begins with; null without. */
  readonly seed: string | null;
  /** The configuration files that were read, in order. */
  readonly configFiles: readonly string[];
  /** The plugins that an enabled_plugins file names; null if there is no such file. */
  readonly enabledPlugins: readonly string[] | null;

  /** AMQP listeners. */
  readonly listeners: readonly ListenerConfig[];
  /** Of ssl_options; null if no certificate is configured. */
  readonly tls: TlsConfig | null;
  /** From where PROXY headers are accepted on listeners with proxyProtocol. */
  readonly proxyProtocolSources: readonly AddressBlock[];

  readonly defaults: DefaultsConfig;
  readonly definitions: DefinitionsConfig;
  /** Users that can connect from this machine only. */
  readonly loopbackUsers: readonly string[];
  /** Whom a client becomes that logs in anonymously, where that is allowed; null refuses it everywhere. */
  readonly anonymousLogin: LoginConfig | null;
  /** SASL mechanisms in the order in which they are offered. EXTERNAL is for TLS connections only. */
  readonly authMechanisms: readonly AuthMechanism[];
  /** Where a client certificate holds the user name. */
  readonly certificateLogin: CertificateLoginConfig;
  readonly passwordHashing: 'sha256' | 'sha512';
  readonly credentialValidator: CredentialValidatorConfig;

  readonly limits: LimitsConfig;
  readonly memory: MemoryConfig;
  readonly disk: DiskConfig;
  readonly log: LogConfig;

  readonly management: ManagementConfig;
  readonly prometheus: PrometheusConfig;
  readonly mqtt: MqttConfig;
  readonly stomp: StompConfig;
  /** AMQP 0-9-1 in WebSockets. */
  readonly webAmqp: WebSocketConfig;
  /** Origins of web pages that may connect by WebSocket, besides those of the same host. */
  readonly webSocketOrigins: readonly string[];
  readonly stream: StreamConfig;
  readonly amqp10: Amqp10Config;
  /** Where spans of messages go; null: nowhere. */
  readonly telemetry: TelemetryConfig | null;
  readonly eventExchange: { readonly vhost: string | null; readonly protocol: 'amqp_0_9_1' | 'amqp_1_0' };
  readonly interceptors: readonly InterceptorConfig[];
}

export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** One listening socket. */
export interface ListenerConfig {
  readonly kind: 'tcp' | 'tls';
  /** The `$name` of its key, for messages. */
  readonly name: string;
  /** An IP address; null is every interface, IPv6 and IPv4 as the machine has them. */
  readonly host: string | null;
  /** 0 takes a free port. */
  readonly port: number;
  /** A unix socket in place of host and port; null for all others. */
  readonly socketPath: string | null;
  readonly backlog: number;
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  /** Connections begin with a PROXY protocol header, and only addresses of proxyProtocolSources may send one. */
  readonly proxyProtocol: boolean;
  /** Not null if kind is 'tls'. */
  readonly tls: TlsConfig | null;
}

export interface TlsConfig {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string | null;
  /** Of the private key. */
  readonly password: Secret | null;
  /** 'peer' asks clients for a certificate. */
  readonly verify: 'none' | 'peer';
  readonly failIfNoPeerCert: boolean;
  /** Intermediate certificates a client's chain may have. */
  readonly depth: number;
  /** As node:tls names them, the newest first. */
  readonly versions: readonly TlsVersion[];
  /** OpenSSL names; empty is node:tls's own list. */
  readonly ciphers: readonly string[];
  readonly honorCipherOrder: boolean;
  /** Certificates of further host names (SNI). */
  readonly sni: readonly SniConfig[];
}

export type TlsVersion = 'TLSv1.3' | 'TLSv1.2';

export interface SniConfig {
  readonly hostname: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly password: Secret | null;
}

/** What is made when the broker starts without any data, and what later things get without being asked. */
export interface DefaultsConfig {
  readonly vhost: string;
  readonly user: string;
  readonly password: Secret;
  readonly userTags: readonly string[];
  readonly permissions: { readonly configure: string; readonly write: string; readonly read: string };
  readonly queueType: 'classic' | 'quorum' | 'stream';
  /** Users that appear in virtual hosts made later. */
  readonly vhostUsers: readonly VhostUserConfig[];
  /** Limits of virtual hosts made later. */
  readonly vhostLimits: readonly VhostLimitsConfig[];
  /** Operator policies of virtual hosts made later. */
  readonly operatorPolicies: readonly OperatorPolicyConfig[];
}

export interface VhostUserConfig {
  readonly name: string;
  readonly vhostPattern: string;
  /** null: none that could be used to log in. */
  readonly password: Secret | null;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
  readonly tags: readonly string[];
}

export interface VhostLimitsConfig {
  readonly id: string;
  readonly pattern: string;
  readonly connectionMax: number;
  readonly queueMax: number;
}

export interface OperatorPolicyConfig {
  readonly id: string;
  readonly vhostPattern: string;
  readonly queuePattern: string;
  readonly applyTo: 'queues' | 'classic_queues' | 'quorum_queues' | 'streams' | 'all';
  readonly expiresMillis: number | null;
  readonly messageTtlMillis: number | null;
  readonly lengthMax: number | null;
  readonly lengthBytesMax: number | null;
  readonly deliveryLimit: number | null;
}

export interface DefinitionsConfig {
  /** A JSON file, or a directory of such, to import at the start; null for none. */
  readonly path: string | null;
  readonly skipIfUnchanged: boolean;
}

export interface LoginConfig {
  readonly user: string;
  readonly password: Secret;
}

export type AuthMechanism = 'PLAIN' | 'AMQPLAIN' | 'EXTERNAL' | 'ANONYMOUS';

export type SanType = 'dns' | 'ip' | 'email' | 'uri' | 'other_name';

export interface CertificateLoginConfig {
  readonly from: 'distinguished_name' | 'common_name' | 'subject_alternative_name';
  readonly sanType: SanType;
  readonly sanIndex: number;
}

export interface CredentialValidatorConfig {
  readonly kind: 'accept_everything' | 'min_password_length' | 'password_regexp';
  readonly lengthMin: number;
  readonly pattern: string | null;
}

export interface LimitsConfig {
  /** What the server proposes; 0 proposes none. */
  readonly heartbeatSeconds: number;
  readonly frameBytesMax: number;
  /** Before connection.tune-ok. */
  readonly initialFrameBytesMax: number;
  readonly channelMax: number;
  readonly channelsPerNodeMax: number;
  readonly connectionMax: number;
  readonly connectionsPerAddressMax: number;
  /** Connections that have not logged in yet. */
  readonly preauthConnectionsMax: number;
  readonly consumersPerChannelMax: number;
  readonly unackedPerChannelMax: number;
  readonly outboxBytesMax: number;
  readonly queueIndexBytesMax: number;
  readonly messageBytesMax: number;
  readonly queueMax: number;
  readonly exchangeMax: number;
  readonly bindingMax: number;
  readonly vhostMax: number;
  readonly tableDepthMax: number;
  readonly tableEntriesMax: number;
  /** From the first byte (after TLS) to connection.open. Infinity: no limit, and no timer. */
  readonly handshakeMillis: number;
  readonly tlsHandshakeMillis: number;
  /** How long a delivery may stay unacknowledged: more than a timer can wait, possibly (people set a year). Infinity: no limit. */
  readonly consumerTimeoutMillis: number;
  readonly loginFailuresPerMinuteMax: number;
}

export interface MemoryConfig {
  readonly watermark: { readonly relative: number } | { readonly absoluteBytes: number };
  readonly totalMemoryOverrideBytes: number | null;
  /** What there is: the override, or the machine's answer. */
  readonly totalMemoryBytes: number;
  /** Where publishers are blocked: the watermark in bytes. */
  readonly watermarkBytes: number;
  readonly checkIntervalMillis: number;
}

export interface DiskConfig {
  readonly freeLimit: { readonly absoluteBytes: number } | { readonly relativeToMemory: number };
  /** The limit in bytes. */
  readonly freeLimitBytes: number;
}

export type LogFormat = 'plaintext' | 'json';

export interface LogConfig {
  /** null: nothing goes to the console. */
  readonly console: {
    readonly level: LogLevel;
    readonly format: LogFormat;
    readonly stream: 'stdout' | 'stderr';
    readonly useColors: boolean;
  } | null;
  /** null: no log file. */
  readonly file: LogFileConfig | null;
  /** null: nothing goes to amq.rabbitmq.log. */
  readonly exchange: { readonly level: LogLevel; readonly format: LogFormat } | null;
  /** Categories with a level of their own; the others pass everything on. */
  readonly categories: readonly { readonly category: LogCategory; readonly level: LogLevel }[];
}

export interface LogFileConfig {
  readonly path: string;
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly rotation: {
    /** 0: not by size. */
    readonly bytesMax: number;
    /** RabbitMQ's notation ($D0); null: not by time. */
    readonly schedule: string | null;
    readonly count: number;
    readonly compress: boolean;
  };
}

export interface ManagementConfig {
  /** None if management is off. */
  readonly listeners: readonly ListenerConfig[];
  readonly pathPrefix: string;
  readonly ratesMode: 'basic' | 'detailed' | 'none';
  readonly bodyBytesMax: number;
  readonly sessionMinutes: number;
  readonly accessLogDir: string | null;
  readonly cors: { readonly allowOrigins: readonly string[]; readonly ageSecondsMax: number };
  /** null: the built-in policy. */
  readonly cspPolicy: string | null;
  /** null: the built-in policy. */
  readonly hstsPolicy: string | null;
  readonly disableStats: boolean;
  readonly enableQueueTotals: boolean;
  readonly operatorPolicyChangesDisabled: boolean;
  readonly requireJsonExtension: boolean;
  readonly sampleIntervalMillis: number;
  readonly retention: readonly RetentionConfig[];
}

export interface RetentionConfig {
  readonly section: 'global' | 'basic' | 'detailed';
  /** For how long samples are kept. */
  readonly seconds: number;
  /** How far apart the kept samples are. */
  readonly intervalSeconds: number;
}

export interface PrometheusConfig {
  readonly listeners: readonly ListenerConfig[];
  readonly path: string;
  readonly perObjectMetrics: boolean;
  readonly authentication: boolean;
}

export interface WebSocketConfig {
  readonly listeners: readonly ListenerConfig[];
  readonly path: string;
  readonly frameBytesMax: number;
  readonly idleMillis: number;
  readonly connectionMax: number;
}

export interface MqttConfig {
  /** None if MQTT is off. */
  readonly listeners: readonly ListenerConfig[];
  readonly webSocket: WebSocketConfig;
  /** null refuses clients without credentials. */
  readonly anonymousLogin: LoginConfig | null;
  readonly vhost: string;
  readonly exchange: string;
  readonly prefetch: number;
  readonly sessionExpirySecondsMax: number;
  readonly mailboxSoftLimit: number;
  readonly durableQueueType: 'classic' | 'quorum';
  readonly certificateLogin: boolean;
  readonly clientIdFrom: {
    readonly part: 'distinguished_name' | 'subject_alternative_name';
    readonly sanType: SanType;
    readonly sanIndex: number;
  } | null;
  readonly sparkplug: boolean;
  readonly disconnectOnUnauthorized: boolean;
  readonly preauthPacketBytesMax: number;
  readonly packetBytesMax: number;
  readonly topicAliasMax: number;
  readonly sessionsMax: number;
  readonly subscriptionsMax: number;
  readonly receiveMax: number;
  readonly keepAliveSecondsMax: number;
  readonly topicLevelsMax: number;
  readonly queuedBytesMax: number;
  readonly serverReference: string;
  readonly loginMillis: number;
  readonly connectionMax: number;
  readonly retained: { readonly messagesMax: number; readonly bytesMax: number };
}

export interface StompConfig {
  /** None if STOMP is off. */
  readonly listeners: readonly ListenerConfig[];
  readonly webSocket: WebSocketConfig;
  /** Whom a client without login header becomes; null refuses it. */
  readonly defaultLogin: LoginConfig | null;
  readonly defaultVhost: string;
  readonly defaultTopicExchange: string;
  readonly implicitConnect: boolean;
  readonly certificateLogin: boolean;
  readonly loginMillis: number;
  readonly preauthFrameBytesMax: number;
  readonly frameBytesMax: number;
  readonly connectionMax: number;
  readonly hideServerInfo: boolean;
  readonly defaultNackRequeue: boolean;
}

export interface StreamConfig {
  readonly listeners: readonly ListenerConfig[];
  readonly advertised: {
    readonly host: string | null;
    readonly port: number | null;
    readonly tlsHost: string | null;
    readonly tlsPort: number | null;
  };
  readonly initialCredits: number;
  readonly creditsRequiredForUnblocking: number;
  readonly frameBytesMax: number;
  readonly heartbeatSeconds: number;
  readonly connectionMax: number;
}

export interface Amqp10Config {
  readonly defaultVhost: string;
  readonly sessionsPerConnectionMax: number;
  readonly linksPerSessionMax: number;
}

export interface TelemetryConfig {
  /** Of an OpenTelemetry collector that takes OTLP over HTTP. */
  readonly endpoint: string;
  readonly headers: Secret | null;
  readonly serviceName: string;
  readonly resourceAttributes: string;
  readonly samplingRatio: number;
}

export interface InterceptorConfig {
  readonly name: 'set_header_timestamp' | 'set_header_routing_node';
  readonly overwrite: boolean;
}
