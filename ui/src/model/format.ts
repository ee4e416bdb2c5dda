import type { Details, MessageStats } from './types.ts';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** 1,234; from a million on 1.2M. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return Math.abs(value) >= 1_000_000 ? compact.format(value) : whole.format(value);
}

/** A rate per second without its unit. */
export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (Math.abs(value) < 10 && !Number.isInteger(value)) return value.toFixed(1);
  return Math.abs(value) >= 100_000 ? compact.format(value) : whole.format(value);
}

export function perSecond(value: number | null | undefined): string {
  return `${rate(value)}/s`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let shown = value;
  let unit = 0;
  while (Math.abs(shown) >= 1000 && unit < units.length - 1) {
    shown /= 1000;
    unit++;
  }
  return `${unit === 0 || Math.abs(shown) >= 100 ? Math.round(shown) : shown.toFixed(1)} ${units[unit]}`;
}

/** A limit in bytes; 0 and nothing stand for none. */
export function limitText(value: number | null | undefined): string {
  return value === undefined || value === null || value === 0 ? 'no limit' : bytes(value);
}

export function duration(millis: number): string {
  const seconds = Math.floor(millis / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function dateTime(millis: number): string {
  return Number.isFinite(millis) ? new Date(millis).toLocaleString() : '–';
}

export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '–' : `${Math.round(share * 100)} %`;
}

/** Texts that would show as nothing get a name. */
export function shownName(name: string, ofNothing = '(default)'): string {
  return name === '' ? ofNothing : name;
}

/** The rate of a number that the API keeps. */
export function rateOf(stats: MessageStats | Record<string, unknown> | undefined, name: string): number | undefined {
  const details = stats?.[`${name}_details`] as Details | undefined;
  return details?.rate;
}
