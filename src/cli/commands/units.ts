import { badArgument } from '../cli-error.ts';

const bytesOf: Readonly<Record<string, number>> = {
  bytes: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

export const byteUnits: readonly string[] = Object.keys(bytesOf);

/** @throws CliError for a unit that there is not */
export function unitOf(given: string | undefined): string {
  const unit = (given ?? 'gb').toLowerCase();
  if (!Object.hasOwn(bytesOf, unit)) throw badArgument(`unit '${unit}' is not supported. Please use one of: ${byteUnits.join(', ')}`);
  return unit;
}

/** `0.1339 gb` */
export function inUnit(bytes: number, unit: string): string {
  if (!Number.isFinite(bytes)) return '-';
  return `${Number((bytes / (bytesOf[unit] as number)).toFixed(4))} ${unit}`;
}

const suffixes: Readonly<Record<string, number>> = {
  '': 1,
  k: 1024,
  kib: 1024,
  ki: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  mi: 1024 ** 2,
  mb: 1e6,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  gi: 1024 ** 3,
  gb: 1e9,
  t: 1024 ** 4,
  tib: 1024 ** 4,
  ti: 1024 ** 4,
  tb: 1e12,
};

/** Bytes of `2GB`, `500MiB`, `1000000`; null when it is no size. [RabbitMQ docs: memory, information units] */
export function parseBytes(text: string): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)\s*([a-zA-Z]*)$/.exec(text);
  const factor = match === null ? undefined : suffixes[(match[2] ?? '').toLowerCase()];
  if (match === null || factor === undefined) return null;
  const bytes = Math.floor(Number(match[1]) * factor);
  return Number.isSafeInteger(bytes) ? bytes : null;
}
