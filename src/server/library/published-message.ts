import { inspect } from 'node:util';

import { tableToJson } from '../../base/field-table.ts';
import type { Properties } from '../../wire/amqp091/properties.ts';

/**
 * What became of a message in one queue. `delivered`: to a consumer that acknowledges nothing. `rejected`, `expired`, `maxlen` and
 * `delivery_limit` are the reasons of x-death, whether or not the queue dead-letters.
 */
export type Fate =
  | 'ready'
  | 'unacked'
  | 'acked'
  | 'delivered'
  | 'rejected'
  | 'expired'
  | 'maxlen'
  | 'delivery_limit'
  | 'purged'
  /** By an operator, or moved to another queue. */
  | 'removed'
  | 'queue deleted';

/** A message in one queue. */
export interface MessageCopy {
  readonly queue: string;
  readonly fate: Fate;
  /** How often it came back for another delivery. */
  readonly returnCount: number;
  /** What it was published as when it was dead-lettered; null if it was not. */
  readonly deadLetter: PublishedMessage | null;
  /** `orders: rejected -> failed` */
  toString(): string;
}

/** What a message consists of. */
export interface MessageParts {
  /** '' is the default exchange. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Properties;
  readonly body: Buffer;
}

/** A message with its bytes, as tests look at it. They are read when somebody looks: most of what is remembered never is. */
export class LibraryMessage implements MessageParts {
  #parts: MessageParts | (() => MessageParts);

  /** @internal */
  constructor(parts: MessageParts | (() => MessageParts)) {
    this.#parts = parts;
  }

  get #read(): MessageParts {
    if (typeof this.#parts === 'function') this.#parts = this.#parts();
    return this.#parts;
  }

  get exchange(): string {
    return this.#read.exchange;
  }

  get routingKey(): string {
    return this.#read.routingKey;
  }

  get properties(): Properties {
    return this.#read.properties;
  }

  get body(): Buffer {
    return this.#read.body;
  }

  /** The body as UTF-8. */
  get text(): string {
    return this.body.toString('utf8');
  }

  /** The headers as plain values: {} without any. */
  get headers(): Record<string, unknown> {
    const { headers } = this.properties;
    return headers === undefined ? {} : (tableToJson(headers) as Record<string, unknown>);
  }

  /** What the body's JSON says. @throws SyntaxError when it is none */
  json(): unknown {
    return JSON.parse(this.text);
  }

  toString(): string {
    const { exchange, routingKey, body } = this;
    return `${exchange === '' ? '(default exchange)' : exchange} '${routingKey}' ${excerpt(body)}`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** A message that is in a queue at the moment. */
export class QueuedMessage extends LibraryMessage {
  /** Names it in its queue for as long as it is there. */
  readonly id: string;
  readonly state: 'ready' | 'unacked';
  readonly isRedelivered: boolean;

  /** @internal */
  constructor(parts: MessageParts, id: string, state: 'ready' | 'unacked', isRedelivered: boolean) {
    super(parts);
    this.id = id;
    this.state = state;
    this.isRedelivered = isRedelivered;
  }
}

/** A message that was published, where it went and what became of it. */
export class PublishedMessage extends LibraryMessage {
  readonly vhost: string;
  /** By whom: a client, or the broker on behalf of a queue whose message died or an exchange that held it. */
  readonly origin: 'client' | 'broker' | 'dead letter';
  /** The broker's time, in milliseconds since 1970. */
  readonly atMillis: number;
  /** Whether a queue or the broker refused it: in confirm mode the client got basic.nack. */
  isRefused = false;
  /** One for each queue it went to. */
  readonly copies: MessageCopy[] = [];

  /** @internal */
  constructor(parts: () => MessageParts, vhost: string, origin: 'client' | 'broker' | 'dead letter', atMillis: number) {
    super(parts);
    this.vhost = vhost;
    this.origin = origin;
    this.atMillis = atMillis;
  }

  /** The names of the queues it went to. */
  get queues(): string[] {
    return this.copies.map(copy => copy.queue);
  }

  get isUnroutable(): boolean {
    return this.copies.length === 0 && !this.isRefused;
  }

  /** What became of it in the only queue, or in the one named. Undefined when it did not get there. */
  fateIn(queue: string): Fate | undefined {
    return this.copies.find(copy => copy.queue === queue)?.fate;
  }

  override toString(): string {
    const went = this.copies.map(String);
    const where = this.isRefused && went.length === 0 ? 'refused' : went.length === 0 ? 'unroutable' : went.join('; ');
    return `${super.toString()} [${where}]`;
  }
}

/** The beginning of a body: text in quotes, JSON and what else has quotes of its own without, other bytes in hexadecimal. */
function excerpt(body: Buffer): string {
  const text = body.toString('utf8');
  if (/[^\P{Cc}\t\n\r]|\ufffd/u.test(text)) return `<${body.subarray(0, 24).toString('hex')}${body.length > 24 ? '...' : ''}>`;
  const shown = text.length > 80 ? `${text.slice(0, 80)}...` : text;
  return /^[[{][^\t\n\r]*$/.test(shown) ? shown : JSON.stringify(shown);
}
