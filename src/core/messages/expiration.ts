import { preconditionFailed } from '../broker-error.ts';
import { expiryMillisMax } from '../queues/queue-arguments.ts';

/**
 * Milliseconds from a message's `expiration`; -1 when it is no valid one.
 * [RabbitMQ: rabbit_basic, parse_expiration]
 */
export function expirationMillis(text: string): number {
  if (!/^\+?\d+$/.test(text)) return -1;
  const value = Number(text);
  return value > expiryMillisMax ? -1 : value;
}

/**
 * Milliseconds from a message's `expiration`.
 * @throws BrokerError PRECONDITION_FAILED with RabbitMQ's text when it is no such number.
 */
export function parseExpiration(text: string): number {
  const match = /^([+-]?\d+)(.*)$/s.exec(text);
  if (match === null) throw invalid(text, 'no_integer');
  if (match[2] !== '') throw invalid(text, `{leftover_string,"${match[2]}"}`);
  const value = BigInt((match[1] as string).replace('+', ''));
  if (value < 0n) throw invalid(text, `{value_negative,${value}}`);
  if (value > expiryMillisMax) throw invalid(text, `{value_too_large,${value}}`);
  return Number(value);
}

function invalid(text: string, reason: string): Error {
  return preconditionFailed(`invalid expiration '${text}': ${reason}`);
}
