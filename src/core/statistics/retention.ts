/** How long samples are kept and how far apart they are. */
export interface Retention {
  readonly intervalMillis: number;
  /** How many samples of that interval are kept. */
  readonly count: number;
}

/** How samples of the three kinds of objects are kept, the finest first. [RabbitMQ docs: sample retention policies] */
export interface RetentionPolicies {
  /** The node and the virtual hosts. */
  readonly global: readonly Retention[];
  /** Queues, exchanges, channels and connections. */
  readonly basic: readonly Retention[];
}

/**
 * Retentions as multiples of one sampling interval, without repetitions, the finest first; the first is the interval itself.
 * `wanted` are pairs of interval and time kept, in milliseconds.
 */
export function retentions(sampleMillis: number, wanted: Iterable<readonly [intervalMillis: number, keptMillis: number]>): Retention[] {
  const counts = new Map<number, number>();
  for (const [intervalMillis, keptMillis] of wanted) {
    const interval = Math.max(1, Math.round(intervalMillis / sampleMillis)) * sampleMillis;
    const count = Math.min(samplesMax, Math.max(2, Math.ceil(keptMillis / interval) + 1));
    counts.set(interval, Math.max(count, counts.get(interval) ?? 0));
  }
  if (!counts.has(sampleMillis)) counts.set(sampleMillis, 2);
  return [...counts].sort(([a], [b]) => a - b).map(([intervalMillis, count]) => ({ intervalMillis, count }));
}

/** Samples kept of one interval, whatever is asked for. */
const samplesMax = 2000;
