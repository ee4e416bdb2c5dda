// Spans of messages, to an OpenTelemetry collector. Loaded only where a collector is configured.
import type { BrokerCore } from '../core/broker.ts';
import type { Logger } from '../core/ports/logger.ts';
import { HeldSpans } from './held-spans.ts';
import { otlpSender, tracesUrl } from './otlp-http.ts';
import type { Attributes } from './span.ts';
import { SpanExporter } from './span-exporter.ts';
import { SpanTracer } from './span-tracer.ts';

export interface TelemetryOptions {
  /** Address of the collector, such as http://localhost:4318. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** Further facts of this broker that its spans carry. */
  readonly resource: Attributes;
  /** Which part of the messages without a parent is traced, from 0 to 1. */
  readonly samplingRatio: number;
  readonly version: string;
}

/** Traced messages that wait in queues or for settlements: a few megabytes. */
const heldMax = 16_384;
/** How long the end of the broker waits for the collector. */
const stopMillisMax = 2000;

export interface Telemetry {
  /** Sends what is left. */
  stop(): Promise<void>;
}

/** From now on the broker tells the collector of messages. */
export function startTelemetry(core: BrokerCore, options: TelemetryOptions, logger: Logger): Telemetry {
  const url = tracesUrl(options.endpoint);
  const resource = {
    'service.name': options.serviceName,
    'service.version': options.version,
    'service.instance.id': core.settings.nodeName,
    ...options.resource,
  };
  const exporter = new SpanExporter(otlpSender({ url, headers: options.headers, resource, version: options.version }), logger);
  const held = new HeldSpans(heldMax);
  const { samplingRatio } = options;
  core.virtualHosts.observe(
    vhost => new SpanTracer(vhost.name, { core, held, samplingRatio, random: Math.random, export: span => exporter.add(span) }),
  );
  logger.info('default', `Spans of messages go to ${url}`);
  return {
    stop: async () => {
      core.virtualHosts.observe(null);
      await exporter.stop(stopMillisMax);
    },
  };
}
