// Destinations: what RabbitMQ makes of /queue/orders and its kind. [RabbitMQ docs: STOMP, destinations]
import { textBytes, writeText } from '../../base/text.ts';
import { StompError } from './stomp-error.ts';

export type DestinationKind = 'exchange' | 'queue' | 'topic' | 'amqqueue' | 'reply_queue' | 'temp_queue';

export interface Destination {
  readonly kind: DestinationKind;
  /** Of the exchange or the queue; for a topic its key. */
  readonly name: string;
  /** Routing or binding key of an exchange; '' for the others. */
  readonly key: string;
}

const simpleKinds: ReadonlyMap<string, DestinationKind> = new Map([
  ['queue', 'queue'],
  ['topic', 'topic'],
  ['temp-queue', 'temp_queue'],
]);

/** As RabbitMQ lists them, in its order. */
export const destinationPrefixes: readonly string[] = ['/exchange', '/topic', '/queue', '/amq/queue', '/reply-queue'];
const replyQueuePrefix = '/reply-queue/';

/** @throws StompError for what is no destination. A name without any slash is that of a queue. */
export function parseDestination(text: string): Destination {
  const parts = text.split('/');
  if (parts.length === 1) return { kind: 'queue', name: unescapeSlashes(text), key: '' };
  const [empty, type = '', ...rest] = parts;
  if (empty !== '') throw unknown(text);
  if (type === 'exchange') return exchangeDestination(rest);
  if (type === 'amq' && rest[0] === 'queue') return simpleDestination('amqqueue', rest.slice(1));
  // A reply queue's name may have slashes.
  if (type === 'reply-queue' && rest.length > 0) return simpleDestination('reply_queue', [text.slice(replyQueuePrefix.length)]);
  const kind = simpleKinds.get(type);
  if (kind === undefined) throw unknown(text);
  return simpleDestination(kind, rest);
}

function exchangeDestination(rest: readonly string[]): Destination {
  const [name, key] = rest;
  // The default exchange means different things to who sends and who subscribes.
  if (name === undefined || name === '' || rest.length > 2) throw invalid('exchange', rest);
  return { kind: 'exchange', name: unescapeSlashes(name), key: key === undefined ? '' : unescapeSlashes(key) };
}

function simpleDestination(kind: DestinationKind, rest: readonly string[]): Destination {
  const [name] = rest;
  if (rest.length !== 1 || name === undefined || name === '') throw invalid(kind, rest);
  return { kind, name: unescapeSlashes(name), key: '' };
}

/** Slashes are all that RabbitMQ unescapes. */
function unescapeSlashes(text: string): string {
  return text.replaceAll('%2F', '/');
}

function invalid(kind: DestinationKind, rest: readonly string[]): StompError {
  const content = rest.length === 0 ? '' : `/${rest.join('/')}`;
  return new StompError('Invalid destination', `'${content}' is not a valid ${kind} destination\n`);
}

function unknown(text: string): StompError {
  return new StompError(
    'Unknown destination',
    `'${text}' is not a valid destination.\nValid destination types are: ${['/temp-queue', ...destinationPrefixes].join(', ')}.\n`,
  );
}

/** Where a message was sent to, as its receiver is told. [RabbitMQ: format_destination] */
export function formatDestination(exchange: string, key: string): string {
  if (exchange === '') return `/queue/${escape(key)}`;
  if (exchange === 'amq.topic') return `/topic/${escape(key)}`;
  return key === '' ? `/exchange/${escape(exchange)}` : `/exchange/${escape(exchange)}/${escape(key)}`;
}

const plain = /^[ -$&-.0-~\x7f]*$/;

function escape(text: string): string {
  if (plain.test(text)) return text;
  const bytes = Buffer.allocUnsafe(textBytes(text));
  writeText(text, bytes, 0);
  let escaped = '';
  for (const byte of bytes) {
    const isEscaped = byte < 32 || byte > 127 || byte === 0x2f || byte === 0x25;
    escaped += isEscaped ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : String.fromCharCode(byte);
  }
  return escaped;
}
