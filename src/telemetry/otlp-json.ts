import type { Attributes, Span } from './span.ts';

/** The body of an export request, in the JSON form of the protocol: ids in hexadecimal, 64-bit numbers as texts. [OTLP 1.x: JSON] */
export function otlpRequest(resource: Attributes, scopeVersion: string, spans: readonly Span[]): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: 'warrenmq', version: scopeVersion }, spans: spans.map(spanOf) }],
      },
    ],
  });
}

function spanOf(span: Span): unknown {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === '' ? {} : { parentSpanId: span.parentSpanId }),
    ...(span.traceState === '' ? {} : { traceState: span.traceState }),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanosOf(span.startMillis),
    endTimeUnixNano: nanosOf(span.endMillis),
    attributes: attributesOf(span.attributes),
    status: {},
  };
}

function attributesOf(attributes: Attributes): unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: string | number | boolean): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** To the microsecond: a double holds no more of the time since 1970. */
function nanosOf(millis: number): string {
  return `${Math.round(millis * 1000)}000`;
}
