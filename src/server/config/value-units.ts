import { type ValueType, valueType } from './value-type.ts';

const KIB = 1024;
const BINARY: Readonly<Record<string, number>> = { k: KIB, m: KIB ** 2, g: KIB ** 3, t: KIB ** 4, p: KIB ** 5 };
const METRIC: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, t: 1e12, p: 1e15 };

/** A number of bytes in one of two traditions, which differ in what kB, MB and GB mean; k, M, G and KiB, MiB, GiB are 1024's everywhere. */
function parseBytes(text: string, ofPlainB: Readonly<Record<string, number>>): number | undefined {
  const match = /^([0-9]{1,16})([kmgtp]?)(i?b?)$/i.exec(text);
  if (match === null) return undefined;
  const [, digits = '', prefix = '', suffix = ''] = match;
  if (prefix === '' && suffix !== '') return undefined;
  const units = suffix.toLowerCase() === 'b' ? ofPlainB : BINARY;
  const bytes = Number(digits) * (prefix === '' ? 1 : (units[prefix.toLowerCase()] ?? Number.NaN));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * Bytes as RabbitMQ's alarms read them: 50MB is 50,000,000, 50MiB and 50M are 52,428,800; any case, no space.
 * [RabbitMQ docs: memory, "supported unit symbols"]
 */
export function informationUnits(min: number, max: number = Number.MAX_SAFE_INTEGER): ValueType<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? '' : `, at most ${max}`;
  return valueType(`bytes, such as 1073741824, 50MB (of 1000s) or 1GiB (of 1024s)${range}`, value => {
    const bytes = parseBytes(value, METRIC);
    return bytes === undefined || bytes < min || bytes > max ? undefined : bytes;
  });
}

/** Bytes as RabbitMQ's frame sizes are read: 1MB is 1,048,576, like 1MiB and 1M. [RabbitMQ docs: configure, "bytesize"] */
export function byteSize(min: number, max: number): ValueType<number> {
  return valueType(`bytes from ${min} to ${max}, such as ${max} or 128KB (of 1024s)`, value => {
    const bytes = parseBytes(value, BINARY);
    return bytes === undefined || bytes < min || bytes > max ? undefined : bytes;
  });
}

const MILLIS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** What setTimeout can wait: 2^31 - 1 ms, 24.8 days. */
export const TIMER_MILLIS_MAX = 2_147_483_647;

/** A time: milliseconds as a plain number, as everywhere in RabbitMQ, or with units (10s, 1h30m, 500ms). */
export function milliseconds(min: number, max: number = Number.MAX_SAFE_INTEGER): ValueType<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `, ${min} or more` : ` from ${min} to ${max}`;
  return valueType(`milliseconds${range}, or a time with units such as 10s or 1h30m`, value => {
    const millis = parseMillis(value);
    return millis === undefined || millis < min || millis > max ? undefined : millis;
  });
}

function parseMillis(text: string): number | undefined {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  if (text.length > 40 || !/^([0-9]{1,9}(\.[0-9]{1,3})?(ms|s|m|h|d|w))+$/i.test(text)) return undefined;
  let millis = 0;
  for (const [, amount, unit = ''] of text.matchAll(/([0-9.]+)(ms|s|m|h|d|w)/gi))
    millis += Number(amount) * (MILLIS[unit.toLowerCase()] ?? Number.NaN);
  return Math.ceil(millis);
}
