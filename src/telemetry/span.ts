import { randomBytes } from 'node:crypto';

/** What a span says besides its name and times; texts, whole numbers and truths, as OTLP has them. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Kinds of spans, by their numbers in OTLP. */
export const internalKind = 1;
export const serverKind = 2;

/** What a span needs of the one above it. */
export interface SpanContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** What tracing systems pass on for themselves; '' for none. [W3C trace context: tracestate] */
  readonly traceState: string;
}

/** One piece of work, to be exported. */
export interface Span extends SpanContext {
  /** Span id of the one above; '' for the first of a trace. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  /** Milliseconds since 1970, with fractions. */
  readonly startMillis: number;
  endMillis: number;
  readonly attributes: Attributes;
}

export function newTraceId(): string {
  return newId(16);
}

export function newSpanId(): string {
  return newId(8);
}

/** Ids of zeros mean "none", and are not given. */
function newId(bytes: number): string {
  for (;;) {
    const id = randomBytes(bytes).toString('hex');
    if (/[^0]/.test(id)) return id;
  }
}

/** Milliseconds since 1970, with fractions, that never go back. */
export function preciseMillis(): number {
  return performance.timeOrigin + performance.now();
}
