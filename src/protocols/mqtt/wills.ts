import type { Publication } from '../../core/messages/publication.ts';
import type { Will as WillPacket } from '../../wire/mqtt/packets.ts';

/** What is published when a client is gone without having said so. [MQTT 5.0 3.1.2.5] */
export class Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly isRetained: boolean;
  readonly properties: WillPacket['properties'];
  readonly delayMillis: number;
  /** Infinity while the client is there. */
  dueMillis = Infinity;

  constructor(packet: WillPacket) {
    const { willDelaySeconds = 0, ...properties } = packet.properties;
    this.topic = packet.topic;
    this.payload = packet.payload;
    this.qos = packet.qos;
    this.isRetained = packet.isRetained;
    this.properties = properties;
    this.delayMillis = willDelaySeconds * 1000;
  }

  /** Fills in all but the envelope and the properties. */
  fill(p: Publication): void {
    p.body = this.payload;
    p.bodyStart = 0;
    p.bodyBytes = this.payload.length;
    p.large = null;
    p.isPersistent = this.qos > 0;
    p.priority = 0;
    const { messageExpirySeconds } = this.properties;
    p.ttlMillis = messageExpirySeconds === undefined ? -1 : messageExpirySeconds * 1000;
    p.cycleGuard = null;
    p.waiter = null;
  }
}
