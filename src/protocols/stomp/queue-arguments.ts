// What headers say of a queue that a frame makes. [RabbitMQ: rabbit_stomp_util, build_arguments, build_params]
import { createHash } from 'node:crypto';
import { type FieldTable, long, longstr } from '../../base/field-table.ts';
import { textBytes, writeText } from '../../base/text.ts';
import type { Frame } from '../../wire/stomp/frame.ts';
import type { Destination } from './destination.ts';
import { booleanHeader, isWhole } from './headers.ts';
import { invalidHeader } from './stomp-error.ts';

const textArguments: readonly string[] = ['x-dead-letter-exchange', 'x-dead-letter-routing-key', 'x-max-age', 'x-overflow', 'x-queue-type'];
const integerArguments: readonly string[] = [
  'x-expires',
  'x-max-length',
  'x-max-length-bytes',
  'x-max-priority',
  'x-message-ttl',
  'x-delivery-limit',
  'x-stream-filter-size-bytes',
  'x-stream-max-segment-size-bytes',
];

/** @throws StompError */
export function queueArguments(frame: Frame): FieldTable {
  const found: FieldTable = new Map();
  for (const name of textArguments) {
    const text = frame.headers.get(name);
    if (text !== undefined) found.set(name, longstr(text.trim()));
  }
  for (const name of integerArguments) {
    const text = frame.headers.get(name);
    if (text === undefined) continue;
    if (!isWhole(text) || !Number.isSafeInteger(Number(text))) throw invalidHeader(`'${name}' must be a whole number`);
    found.set(name, long(Number(text)));
  }
  return found;
}

export interface QueueLife {
  readonly isDurable: boolean;
  readonly isExclusive: boolean;
  readonly isAutoDelete: boolean;
}

/** Whether the queue of a destination lasts, as headers say, or as is usual for its kind. @throws StompError */
export function queueLife(destination: Destination, frame: Frame): QueueLife {
  const isQueue = destination.kind === 'queue';
  const isDurable = booleanHeader(frame, 'durable') ?? booleanHeader(frame, 'persistent') ?? isQueue;
  const isPassing = !isQueue || !isDurable;
  return {
    isDurable,
    isExclusive: booleanHeader(frame, 'exclusive') ?? (destination.kind === 'exchange' || (isQueue && !isDurable)),
    isAutoDelete: booleanHeader(frame, 'auto-delete') ?? isPassing,
  };
}

/** The queue of a durable subscription, the same as RabbitMQ makes of the same name and id. [RabbitMQ: subscription_queue_name] */
export function durableQueueName(key: string, id: string): string {
  return subscriptionQueueName(createHash('md5').update(pairTerm(key, id)).digest());
}

export function subscriptionQueueName(unique: Buffer): string {
  return `stomp-subscription-${unique.toString('base64url')}`;
}

/** Erlang's external form of a pair of binaries. */
function pairTerm(first: string, second: string): Buffer {
  const [firstBytes, secondBytes] = [textBytes(first), textBytes(second)];
  const term = Buffer.allocUnsafe(3 + 5 + firstBytes + 5 + secondBytes);
  let at = term.writeUInt8(131, 0);
  at = term.writeUInt8(104, at);
  at = term.writeUInt8(2, at);
  at = term.writeUInt32BE(firstBytes, term.writeUInt8(109, at));
  at = writeText(first, term, at);
  at = term.writeUInt32BE(secondBytes, term.writeUInt8(109, at));
  writeText(second, term, at);
  return term;
}
