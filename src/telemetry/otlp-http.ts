import { otlpRequest } from './otlp-json.ts';
import type { Attributes } from './span.ts';
import { ExportError, type SendSpans } from './span-exporter.ts';

/** Answers after which the same request may be sent again. [OTLP 1.x: OTLP/HTTP response, retryable] */
const temporaryStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface OtlpTarget {
  /** Where spans are posted to: see `tracesUrl`. */
  readonly url: string;
  /** Sent along, for collectors that want to know who it is. */
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Attributes;
  readonly version: string;
}

/** The place for spans of a collector; an address that names it already stays as it is. [OTLP exporter: endpoint URLs] */
export function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint);
  if (!url.pathname.endsWith('/v1/traces')) url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  return url.href;
}

/** Posts spans as JSON over HTTP. */
export function otlpSender(target: OtlpTarget): SendSpans {
  return async (spans, signal) => {
    let response: Response;
    try {
      response = await fetch(target.url, {
        method: 'POST',
        headers: { ...target.headers, 'content-type': 'application/json' },
        body: otlpRequest(target.resource, target.version, spans),
        redirect: 'error',
        signal,
      });
    } catch (error) {
      throw new ExportError(`${target.url}: ${reasonOf(error)}`, true);
    }
    // What it says is of no use, and must not stay open.
    await response.body?.cancel();
    if (!response.ok) throw new ExportError(`${target.url} answers ${response.status}`, temporaryStatuses.has(response.status));
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
