import { tableFromJson, tableToJson } from '../../base/field-table.ts';
import type { Properties } from '../../wire/amqp091/properties.ts';
import { badRequest, type JsonObject } from '../http/reply.ts';

/** Properties in the order in which RabbitMQ lists them: the last of the wire first. */
const names = [
  ['cluster_id', 'clusterId', 'text'],
  ['app_id', 'appId', 'text'],
  ['user_id', 'userId', 'text'],
  ['type', 'type', 'text'],
  ['timestamp', 'timestamp', 'integer'],
  ['message_id', 'messageId', 'text'],
  ['expiration', 'expiration', 'text'],
  ['reply_to', 'replyTo', 'text'],
  ['correlation_id', 'correlationId', 'text'],
  ['priority', 'priority', 'octet'],
  ['delivery_mode', 'deliveryMode', 'octet'],
  ['headers', 'headers', 'table'],
  ['content_encoding', 'contentEncoding', 'text'],
  ['content_type', 'contentType', 'text'],
] as const;

/** Properties as the API shows them; none at all is an empty list, as Erlang has it. */
export function propertiesToJson(properties: Properties): JsonObject | [] {
  const json: JsonObject = {};
  for (const [name, key] of names) {
    const value = properties[key];
    if (value === undefined) continue;
    if (value instanceof Map) json[name] = tableToJson(value);
    else json[name] = typeof value === 'bigint' ? Number(value) : value;
  }
  return Object.keys(json).length === 0 ? [] : json;
}

/**
 * Properties from a request; unknown ones are ignored, as in RabbitMQ.
 * @throws HttpError 400
 */
export function propertiesFromJson(json: JsonObject): Properties {
  const properties: Record<string, unknown> = {};
  for (const [name, key, type] of names) {
    const value = Object.hasOwn(json, name) ? json[name] : undefined;
    if (value === undefined) continue;
    properties[key] = propertyOf(name, type, value);
  }
  return properties;
}

function propertyOf(name: string, type: 'text' | 'integer' | 'octet' | 'table', value: unknown): unknown {
  switch (type) {
    case 'text':
      if (typeof value !== 'string') throw badRequest(['not_string', name]);
      if (Buffer.byteLength(value) > 255) throw badRequest(`${name} is longer than 255 bytes`);
      return value;
    case 'integer':
    case 'octet': {
      if (typeof value !== 'number' || !Number.isInteger(value)) throw badRequest(['not_int', name]);
      if (value < 0 || value > (type === 'octet' ? 255 : Number.MAX_SAFE_INTEGER)) throw badRequest(`${name} is out of range`);
      return value;
    }
    case 'table':
      if (Array.isArray(value) && value.length === 0) return new Map();
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest(`${name} should be an object`);
      return tableOf(value);
  }
}

function tableOf(value: object): unknown {
  try {
    const table = tableFromJson(value as JsonObject);
    for (const key of table.keys()) if (Buffer.byteLength(key) > 255) throw badRequest('the name of a header is longer than 255 bytes');
    return table;
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(error.message);
    throw error;
  }
}
