import { FrameEnd, FrameHeartbeat } from '../../wire/amqp091/constants.gen.ts';
import { exceededTimeout } from './ack-timeout.ts';
import type { Connection } from './connection.ts';
import { replyError } from './reply-error.ts';

const heartbeatFrame = Buffer.from([FrameHeartbeat, 0, 0, 0, 0, 0, 0, FrameEnd]);

/** Looks after one connection, about twice a second: deadlines, clients that take nothing, heartbeats, acknowledgement timeouts. */
export function sweep(connection: Connection, nowMillis: number): void {
  if (nowMillis >= connection.deadlineMillis) {
    if (connection.isHandshaking) connection.abort('error', 'handshake_timeout');
    else connection.link.destroy();
    return;
  }
  const { sendTimeoutMillis } = connection.broker.settings;
  if (connection.link.isStalled(nowMillis, sendTimeoutMillis)) {
    connection.abort('warning', 'send timeout', `client takes nothing, send timeout: ${sendTimeoutMillis / 1000}s`);
    return;
  }
  if (!connection.isRunning || !hasHeartbeat(connection, nowMillis)) return;
  for (const channel of connection.channels) {
    const timeout = exceededTimeout(channel, nowMillis);
    if (timeout === 0) continue;
    const text =
      `delivery acknowledgement on channel ${channel.number} timed out. Timeout value used: ${timeout} ms. ` +
      'This timeout value can be configured, see consumers doc guide to learn more';
    connection.broker.logger.warning('channel', `${text} (connection ${connection.name})`);
    channel.closeWith(replyError('PRECONDITION_FAILED', text), 0);
  }
}

/**
 * Sends a heartbeat where one is due; without heartbeats the kernel looks after the peer. Returns false when the client has sent nothing for
 * so long that its connection is ended.
 */
function hasHeartbeat(connection: Connection, nowMillis: number): boolean {
  const { heartbeatMillis } = connection.tuning;
  if (heartbeatMillis === 0) {
    // Here and not at tune-ok: four system calls that a connection of a moment need not make.
    connection.link.keepAlive();
    return true;
  }
  if (connection.intake.isSilent(nowMillis, 2 * heartbeatMillis)) {
    connection.abort('error', 'missed heartbeats', `missed heartbeats from client, timeout: ${heartbeatMillis / 1000}s`);
    return false;
  }
  if (nowMillis - connection.lastSentMillis >= heartbeatMillis / 2) connection.send(heartbeatFrame);
  return true;
}
