import { isUtf8 } from 'node:buffer';
import { type Field, type FieldTable, int, longstr, table } from '../../base/field-table.ts';
import { limits } from '../../core/limits.ts';
import { mqttFormatTag } from '../../core/messages/format-tags.ts';
import type { MessageFormat, TextProperty } from '../../core/ports/message-format.ts';
import type { Properties } from '../../wire/mqtt/properties.ts';
import { expirySeconds, qosMask, readStored, retainFlag } from './stored-properties.ts';
import { isTopicName, routingKeyOfTopic, topicOfRoutingKey } from './topics.ts';

/** Headers that say of a message in AMQP what it was in MQTT. [RabbitMQ: mc_mqtt] */
const qosHeader = 'x-mqtt-publish-qos';
const retainHeader = 'x-mqtt-retain';
const payloadFormatHeader = 'x-mqtt-payload-format';
/** Correlation data that is no text, or too long for the property. */
const correlationHeader = 'x-correlation-id';

function headersOf(buffer: Buffer, start: number, properties: Properties): FieldTable {
  const flags = buffer[start] as number;
  const headers: FieldTable = new Map();
  for (const [name, value] of properties.userProperties ?? []) if (name.length <= limits.nameBytesMax) headers.set(name, longstr(value));
  headers.set(qosHeader, { type: 'B', value: flags & qosMask });
  if ((flags & retainFlag) !== 0) headers.set(retainHeader, { type: 't', value: true });
  if (properties.payloadFormat !== undefined) headers.set(payloadFormatHeader, { type: 'B', value: properties.payloadFormat });
  const { correlationData } = properties;
  if (correlationData !== undefined && correlationText(correlationData) === null)
    headers.set(correlationHeader, { type: 'x', value: correlationData });
  return headers;
}

function correlationText(data: Buffer): string | null {
  return data.length <= limits.nameBytesMax && isUtf8(data) ? data.toString('utf8') : null;
}

/** Properties as MQTT has them: see stored-properties.ts. */
export const mqttFormat: MessageFormat = {
  tag: mqttFormatTag,

  headers(properties: Buffer, start: number, bytes: number): FieldTable {
    return headersOf(properties, start, readStored(properties, start, bytes));
  },

  text(properties: Buffer, start: number, bytes: number, name: TextProperty): string | null {
    if (name !== 'correlation_id') return null;
    const { correlationData } = readStored(properties, start, bytes);
    return correlationData === undefined ? null : correlationText(correlationData);
  },

  expiration(properties: Buffer, start: number): string | null {
    const seconds = expirySeconds(properties, start);
    return seconds < 0 ? null : String(seconds * 1000);
  },

  describe(buffer: Buffer, start: number, bytes: number): FieldTable {
    const properties = readStored(buffer, start, bytes);
    const described: FieldTable = new Map<string, Field>([
      ['headers', table(headersOf(buffer, start, properties))],
      ['delivery_mode', int(((buffer[start] as number) & qosMask) === 0 ? 1 : 2)],
    ]);
    const { contentType, responseTopic, correlationData } = properties;
    if (contentType !== undefined) described.set('content_type', longstr(contentType));
    if (responseTopic !== undefined) described.set('reply_to', longstr(routingKeyOfTopic(responseTopic, false)));
    const correlation = correlationData === undefined ? null : correlationText(correlationData);
    if (correlation !== null) described.set('correlation_id', longstr(correlation));
    const expiration = this.expiration(buffer, start, bytes);
    if (expiration !== null) described.set('expiration', longstr(expiration));
    return described;
  },
};

/** Properties of MQTT 5 for what another format describes. Headers beginning with x- are the broker's own business. [RabbitMQ: mc_mqtt] */
export function propertiesOfDescribed(described: FieldTable): Properties {
  const properties: Properties = {};
  const contentType = textOf(described.get('content_type'));
  if (contentType !== null) properties.contentType = contentType;
  const replyTo = textOf(described.get('reply_to'));
  if (replyTo !== null && isTopicName(topicOfRoutingKey(replyTo, false))) properties.responseTopic = topicOfRoutingKey(replyTo, false);
  const correlation = described.get('correlation_id')?.value;
  if (typeof correlation === 'string' || correlation instanceof Uint8Array) properties.correlationData = Buffer.from(correlation as string);
  const expiration = Number(textOf(described.get('expiration')) ?? Number.NaN);
  if (expiration >= 0) properties.messageExpirySeconds = Math.min(0xffff_ffff, Math.ceil(expiration / 1000));
  const headers = described.get('headers')?.value;
  if (!(headers instanceof Map)) return properties;
  const binary = headers.get(correlationHeader)?.value;
  if (binary instanceof Uint8Array) properties.correlationData = Buffer.from(binary);
  const pairs: [string, string][] = [];
  for (const [name, field] of headers) {
    const value = headerText(field);
    if (!name.startsWith('x-') && value !== null && isText(name) && isText(value)) pairs.push([name, value]);
  }
  if (pairs.length > 0) properties.userProperties = pairs;
  return properties;
}

/** Whether it can be a string of MQTT. */
function isText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed() && Buffer.byteLength(text) <= 0xffff;
}

function textOf(field: Field | undefined): string | null {
  const value = field?.value;
  return typeof value === 'string' && isText(value) ? value : null;
}

function headerText({ value }: Field): string | null {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return null;
  }
}
