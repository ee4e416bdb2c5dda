import type { Json } from '../../base/field-table.ts';

/** Longest time between two tries: as long as a message can be delayed, about 49 days. */
export const retryDelayMillisMax = 4_294_967_295;
/** Delays in a list, and tries of an exponential form. */
export const retriesMax = 1000;

const unitMillis: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** After which times a rejected message is tried again. */
export interface RetryDelays {
  /** Milliseconds until the try after `retryCount` earlier ones; null: there is no further. `chance` is a random number below 1. */
  delayAfter(retryCount: number, chance: number): number | null;
}

class DelayList implements RetryDelays {
  readonly #millis: readonly number[];

  constructor(millis: readonly number[]) {
    this.#millis = millis;
  }

  delayAfter(retryCount: number): number | null {
    return this.#millis[retryCount] ?? null;
  }
}

class ExponentialDelays implements RetryDelays {
  readonly #firstMillis: number;
  readonly #factor: number;
  readonly #maxMillis: number;
  readonly #count: number;
  /** Largest part of a delay that chance adds or takes away. */
  readonly #jitter: number;

  constructor(firstMillis: number, factor: number, maxMillis: number, count: number, jitter: number) {
    this.#firstMillis = firstMillis;
    this.#factor = factor;
    this.#maxMillis = maxMillis;
    this.#count = count;
    this.#jitter = jitter;
  }

  delayAfter(retryCount: number, chance: number): number | null {
    if (retryCount >= this.#count) return null;
    const millis = Math.min(this.#maxMillis, this.#firstMillis * this.#factor ** retryCount);
    return Math.min(retryDelayMillisMax, Math.round(millis * (1 + this.#jitter * (2 * chance - 1))));
  }
}

/**
 * The value of x-retry-delays and of the policy key retry-delays, or in words what is wrong with it. Forms: one delay or a list of them, each a
 * number of milliseconds or a text with a unit (ms, s, m, h, d), the list also as a text with commas: '100,300,900', '1s,10s,1m'; or
 * 'exponential(first=1s,factor=2,max=5m,count=8,jitter=20%)', of which only `first` and `count` are needed.
 */
export function parseRetryDelays(value: Json): RetryDelays | string {
  if (typeof value === 'string') {
    const exponential = /^\s*exponential\s*\((.*)\)\s*$/s.exec(value);
    return exponential === null ? listOf(value.split(',')) : exponentialOf(exponential[1] as string);
  }
  if (typeof value === 'number') return listOf([value]);
  if (Array.isArray(value)) return listOf(value);
  return 'retry delays should be a list of times';
}

function listOf(items: readonly Json[]): RetryDelays | string {
  if (items.length === 0) return 'retry delays should not be empty';
  if (items.length > retriesMax) return `more than ${retriesMax} retry delays`;
  const millis: number[] = [];
  for (const item of items) {
    const each = millisOf(item);
    if (each === null) return `'${shown(item)}' is no retry delay from 0 to ${retryDelayMillisMax} ms`;
    millis.push(each);
  }
  return new DelayList(millis);
}

const exponentialKeys: ReadonlySet<string> = new Set(['first', 'factor', 'max', 'count', 'jitter']);

function exponentialOf(text: string): RetryDelays | string {
  const parts = new Map<string, string>();
  for (const part of text.split(',')) {
    const [key, value, more] = part.split('=').map(each => each.trim());
    if (key === undefined || value === undefined || more !== undefined || !exponentialKeys.has(key) || parts.has(key))
      return `'${shown(part)}' is nothing that exponential retry delays have`;
    parts.set(key, value);
  }
  const first = millisOf(parts.get('first') ?? '');
  const max = millisOf(parts.get('max') ?? '1h');
  if (first === null || max === null) return 'first and max of exponential retry delays should be times';
  const factor = numberOf(parts.get('factor') ?? '2', 1, 100);
  if (factor === null) return 'factor of exponential retry delays should be a number from 1 to 100';
  const count = numberOf(parts.get('count') ?? '', 1, retriesMax);
  if (count === null || !Number.isInteger(count))
    return `count of exponential retry delays should be a whole number from 1 to ${retriesMax}`;
  const jitterText = parts.get('jitter') ?? '0';
  const jitter = jitterText.endsWith('%') ? numberOf(jitterText.slice(0, -1), 0, 100) : numberOf(jitterText, 0, 1);
  if (jitter === null) return 'jitter of exponential retry delays should be a part of 1 or a percentage';
  return new ExponentialDelays(first, factor, max, count, jitterText.endsWith('%') ? jitter / 100 : jitter);
}

/** A time in milliseconds; null when it is none, or one that is too long. */
function millisOf(value: Json): number | null {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 && value <= retryDelayMillisMax ? value : null;
  if (typeof value !== 'string') return null;
  const match = /^\s*(\d{1,10})\s*(ms|s|m|h|d|)\s*$/.exec(value);
  if (match === null) return null;
  const millis = Number(match[1]) * (unitMillis[match[2] as string] as number);
  return millis <= retryDelayMillisMax ? millis : null;
}

function numberOf(text: string, min: number, max: number): number | null {
  if (!/^\d{1,6}(\.\d{1,6})?$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}

function shown(value: Json): string {
  const text = typeof value === 'string' ? value.trim() : JSON.stringify(value);
  return text.length <= 50 ? text : `${text.slice(0, 50)}...`;
}
