import { version } from '../base/version.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Broker } from './broker.ts';
import type { TelemetryConfig } from './config/config.ts';

/** Starts to tell a collector of messages, if there is one. It is loaded only then. */
export async function startTelemetry(broker: Broker, config: TelemetryConfig | null, logger: Logger): Promise<Telemetry | null> {
  if (config === null) return null;
  const telemetry = await import('../telemetry/telemetry.ts');
  return telemetry.startTelemetry(
    broker.core,
    {
      endpoint: config.endpoint,
      headers: pairsOf(config.headers?.reveal() ?? ''),
      serviceName: config.serviceName,
      resource: pairsOf(config.resourceAttributes),
      samplingRatio: config.samplingRatio,
      version,
    },
    logger,
  );
}

/** `name=value,name=value`, with values percent-encoded; what is not of this form was refused with the configuration. */
function pairsOf(text: string): Record<string, string> {
  const pairs = text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');
  return Object.fromEntries(
    pairs.map(pair => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
    }),
  );
}
