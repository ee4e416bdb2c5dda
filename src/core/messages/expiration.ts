import { preconditionFailed } from '../broker-error.ts';

/** Largest time to live: 2^32-1 ms, about 49 days. [RabbitMQ: rabbit_misc:check_expiry] */
const millisMax = 4294967295;

/**
 * Milliseconds from a message's `expiration`.
 * @throws BrokerError PRECONDITION_FAILED with RabbitMQ's text when it is no such number.
 */
export function parseExpiration(text: string): number {
  const match = /^([+-]?\d+)(.*)$/s.exec(text);
  if (match === null) throw invalid(text, 'no_integer');
  if (match[2] !== '') throw invalid(text, `{leftover_string,"${match[2]}"}`);
  const value = Number(match[1]);
  if (value < 0) throw invalid(text, `{value_negative,${value}}`);
  if (value > millisMax) throw invalid(text, `{value_too_big,${match[1]}}`);
  return value;
}

function invalid(text: string, reason: string): Error {
  return preconditionFailed(`invalid expiration '${text}': ${reason}`);
}
