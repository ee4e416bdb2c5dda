// Charts of rates and lengths: the past comes once with the samples that the broker keeps, the present with the stream of events.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { useOnce } from '../model/live.ts';
import { rate, rateOf } from '../model/format.ts';
import { shownTheme } from '../model/session.ts';
import type { Details, MessageStats } from '../model/types.ts';
import { Card, Segments } from './basics.tsx';

export interface Series {
  readonly label: string;
  /** The value now. */
  readonly now: number | undefined;
  /** Where the samples are in the answer: 'message_stats.publish_details'. */
  readonly from: string;
}

export type Range = '600' | '3600' | '28800' | '86400';
const increments: Readonly<Record<Range, number>> = { '600': 5, '3600': 60, '28800': 600, '86400': 1800 };
export const ranges: readonly (readonly [Range, string])[] = [
  ['600', '10 min'],
  ['3600', '1 h'],
  ['28800', '8 h'],
  ['86400', '1 d'],
];
const colours = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'];
const nowMillis = 5000;

export function RangeChoice({ value, onChange }: { readonly value: Range; readonly onChange: (range: Range) => void }): JSX.Element {
  return <Segments label="Time range" options={ranges} value={value} onChange={onChange} />;
}

/** Asks for samples of the last while. */
export function withSamples(path: string, range: Range): string {
  const increment = increments[range];
  const names = ['lengths', 'msg_rates', 'data_rates', 'node_stats'];
  const query = names.map(name => `${name}_age=${range}&${name}_incr=${increment}`).join('&');
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}

type Points = [number[], ...(number | null)[][]];

export interface ChartProps {
  /** What a screen reader says of it. */
  readonly label: string;
  /** Of the object without a query. */
  readonly path: string;
  readonly range: Range;
  /** The samples are counters whose rise is shown, or lengths as they are. */
  readonly kind: 'rate' | 'length';
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
}

/** A chart in a card of its own, whose title is the label unless that has to say more. */
export function ChartCard({
  title,
  label,
  ...props
}: Omit<ChartProps, 'label'> & { readonly title: string; readonly label?: string }): JSX.Element {
  return (
    <Card title={title}>
      <Chart label={label ?? title} {...props} />
    </Card>
  );
}

/** Series of counters, as [what they are called, their name in the statistics]. */
function rateSeries(
  stats: MessageStats | Record<string, unknown> | undefined,
  at: string,
  names: readonly (readonly [label: string, name: string])[],
): Series[] {
  return names.map(([label, name]) => ({ label, now: rateOf(stats, name), from: `${at === '' ? '' : `${at}.`}${name}_details` }));
}

/** What becomes of messages that are delivered. */
export const deliveryRates: readonly (readonly [label: string, name: string])[] = [
  ['Published', 'publish'],
  ['Delivered', 'deliver_get'],
  ['Acknowledged', 'ack'],
  ['Redelivered', 'redeliver'],
];

/** Rates of counters over time, as they are in the statistics of what `path` answers. */
export function RateChart({
  stats,
  at = 'message_stats',
  names,
  ...props
}: Pick<ChartProps, 'path' | 'range'> & {
  readonly title: string;
  readonly label?: string;
  readonly stats: MessageStats | Record<string, unknown> | undefined;
  /** Where in the answer `stats` stand; '' for the answer itself. */
  readonly at?: string;
  readonly names: readonly (readonly [label: string, name: string])[];
  readonly format?: ChartProps['format'];
}): JSX.Element {
  return <ChartCard kind="rate" format={rate} series={rateSeries(stats, at, names)} {...props} />;
}

export function Chart(props: ChartProps): JSX.Element {
  const { range, kind, series } = props;
  const past = useOnce<Record<string, unknown>>(withSamples(props.path, range));
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const points = useRef<Points>([[]]);
  const latest = useRef(series);
  latest.current = series;
  const isDark = shownTheme.value === 'dark';
  const names = series.map(({ label }) => label).join();

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--faint'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '11px ui-sans-serif, system-ui, sans-serif',
    };
    const chart = new uPlot(
      {
        width: Math.max(200, element.clientWidth),
        height: 150,
        padding: [10, 20, 0, 0],
        cursor: { y: false, points: { size: 6 } },
        legend: { live: true },
        scales: { x: { time: true, range: () => lastWhile(range) }, y: { range: (_chart, _min, max) => [0, max <= 0 ? 1 : max * 1.15] } },
        axes: [
          { ...axis, size: 26, gap: 6, values: (_chart, splits) => splits.map(clockTime) },
          { ...axis, size: 52, gap: 4, values: (_chart, values) => values.map(value => props.format(value)) },
        ],
        series: [
          { label: '', value: (_chart, value) => (value === null ? '' : new Date(value * 1000).toLocaleTimeString()) },
          ...series.map(({ label }, index) => ({
            label,
            stroke: colour(colours[index % colours.length] ?? '--series-1'),
            width: 1.5,
            ...(index === 0 ? { fill: `${colour('--series-1')}14` } : {}),
            points: { show: false },
            value: (_chart: uPlot, value: number | null, _index: number, at: number | null) =>
              shownValue(at === null ? latest.current[index]?.now : value, props.format),
          })),
        ],
      },
      points.current.length === series.length + 1 ? points.current : [[], ...series.map(() => [])],
      element,
    );
    plot.current = chart;
    const watcher = new ResizeObserver(() => chart.setSize({ width: Math.max(200, element.clientWidth), height: 150 }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [isDark, names, range]);

  useEffect(() => {
    if (past.data === undefined) return;
    points.current = pointsOf(past.data, latest.current, kind, increments[range]);
    plot.current?.setData(points.current);
  }, [past.data, names]);

  // The present: a point every few seconds, also while nothing changes. Longer ranges are fetched again.
  useEffect(() => {
    const timer = setInterval(
      () => {
        if (document.hidden) return;
        if (range !== '600') {
          past.reload();
          return;
        }
        const [times, ...values] = points.current;
        if (values.length !== latest.current.length) return;
        times.push(Date.now() / 1000);
        latest.current.forEach(({ now }, index) => values[index]?.push(now ?? 0));
        while ((times[0] ?? Infinity) < Date.now() / 1000 - Number(range)) {
          times.shift();
          for (const column of values) column.shift();
        }
        plot.current?.setData([times, ...values]);
      },
      range === '600' ? nowMillis : increments[range] * 1000,
    );
    return () => clearInterval(timer);
  }, [range, props.path, names]);

  const summary = series.map(({ label, now }) => `${label} ${now === undefined ? 'unknown' : props.format(now)}`).join(', ');
  return <div class="chart" ref={box} role="img" aria-label={`${props.label}. Now: ${summary}`} />;
}

/** The stretch of time that is shown, in seconds since 1970. */
function lastWhile(range: Range): [number, number] {
  const now = Date.now() / 1000;
  return [now - Number(range), now];
}

function pointsOf(answer: Record<string, unknown>, series: readonly Series[], kind: 'rate' | 'length', increment: number): Points {
  const columns = series.map(({ from }) => ((at(answer, from) as Details | undefined)?.samples ?? []).toReversed());
  const longest = columns.reduce((a, b) => (b.length > a.length ? b : a), []);
  const times = longest.map(({ timestamp }) => timestamp / 1000);
  const values = columns.map(samples => {
    if (samples.length === 0) return times.map(() => 0);
    if (kind === 'length') return samples.map(({ sample }) => sample);
    return samples.map(({ sample }, index) =>
      index === 0 ? null : Math.max(0, (sample - (samples[index - 1]?.sample ?? sample)) / increment),
    );
  });
  return [times, ...values];
}

function shownValue(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? '–' : format(value);
}

function clockTime(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (inner, name) =>
        typeof inner === 'object' && inner !== null && Object.hasOwn(inner, name) ? (inner as Record<string, unknown>)[name] : undefined,
      value,
    );
}

export function useRange(): [Range, (range: Range) => void] {
  return useState<Range>('600');
}
