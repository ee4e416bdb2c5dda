type Facts = Record<string, unknown>;

/** A listener in the words of RabbitMQ's tools. */
export interface ListenerFacts {
  readonly interface: string;
  readonly node: string;
  readonly port: number;
  readonly protocol: string;
  readonly purpose: string;
}

const purposes: Readonly<Record<string, string>> = {
  amqp: 'AMQP 0-9-1 and AMQP 1.0',
  'amqp/ssl': 'AMQP 0-9-1 and AMQP 1.0 over TLS',
  http: 'HTTP API',
  https: 'HTTP API over TLS (HTTPS)',
  'http/prometheus': 'Prometheus exporter API over HTTP',
  'https/prometheus': 'Prometheus exporter API over TLS (HTTPS)',
  mqtt: 'MQTT',
  'mqtt/ssl': 'MQTT over TLS',
  stomp: 'STOMP',
  'stomp/ssl': 'STOMP over TLS',
  stream: 'stream',
  'stream/ssl': 'stream over TLS',
  'http/web-mqtt': 'MQTT over WebSockets',
  'https/web-mqtt': 'MQTT over WebSockets and TLS (HTTPS)',
  'http/web-stomp': 'STOMP over WebSockets',
  'https/web-stomp': 'STOMP over WebSockets and TLS (HTTPS)',
};

/** Listeners of an overview. */
export function listenersOf(overview: Facts): ListenerFacts[] {
  return ((overview['listeners'] ?? []) as Facts[]).map(item => {
    const protocol = String(item['protocol']);
    const address = String(item['ip_address']);
    return {
      interface: address.includes(':') ? `[${address}]` : address,
      node: String(item['node']),
      port: Number(item['port']),
      protocol,
      purpose: purposes[protocol] ?? protocol,
    };
  });
}

export function listenerLine(listener: ListenerFacts): string {
  return `Interface: ${listener.interface}, port: ${listener.port}, protocol: ${listener.protocol}, purpose: ${listener.purpose}`;
}
