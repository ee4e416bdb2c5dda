import { reasons } from '../../wire/mqtt/constants.ts';
import { MqttError } from '../../wire/mqtt/mqtt-error.ts';
import type { EndPacket } from '../../wire/mqtt/packets.ts';
import type { Connection } from './connection.ts';

/** A session that does not end. [MQTT 5.0 3.1.2.11.2] */
const never = 0xffff_ffff;

/** Acts on DISCONNECT of a client: how long its session stays, whether its will is published. [MQTT 5.0 3.14] @throws MqttError */
export function onDisconnect(connection: Connection, packet: EndPacket): void {
  const { session, frontEnd } = connection;
  const expirySeconds = packet.properties.sessionExpirySeconds;
  if (expirySeconds !== undefined) {
    if (!session.isDurable && expirySeconds > 0)
      throw new MqttError(reasons.protocolError, 'a session that was to end with its connection cannot be kept');
    const max = frontEnd.options.sessionExpirySecondsMax;
    frontEnd.sessions.expireAfter(session, Math.min(expirySeconds === never ? Infinity : expirySeconds, max) * 1000);
  }
  connection.leave(packet.reason === reasons.success);
}
