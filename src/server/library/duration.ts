/** A time span: milliseconds, or a text such as '500ms', '30m' or '1h30m'. */
export type Duration = number | string;

const unitMillis: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of a time span. @internal @throws RangeError when it is none, or negative */
export function durationMillis(duration: Duration): number {
  if (typeof duration === 'number') {
    if (Number.isFinite(duration) && duration >= 0) return duration;
    throw new RangeError(`not a time span: ${duration}`);
  }
  if (/^\d+(\.\d+)?$/.test(duration)) return Number(duration);
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(duration))
    throw new RangeError(`not a time span: '${duration}' (for example '30m' or '1h30m')`);
  let millis = 0;
  for (const [, count, unit] of duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g))
    millis += Number(count) * (unitMillis[unit as string] as number);
  return millis;
}
