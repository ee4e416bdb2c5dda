import { jsonShapeProblem } from '../../core/definitions/json-shape.ts';
import { badRequest, type JsonObject } from './reply.ts';

const bodyBounds = { depthMax: 64, valuesMax: 1_000_000 };

/**
 * The JSON object of a request's body; an empty body is an empty object.
 * @throws HttpError 400 with RabbitMQ's reasons
 */
export function parseJsonBody(text: string): JsonObject {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest('not_json');
  }
  if (typeof value === 'string') {
    throw badRequest('invalid payload: the request body JSON-decoded to a string. Is the input doubly-JSON-encoded?');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('not_json');
  const problem = jsonShapeProblem(value, bodyBounds);
  if (problem !== null) throw badRequest(problem);
  return value as JsonObject;
}

/** Refuses a body that lacks one of the keys. [RabbitMQ: with_decode, key_missing] */
export function requireKeys(body: JsonObject, keys: readonly string[]): void {
  const absent = keys.filter(key => !Object.hasOwn(body, key));
  if (absent.length === 0) return;
  const terms = absent.map(key => `{key_missing,${key}}`);
  const line = `[${terms.join(',')}]`;
  // Erlang's printer breaks lines longer than a terminal's.
  throw badRequest(line.length <= 80 ? line : `[${terms.join(',\n ')}]`);
}

/** A boolean as RabbitMQ takes it, also written as a text; `absent` when it is not there. */
export function booleanOf(body: JsonObject, key: string, absent: boolean): boolean {
  if (!Object.hasOwn(body, key)) return absent;
  const value = body[key];
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw badRequest(['not_boolean', value]);
}

/** An integer, also written as a text; a fraction is cut off. */
export function integerOf(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return Math.trunc(value);
  if (typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value)) return Number(value);
  throw badRequest(['not_integer', value]);
}

export function textOf(body: JsonObject, key: string): string {
  const value = body[key];
  if (typeof value === 'string') return value;
  throw badRequest(['not_string', key]);
}

/** A JSON object; the empty list that Erlang makes of an empty object is one, too. */
export function objectOf(body: JsonObject, key: string): JsonObject {
  const value = Object.hasOwn(body, key) ? body[key] : {};
  if (Array.isArray(value) && value.length === 0) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw badRequest(`${key} should be an object`);
}
