/** Something the broker listens on, for overviews and health checks. */
export interface ListenerInfo {
  /** As RabbitMQ names it: amqp, amqp/ssl, mqtt, stomp, http, https, http/prometheus ... */
  readonly protocol: string;
  /** '::' for every interface. */
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly backlog: number;
  /** Until when its certificate is valid, as X.509 has it; null without one. */
  readonly certificateValidTo: string | null;
}

/** A protocol the broker serves, as far as the management tells of it. */
export interface FrontEndInfo {
  readonly name: string;
  listeners(): Iterable<ListenerInfo>;
}

/** Names that people use for a protocol, by the name RabbitMQ has for it. [RabbitMQ: protocol listener health check] */
const synonyms: ReadonlyMap<string, readonly string[]> = new Map([
  ['amqp', ['amqp', 'amqp091', 'amqp0.9.1', 'amqp0-9-1', 'amqp 0-9-1', 'amqp10', 'amqp1.0']],
  ['amqp/ssl', ['amqp/ssl', 'amqps', 'amqp091/tls', 'amqp/tls', 'amqp091s']],
  ['mqtt', ['mqtt', 'mqtt3.1', 'mqtt3.1.1', 'mqtt5.0']],
  ['mqtt/ssl', ['mqtt/ssl', 'mqtts', 'mqtt/tls', 'mqtt+tls']],
  ['stomp', ['stomp', 'stomp1.0', 'stomp1.1', 'stomp1.2']],
  ['stomp/ssl', ['stomp/ssl', 'stomps', 'stomp/tls', 'stomp+tls']],
  ['stream', ['stream']],
  ['stream/ssl', ['stream/ssl', 'streams', 'stream/tls', 'stream+tls']],
  ['http', ['http']],
  ['https', ['https', 'http/tls', 'http+tls']],
  ['http/web-mqtt', ['http/web-mqtt', 'web-mqtt', 'web_mqtt', 'webmqtt', 'ws/mqtt', 'ws+mqtt']],
  ['http/web-stomp', ['http/web-stomp', 'web-stomp', 'web_stomp', 'webstomp', 'ws/stomp', 'ws+stomp']],
  ['http/web-amqp', ['http/web-amqp', 'web-amqp', 'web_amqp', 'webamqp', 'ws/amqp', 'ws+amqp']],
  ['http/prometheus', ['http/prometheus', 'prometheus']],
  ['clustering', ['clustering']],
]);

/** RabbitMQ's name of the protocol that people call so; what is not known stays as it is. */
export function protocolName(name: string): string {
  const wanted = name.toLowerCase();
  for (const [protocol, names] of synonyms) if (names.includes(wanted)) return protocol;
  return wanted;
}
