import { nameOf, queueNumbers, type Route, routes } from './topology.ts';

/** A message that its sender is not rid of. */
export interface Unsent {
  readonly copy: number;
  readonly payload: Buffer;
  /** The broker has it, and may forget its packet id. */
  isReleased: boolean;
}

/** What a pair of MQTT clients, a sender and a receiver, must not forget. [MQTT 5.0 4.1] */
export class MqttState {
  readonly qos: 1 | 2;
  readonly route: Route;
  readonly queue: number;
  readonly topic: string;
  /** By packet id, in the order of sending. */
  readonly unsent = new Map<number, Unsent>();
  /** Messages of QoS 2 that were received and whose packet ids are not free, by packet id. */
  readonly received = new Map<number, number>();
  /** Clients whose session has to be there. */
  readonly sessions = new Set<string>();

  constructor(qos: 1 | 2) {
    this.qos = qos;
    this.route = qos === 1 ? routes.session1 : routes.session2;
    this.queue = qos === 1 ? queueNumbers.session1 : queueNumbers.session2;
    this.topic = this.route.routingKey;
  }
}

export function clientIdOf(role: 'sender' | 'receiver', qos: number): string {
  return `campaign-${role}-${qos}`;
}

/** A queue's name at the broker. [RabbitMQ: rabbit_mqtt_util, queue_name] */
export function queueNameOf(queue: number): string {
  if (queue === queueNumbers.session1) return `mqtt-subscription-${clientIdOf('receiver', 1)}qos1`;
  if (queue === queueNumbers.session2) return `mqtt-subscription-${clientIdOf('receiver', 2)}qos1`;
  return nameOf(queue);
}
