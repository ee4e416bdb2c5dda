// hot path: see docs/STYLE.md
import { packetTypes, reasons } from '../../wire/mqtt/constants.ts';
import { MqttError } from '../../wire/mqtt/mqtt-error.ts';
import type { Connection } from './connection.ts';
import { pubcompByte, pubrelByte } from './pending-acks.ts';

/** Acts on PUBACK, PUBREC, PUBREL or PUBCOMP of a client. [MQTT 5.0 4.3] @throws MqttError */
export function acknowledge(connection: Connection, type: number, id: number, reason: number): void {
  if (id === 0) throw new MqttError(reasons.protocolError, 'packet identifier 0');
  const { deliveries } = connection.session;
  switch (type) {
    case packetTypes.puback:
      deliveries.acknowledged(id);
      return;
    case packetTypes.pubrec: {
      const refusal = deliveries.receivedByClient(id, reason);
      // The client keeps the id until it hears of it again.
      if (refusal !== 0 && reason < 0x80) connection.acks.push(id, pubrelByte, refusal);
      return;
    }
    case packetTypes.pubrel:
      // When that is durable: the client may use the id for another message then.
      connection.acks.push(id, pubcompByte, deliveries.released(id) ? 0 : reasons.packetIdNotFound);
      return;
    default:
      deliveries.completed(id);
  }
}
