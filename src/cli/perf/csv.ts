import { appendFileSync, writeFileSync } from 'node:fs';
import { CliError } from '../cli-error.ts';
import type { Figures } from './figures.ts';
import type { Histogram } from './histogram.ts';

const rates = ['published', 'returned', 'confirmed', 'nacked', 'received'] as const;
const times = ['min', 'median', '75th p.', '95th p.', '99th p.'] as const;
const header = [
  'id',
  'time (s)',
  ...rates.map(rate => `${rate} (msg/s)`),
  ...times.map(time => `${time} consumer latency (µs)`),
  ...times.map(time => `${time} confirm/return latency (µs)`),
];

/** The lines of a test in a file for other programs, with PerfTest's columns. */
export class CsvFile {
  readonly #path: string;
  readonly #id: string;

  /** Replaces a file that is there. @throws CliError when it cannot be written */
  constructor(path: string, id: string) {
    this.#path = path;
    this.#id = /[",\n]/.test(id) ? `"${id.replaceAll('"', '""')}"` : id;
    try {
      writeFileSync(path, `${header.join(',')}\n`);
    } catch (error) {
      throw new CliError(`cannot write ${path}: ${(error as Error).message}`);
    }
  }

  write(figures: Figures, seconds: number, elapsedSeconds: number): void {
    const { sent, returned, confirmed, nacked, received } = figures;
    const perSecond = [sent, returned, confirmed, nacked, received].map(count => (seconds > 0 ? Math.round(count / seconds) : 0));
    const columns = [...perSecond, ...latencies(figures.consumerLatency), ...latencies(figures.confirmLatency)];
    appendFileSync(this.#path, `${[this.#id, elapsedSeconds.toFixed(3), ...columns].join(',')}\n`);
  }
}

function latencies(histogram: Histogram): (number | string)[] {
  if (histogram.count === 0) return times.map(() => '');
  return [histogram.min, ...[0.5, 0.75, 0.95, 0.99].map(part => histogram.quantile(part))].map(micros => Math.round(micros));
}
