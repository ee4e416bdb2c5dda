export type MetricType = 'counter' | 'gauge' | 'untyped' | 'summary' | 'histogram';

/** A family of series: a name, what it means, and for lists of objects the group it belongs to. */
export interface Family {
  /** Without a prefix: that depends on the page. */
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** Of this broker's own making: the name begins with warrenmq_ on every page. */
  readonly isOwn?: boolean;
}

/** A number of every object of some kind. */
export interface ObjectFamily<Item> extends Family {
  /** The family of /metrics/detailed in which it is. */
  readonly group: string;
  value(item: Item): number;
  /** Left out of the sums: an average, or a time. */
  readonly isNotSummed?: boolean;
}

/** How names begin on a page: rabbitmq_ or rabbitmq_detailed_. */
export type Prefix = 'rabbitmq_' | 'rabbitmq_detailed_';

export function fullName(prefix: Prefix, family: Family): string {
  return `${family.isOwn === true ? 'warrenmq_' : prefix}${family.name}`;
}

/** Labels as they stand between braces; '' for none. */
export function labels(pairs: Readonly<Record<string, string>>): string {
  const parts = Object.entries(pairs).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

/** [Prometheus text format 0.0.4] */
function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;
}

/** A number in Prometheus' notation. */
export function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** The two lines before the series of a family. */
export function header(name: string, { type, help }: Family): string {
  return `# TYPE ${name} ${type}\n# HELP ${name} ${help}\n`;
}
