import { long, tableFromJson } from '../../base/field-table.ts';
import { encodeContentHeaderFrame } from '../../wire/amqp091/content-header.ts';
import * as methods from '../../wire/amqp091/methods.gen.ts';
import { encodeProperties, type Properties } from '../../wire/amqp091/properties.ts';
import type { Arguments, PerfOptions } from './options.ts';

/** A random routing key is a UUID. */
export const randomKeyBytes = 36;
/** In a table of headers: the name `timestamp` and the type of its value, before eight bytes. */
export const stampHeader = Buffer.from('\x09timestampl', 'latin1');

const textProperties = [
  'contentType',
  'contentEncoding',
  'correlationId',
  'replyTo',
  'expiration',
  'messageId',
  'type',
  'userId',
  'appId',
  'clusterId',
];
const numberProperties = ['deliveryMode', 'priority', 'timestamp'];

/** All frames of a message, and where what differs from message to message goes. */
export interface Template {
  readonly bytes: Buffer;
  readonly keyAt: number;
  /** Eight bytes of time, in the body or in a header. */
  readonly stampAt: number;
  /** Four bytes of number; -1 in a body that is somebody's file. */
  readonly sequenceAt: number;
}

export interface TemplateParts {
  readonly channel: number;
  readonly exchange: string;
  readonly routingKey: string;
  readonly frameBytesMax: number;
  readonly options: PerfOptions;
  /** Null: zeros of `sizeBytes`, with number and time in them. */
  readonly body: Buffer | null;
  readonly sizeBytes: number;
}

/** A message's frames. */
export function messageTemplate({ channel, exchange, routingKey, frameBytesMax, options, body, sizeBytes }: TemplateParts): Template {
  const properties = messageProperties(options.messageProperties, options.isPersistent, options.contentType);
  if (body !== null) properties.headers = new Map([...(properties.headers ?? []), ['timestamp', long(0)]]);
  const publish = methods.encodeBasicPublish(channel, { exchange, routingKey, mandatory: options.isMandatory, immediate: false });
  const head = Buffer.concat([publish, encodeContentHeaderFrame(channel, sizeBytes, encodeProperties(properties))]);
  const frames: Buffer[] = [];
  const largest = frameBytesMax - 8;
  for (let at = 0; at < sizeBytes; at += largest) {
    const count = Math.min(largest, sizeBytes - at);
    const frame = Buffer.alloc(count + 8);
    frame[0] = 3;
    frame.writeUInt16BE(channel, 1);
    frame.writeUInt32BE(count, 3);
    body?.copy(frame, 7, at, at + count);
    frame[count + 7] = 0xce;
    frames.push(frame);
  }
  return {
    bytes: Buffer.concat([head, ...frames]),
    // Frame header, class and method, ticket, the exchange's name, a length.
    keyAt: 7 + 4 + 2 + 1 + Buffer.byteLength(exchange) + 1,
    stampAt: body === null ? head.length + 7 + 4 : head.indexOf(stampHeader, publish.length) + stampHeader.length,
    sequenceAt: body === null ? head.length + 7 : -1,
  };
}

/** Names of properties are properties, all others headers. [PerfTest: message properties] */
export function messageProperties(given: Arguments, isPersistent: boolean, contentType: string | null): Properties {
  const properties: Record<string, unknown> = { deliveryMode: isPersistent ? 2 : 1, ...(contentType === null ? {} : { contentType }) };
  const headers: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (textProperties.includes(name)) properties[name] = String(value);
    else if (numberProperties.includes(name) && typeof value === 'number') properties[name] = value;
    else if (name === 'timestamp' && !Number.isNaN(Date.parse(String(value))))
      properties[name] = Math.floor(Date.parse(String(value)) / 1000);
    else headers[name] = value;
  }
  return { ...properties, ...(Object.keys(headers).length > 0 ? { headers: tableFromJson(headers) } : {}) };
}
