import type { Figures } from './figures.ts';
import type { Histogram } from './histogram.ts';
import type { PerfOptions } from './options.ts';

const quantiles = [0.5, 0.75, 0.95, 0.99] as const;

function latencies(histogram: Histogram): string {
  return [histogram.min, ...quantiles.map(part => histogram.quantile(part))].map(micros => Math.round(micros)).join('/');
}

function perSecond(count: number, seconds: number): string {
  return `${seconds > 0 ? Math.round(count / seconds) : 0} msg/s`;
}

/** A line of progress, in PerfTest's form. */
export function progressLine(options: PerfOptions, figures: Figures, seconds: number, elapsedSeconds: number): string {
  const parts = [`id: ${options.id}`, `time ${elapsedSeconds.toFixed(3)} s`];
  if (options.producers > 0) parts.push(`sent: ${perSecond(figures.sent, seconds)}`);
  if (figures.returned > 0) parts.push(`returned: ${perSecond(figures.returned, seconds)}`);
  if (options.producers > 0 && options.confirm > 0) {
    parts.push(`confirmed: ${perSecond(figures.confirmed, seconds)}`, `nacked: ${perSecond(figures.nacked, seconds)}`);
  }
  if (options.consumers > 0) parts.push(`received: ${perSecond(figures.received, seconds)}`);
  if (figures.consumerLatency.count > 0) parts.push(`min/median/75th/95th/99th consumer latency: ${latencies(figures.consumerLatency)} µs`);
  if (figures.confirmLatency.count > 0) parts.push(`confirm latency: ${latencies(figures.confirmLatency)} µs`);
  return parts.join(', ');
}

/** Averages of the whole test, and its times as a table. */
export function summaryLines(options: PerfOptions, figures: Figures, seconds: number): string[] {
  const { id } = options;
  const lines = [
    `id: ${id}, sending rate avg: ${perSecond(figures.sent, seconds)}`,
    `id: ${id}, receiving rate avg: ${perSecond(figures.received, seconds)}`,
  ];
  if (options.confirm > 0) lines.push(`id: ${id}, confirmed: ${figures.confirmed}, nacked: ${figures.nacked}`);
  const rows = (
    [
      ['consumer latency', figures.consumerLatency],
      ['confirm latency', figures.confirmLatency],
    ] as const
  ).filter(([, histogram]) => histogram.count > 0);
  if (rows.length === 0) return lines;
  const head = ['µs', 'min', 'mean', 'median', '75th', '95th', '99th', '99.9th', 'max'];
  const body = rows.map(([name, histogram]) => [
    name,
    ...[histogram.min, histogram.mean, ...quantiles.map(part => histogram.quantile(part)), histogram.quantile(0.999), histogram.max].map(
      micros => Math.round(micros).toLocaleString('en'),
    ),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...body].map(row => (row[column] ?? '').length)));
  const shown = (row: readonly string[]): string =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0))).join('  ');
  return [...lines, '', shown(head), ...body.map(shown)];
}
