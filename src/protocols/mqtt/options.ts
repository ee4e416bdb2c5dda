import type { CertificateLogin } from '../../auth/client-certificate.ts';

/** How MQTT is served. What the command line takes from the keys mqtt.*. */
export interface MqttOptions {
  /** Whom a client without credentials becomes; null refuses it. */
  readonly anonymousLogin: { readonly user: string; readonly password: string } | null;
  /** Virtual host of clients whose user name names none. */
  readonly vhost: string;
  /** Topic exchange that topics go through. */
  readonly exchange: string;
  /** Unacknowledged messages of a client that names no receive maximum of its own. */
  readonly prefetch: number;
  /** Longest time a session outlives its connection; Infinity for no limit. */
  readonly sessionExpirySecondsMax: number;
  /** QoS 0 messages that wait for a busy client; 0: as many as there are. */
  readonly mailboxSoftLimit: number;
  readonly durableQueueType: string;
  /** Which name of a client certificate is the user; null: none. */
  readonly certificateLogin: CertificateLogin | null;
  /** Which name of the certificate the client id must equal; null: any. */
  readonly clientIdFrom: CertificateLogin | null;
  readonly sparkplug: boolean;
  readonly disconnectOnUnauthorized: boolean;
  readonly preauthPacketBytesMax: number;
  readonly packetBytesMax: number;
  readonly topicAliasMax: number;
  readonly loginMillis: number;
  readonly connectionMax: number;
  readonly retained: { readonly messagesMax: number; readonly bytesMax: number };
  /** Sessions of all virtual hosts, those of clients that are away among them. */
  readonly sessionsMax: number;
  /** Topic filters of one session. */
  readonly subscriptionsMax: number;
  /** QoS 1 and 2 messages of one client that wait for their acknowledgement: what MQTT 5 clients are told as receive maximum. */
  readonly receiveMax: number;
  /** Longest keep-alive; clients that ask for more, or none, are told this one if they speak MQTT 5. 0: what the client says. */
  readonly keepAliveSecondsMax: number;
  /** Levels of a topic or filter. */
  readonly topicLevelsMax: number;
  /** Bytes of messages that wait in a session's queue of either kind; beyond that the oldest go. Infinity for no limit. */
  readonly queuedBytesMax: number;
  /** Where MQTT 5 clients are sent when the broker stops or is drained: `host:port`, or several with spaces between them; empty: nowhere. */
  readonly serverReference: string;
}

export const defaultMqttOptions: MqttOptions = {
  anonymousLogin: null,
  vhost: '/',
  exchange: 'amq.topic',
  prefetch: 10,
  sessionExpirySecondsMax: 86_400,
  mailboxSoftLimit: 200,
  durableQueueType: 'classic',
  certificateLogin: null,
  clientIdFrom: null,
  sparkplug: false,
  disconnectOnUnauthorized: true,
  preauthPacketBytesMax: 64 * 1024,
  packetBytesMax: 268_435_455,
  topicAliasMax: 16,
  loginMillis: 10_000,
  connectionMax: Infinity,
  retained: { messagesMax: Infinity, bytesMax: Infinity },
  sessionsMax: 100_000,
  subscriptionsMax: 10_000,
  receiveMax: 1000,
  keepAliveSecondsMax: 0,
  topicLevelsMax: 128,
  queuedBytesMax: Infinity,
  serverReference: '',
};
