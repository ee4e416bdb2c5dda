/** What users can set that the core acts on. The server fills it from the configuration; a library user gives what differs. */
export interface BrokerSettings {
  readonly nodeName: string;
  readonly clusterName: string;
  /** As advertised in server-properties; clients switch on them. */
  readonly product: string;
  readonly productVersion: string;
  /** Largest body, in bytes. */
  readonly messageBytesMax: number;
  readonly frameBytesMax: number;
  /** Largest frame before tuning. */
  readonly initialFrameBytesMax: number;
  readonly channelsMax: number;
  readonly heartbeatSeconds: number;
  readonly handshakeTimeoutMillis: number;
  /** How long a client whose outbox is full may read nothing before it is disconnected. */
  readonly sendTimeoutMillis: number;
  /** How long a delivery may stay unacknowledged; 0: for ever. */
  readonly consumerTimeoutMillis: number;
  readonly defaultQueueType: string;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly unauthenticatedConnectionsMax: number;
  /** Channels of all connections. */
  readonly channelsPerNodeMax: number;
  readonly consumersPerChannelMax: number;
  readonly queuesMax: number;
  readonly bindingsMax: number;
  readonly unackedPerChannelMax: number;
  /** Bytes that may wait for one client's socket before its consumers get nothing more. */
  readonly outboxBytesMax: number;
  /** Memory for what long queues know of their ready messages, all together; what is beyond goes to disk where there is one. */
  readonly queueIndexBytesMax: number;
  /** Messages of which that is put away in one piece: a power of two. */
  readonly queueIndexBlockPlaces: number;
  readonly loopbackUsers: readonly string[];
  readonly mechanisms: readonly string[];
  /** User that ANONYMOUS logs in as; null switches it off. */
  readonly anonymousUser: string | null;
  /** Virtual host that has the exchange amq.rabbitmq.event, from when somebody asks for it; null: none has. */
  readonly eventExchangeVhost: string | null;
  /** Virtual host that has the exchange amq.rabbitmq.log; null: none has. */
  readonly logExchangeVhost: string | null;
}

export const defaultSettings: BrokerSettings = {
  nodeName: 'rabbit@localhost',
  clusterName: 'rabbit@localhost',
  product: 'RabbitMQ',
  productVersion: '3.13.7',
  messageBytesMax: 16 * 1024 * 1024,
  frameBytesMax: 131_072,
  initialFrameBytesMax: 8192,
  channelsMax: 2047,
  heartbeatSeconds: 60,
  handshakeTimeoutMillis: 10_000,
  sendTimeoutMillis: 30_000,
  consumerTimeoutMillis: 1_800_000,
  defaultQueueType: 'classic',
  connectionsMax: 10_000,
  connectionsPerAddressMax: 1000,
  unauthenticatedConnectionsMax: 1000,
  channelsPerNodeMax: 100_000,
  consumersPerChannelMax: 10_000,
  queuesMax: 100_000,
  bindingsMax: 1_000_000,
  unackedPerChannelMax: 1_048_576,
  outboxBytesMax: 1024 * 1024,
  queueIndexBytesMax: 16 * 1024 * 1024,
  queueIndexBlockPlaces: 4096,
  loopbackUsers: ['guest'],
  mechanisms: ['PLAIN', 'AMQPLAIN'],
  anonymousUser: null,
  eventExchangeVhost: '/',
  logExchangeVhost: null,
};
