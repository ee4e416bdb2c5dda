// hot path: see docs/STYLE.md
import { packetTypes, reasons } from '../../wire/mqtt/constants.ts';
import { decodePacket } from '../../wire/mqtt/decode.ts';
import { MqttError } from '../../wire/mqtt/mqtt-error.ts';
import { acknowledge } from './acknowledging.ts';
import type { Connection } from './connection.ts';
import { onDisconnect } from './disconnecting.ts';
import { onSubscribe, onUnsubscribe } from './subscribing.ts';

/** Where the type of a packet stands in its first byte. */
export const typeShift = 4;

const pingresp = Buffer.from([packetTypes.pingresp << typeShift, 0]);

/**
 * Hands one packet of a client that is connected to whoever acts on it.
 * @throws MqttError
 */
export function dispatch(connection: Connection, first: number, buffer: Buffer, start: number, end: number): void {
  const type = first >> typeShift;
  if (type === packetTypes.publish) {
    connection.publishing.onPublish(first, buffer, start, end);
    return;
  }
  // The usual acknowledgement says nothing but its id.
  if (
    end - start === 2 &&
    (first & 15) === (type === packetTypes.pubrel ? 2 : 0) &&
    type >= packetTypes.puback &&
    type <= packetTypes.pubcomp
  ) {
    acknowledge(connection, type, ((buffer[start] as number) << 8) | (buffer[start + 1] as number), 0);
    return;
  }
  const packet = decodePacket(first, buffer, start, end, connection.version);
  switch (packet.name) {
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      acknowledge(connection, type, packet.packetId, packet.reason);
      return;
    case 'subscribe':
      onSubscribe(connection, packet);
      return;
    case 'unsubscribe':
      onUnsubscribe(connection, packet);
      return;
    case 'pingreq':
      connection.send(pingresp);
      return;
    case 'disconnect':
      onDisconnect(connection, packet);
      return;
    default:
      throw new MqttError(reasons.protocolError, `${packet.name.toUpperCase()} from a client that is connected`);
  }
}
