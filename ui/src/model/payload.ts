// Bodies of messages, shown in the form that fits.
import type { Json, JsonRecord, Message } from './types.ts';

export type PayloadForm = 'text' | 'json' | 'hex';

export function bytesOf({ payload, payload_encoding: encoding }: Message): Uint8Array {
  if (encoding === 'base64') return Uint8Array.from(atob(payload), char => char.charCodeAt(0));
  return new TextEncoder().encode(payload);
}

/** The form that tells most. */
export function bestForm(message: Message): PayloadForm {
  if (message.payload_encoding === 'base64') return 'hex';
  return jsonText(message) === null ? 'text' : 'json';
}

/** The payload as JSON with line breaks; null when it is none. */
export function jsonText({ payload, payload_encoding: encoding }: Message): string | null {
  if (encoding !== 'string' || !/^\s*[[{]/.test(payload)) return null;
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return null;
  }
}

const shownBytesMax = 16 * 1024;

/** Offset, bytes, characters: 16 a line. */
export function hexText(message: Message): string {
  const bytes = bytesOf(message);
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, shownBytesMax); at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = Array.from(row, byte => byte.toString(16).padStart(2, '0')).join(' ');
    const characters = Array.from(row, byte => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${characters}`);
  }
  if (bytes.length > shownBytesMax) lines.push(`… ${bytes.length - shownBytesMax} bytes more`);
  return lines.join('\n');
}

export function plainText(message: Message): string {
  return message.payload_encoding === 'string' ? message.payload : new TextDecoder().decode(bytesOf(message));
}

/** Properties; the API has an empty list for none. */
export function propertiesOf({ properties }: Message): JsonRecord {
  return properties === null || Array.isArray(properties) ? {} : (properties as JsonRecord);
}

export function headersOf(message: Message): JsonRecord {
  const { headers } = propertiesOf(message);
  return isRecord(headers) ? headers : {};
}

/** One line of a message's death history. [RabbitMQ docs: dead letter exchanges, x-death] */
export interface Death {
  readonly queue: string;
  readonly reason: string;
  readonly exchange: string;
  readonly count: number;
  readonly keys: readonly string[];
  readonly timeSeconds: number | null;
}

/** The youngest death first, as the header has it. */
export function deathsOf(message: Message): Death[] {
  const deaths = headersOf(message)['x-death'];
  if (!Array.isArray(deaths)) return [];
  return deaths.filter(isRecord).map(death => ({
    queue: textOf(death['queue']),
    reason: textOf(death['reason']),
    exchange: textOf(death['exchange']),
    count: typeof death['count'] === 'number' ? death['count'] : 1,
    keys: Array.isArray(death['routing-keys']) ? death['routing-keys'].map(textOf) : [],
    timeSeconds: typeof death['time'] === 'number' ? death['time'] : null,
  }));
}

export function isRecord(value: Json | undefined): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}
