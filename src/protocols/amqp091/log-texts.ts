// What the log says of connections, in the words that RabbitMQ's users search for. [RabbitMQ: rabbit_reader, log]
import { methodNames } from '../../wire/amqp091/methods.gen.ts';
import type { ReplyError } from './reply-error.ts';

export interface LoggedConnection {
  readonly name: string;
  /** '' while unknown. */
  readonly user: string;
  readonly vhostName: string;
  readonly stateName: string;
}

/** `127.0.0.1:40470 -> 127.0.0.1:5672, vhost: '/', user: 'guest'`, as far as it is known. */
function whose({ name, user, vhostName }: LoggedConnection): string {
  if (user === '') return name;
  return `${name}, vhost: '${vhostName === '' ? 'none' : vhostName}', user: '${user}'`;
}

export function closingText(connection: LoggedConnection, why = ''): string {
  return `closing AMQP connection (${whose(connection)})${why === '' ? '' : `: ${why}`}`;
}

export function errorText(connection: LoggedConnection, what: string): string {
  return `Error on AMQP connection (${whose(connection)}, state: ${connection.stateName}): ${what}`;
}

export function connectionExceptionText(connection: LoggedConnection, error: ReplyError, method: number): string {
  return errorText(connection, exceptionText('connection', error, method));
}

export function channelExceptionText(connection: LoggedConnection, channelNumber: number, error: ReplyError, method: number): string {
  return `Channel error on connection (${whose(connection)}), channel ${channelNumber}: ${exceptionText('channel', error, method)}`;
}

/** `operation queue.declare caused a channel exception not_found: no queue 'q' in vhost '/'` */
function exceptionText(scope: 'connection' | 'channel', { text }: ReplyError, method: number): string {
  const [name = '', ...rest] = text.split(' - ');
  return `operation ${methodNames.get(method) ?? 'none'} caused a ${scope} exception ${name.toLowerCase()}: ${rest.join(' - ')}`;
}
