// An OpenTelemetry collector that keeps what it is sent.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitUntil } from '../../support/wait-until.ts';

/** A span as it came, with plain attributes. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: number;
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
}
interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly OtlpSpan[] }[];
  }[];
}

export class Collector {
  readonly spans: ReceivedSpan[] = [];
  readonly requests: { readonly url: string; readonly headers: IncomingMessage['headers'] }[] = [];
  /** What it answers with. */
  status = 200;
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.requests.push({ url: request.url ?? '', headers: request.headers });
      if (this.status === 200) this.#take(JSON.parse(Buffer.concat(chunks).toString()) as OtlpRequest);
      response.writeHead(this.status, { 'content-type': 'application/json' }).end('{}');
    });
  });

  static async start(t: { after(end: () => unknown): void }): Promise<Collector> {
    const collector = new Collector();
    collector.#server.listen(0, '127.0.0.1');
    await once(collector.#server, 'listening');
    t.after(() => collector.#server.close().closeAllConnections());
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Waits for spans of these names, each as often as it stands there, and returns them in that order; later ones of a name later. */
  async expect(...names: string[]): Promise<ReceivedSpan[]> {
    const found = (): ReceivedSpan[] => {
      const left = [...this.spans];
      return names.map(name => {
        const index = left.findIndex(span => span.name === name);
        if (index < 0) throw new Error(`no span '${name}' among ${this.spans.map(span => span.name).join(', ')}`);
        return left.splice(index, 1)[0] as ReceivedSpan;
      });
    };
    return await waitUntil(found, { message: () => `${names.join(', ')}; there are ${this.spans.map(span => span.name).join(', ')}` });
  }

  #take(request: OtlpRequest): void {
    for (const { resource, scopeSpans } of request.resourceSpans) {
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          this.spans.push({
            traceId: span.traceId,
            spanId: span.spanId,
            parentSpanId: span.parentSpanId ?? '',
            traceState: span.traceState ?? '',
            name: span.name,
            kind: span.kind,
            startNanos: BigInt(span.startTimeUnixNano),
            endNanos: BigInt(span.endTimeUnixNano),
            attributes: plain(span.attributes),
            resource: plain(resource.attributes),
          });
        }
      }
    }
  }
}

function plain(attributes: readonly OtlpAttribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const content = Object.values(value)[0];
      return [key, 'intValue' in value ? Number(content) : content];
    }),
  );
}
