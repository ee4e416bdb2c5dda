import type { Connection } from './connection.ts';
import { channelExceptionText } from './log-texts.ts';
import { replyError, replyFor } from './reply-error.ts';

/**
 * A frame led to an error: ends the channel it came on or the whole connection, as the error has it, and tells log and client. `method` is 0
 * for content, `payload` what an error may quote. [AMQP 0-9-1 1.2.2, RabbitMQ: rabbit_reader, handle_exception]
 */
export function fail(connection: Connection, error: unknown, channelNumber: number, method: number, payload: Buffer): void {
  const { broker } = connection;
  let reply = replyFor(error, payload);
  if (reply === null) {
    broker.counters.internalErrors++;
    broker.logger.error('connection', `internal error on connection ${connection.name}`, error);
    reply = replyError('INTERNAL_ERROR', 'the broker failed to handle a method; see its log');
  }
  if (!connection.tellsErrors) {
    if (connection.isHandshaking) connection.silentClose(reply.text);
    return;
  }
  const channel = channelNumber === 0 ? null : connection.channels.get(channelNumber);
  // Errors in place of content are those of the method that the content belongs to, whatever came instead.
  const isContent = method === 0 || (channel !== null && channel.publishing.isExpectingContent);
  const culprit = isContent ? (channel?.publishing.method ?? 0) : method;
  if (!reply.isHard && channel !== null) {
    broker.logger.error('channel', channelExceptionText(connection, channelNumber, reply, culprit));
    channel.closeWith(reply, culprit);
  } else {
    connection.closeWith(reply, culprit);
  }
}
