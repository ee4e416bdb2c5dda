import { reasons } from '../../wire/mqtt/constants.ts';
import type { Connection } from './connection.ts';

/** Looks after one connection, about twice a second: deadlines, clients that take nothing, keep-alive. */
export function sweep(connection: Connection, nowMillis: number): void {
  if (nowMillis >= connection.deadlineMillis) {
    connection.abort('login timeout', '');
    return;
  }
  if (connection.link.isStalled(nowMillis, connection.broker.settings.sendTimeoutMillis)) {
    connection.abort('send timeout', 'it takes nothing');
    return;
  }
  const { keepAliveSeconds } = connection;
  if (!connection.isOpen || keepAliveSeconds === 0) return;
  // [MQTT 5.0 3.1.2.10]
  if (connection.intake.isSilent(nowMillis, keepAliveSeconds * 1500)) connection.disconnect(reasons.keepAliveTimeout, 'keep-alive timeout');
}
