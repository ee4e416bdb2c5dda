import type { TelemetryConfig } from '../config.ts';
import { TELEMETRY } from '../schema/telemetry.ts';
import type { BuildContext } from './context.ts';

export function buildTelemetry({ settings }: BuildContext): TelemetryConfig | null {
  const endpoint = settings.optional(TELEMETRY.endpoint);
  if (endpoint === null || settings.value(TELEMETRY.disabled)) return null;
  return {
    endpoint,
    headers: settings.optional(TELEMETRY.headers),
    serviceName: settings.value(TELEMETRY.serviceName),
    resourceAttributes: settings.optional(TELEMETRY.resourceAttributes) ?? '',
    samplingRatio: settings.value(TELEMETRY.samplingRatio),
  };
}
