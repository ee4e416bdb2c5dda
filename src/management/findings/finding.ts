/** What is noticed about the broker, in words for people who run it. */
export interface Finding {
  /** bad: messages are held or lost now; warn: it will go wrong if nothing is done; info: worth knowing. */
  readonly severity: 'bad' | 'warn' | 'info';
  readonly text: string;
  /** What can be done about it. */
  readonly advice: string;
  /** What it is about. */
  readonly kind: 'node' | 'vhost' | 'queue' | 'exchange' | 'connection';
  /** '' where `kind` has none. */
  readonly vhost: string;
  readonly name: string;
  /** How much it is: of two of the same severity the greater comes first. */
  readonly weight: number;
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 1,234; from a million on 1.2 M. */
export function countText(value: number): string {
  return value >= 1_000_000 ? compact.format(value).replace(/(\D)$/, ' $1') : whole.format(value);
}

/** '1 message', '2 messages'. */
export function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}
