// Headers of a frame with values of a type.
import { BrokerError } from '../../core/broker-error.ts';
import type { Frame } from '../../wire/stomp/frame.ts';
import { invalidHeader } from './stomp-error.ts';

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
]);

/** What is no boolean is ignored, as RabbitMQ does. */
export function booleanHeader(frame: Frame, name: string): boolean | undefined {
  return booleans.get(frame.headers.get(name)?.trim() ?? '');
}

/** What is no whole number is ignored, as RabbitMQ does. @throws StompError for one outside of the bounds */
export function integerHeader(frame: Frame, name: string, min = 0, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const text = frame.headers.get(name);
  if (text === undefined || !isWhole(text)) return undefined;
  const value = Number(text);
  if (value < min || value > max) throw invalidHeader(`'${name}' must be from ${min} to ${max}`);
  return value;
}

export function isWhole(text: string): boolean {
  return /^\s*[+-]?\d+\s*$/.test(text);
}

/** Whether the frame is about a durable subscription. [RabbitMQ: has_durable_header] */
export function isDurableWanted(frame: Frame): boolean {
  return booleanHeader(frame, 'durable') === true || booleanHeader(frame, 'persistent') === true;
}

/** The name of the error a broker's refusal is told as: not_found. */
export function errorName({ code }: BrokerError): string {
  return code.toLowerCase();
}
