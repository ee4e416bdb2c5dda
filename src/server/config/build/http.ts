import type { ListenerConfig, ManagementConfig, PrometheusConfig, RetentionConfig } from '../config.ts';
import { MANAGEMENT_KEYS, MANAGEMENT_SERVER, OLD_MANAGEMENT_LISTENER, PROMETHEUS_KEYS, PROMETHEUS_SERVER } from '../schema/http.ts';
import { type BuildContext, problem } from './context.ts';
import { buildHttpListeners } from './listeners.ts';

export function buildManagement(context: BuildContext): ManagementConfig {
  const { settings } = context;
  const origins = settings.optional(MANAGEMENT_KEYS.noCorsOrigins) === null ? settings.members(MANAGEMENT_KEYS.corsOrigins) : [];
  return {
    listeners: buildManagementListeners(context),
    pathPrefix: normalPrefix(settings.value(MANAGEMENT_KEYS.pathPrefix)),
    ratesMode: settings.value(MANAGEMENT_KEYS.ratesMode),
    bodyBytesMax: settings.value(MANAGEMENT_KEYS.bodyBytes),
    sessionMinutes: settings.value(MANAGEMENT_KEYS.sessionMinutes),
    accessLogDir: settings.optional(MANAGEMENT_KEYS.accessLogDirectory),
    cors: { allowOrigins: origins.map(member => member.value), ageSecondsMax: settings.value(MANAGEMENT_KEYS.corsSeconds) },
    cspPolicy: settings.optional(MANAGEMENT_KEYS.csp),
    hstsPolicy: settings.optional(MANAGEMENT_KEYS.hsts),
    disableStats: settings.value(MANAGEMENT_KEYS.disableStats),
    enableQueueTotals: settings.value(MANAGEMENT_KEYS.queueTotals),
    operatorPolicyChangesDisabled: settings.value(MANAGEMENT_KEYS.restrictOperatorPolicies),
    requireJsonExtension: settings.value(MANAGEMENT_KEYS.requireJsonExtension),
    sampleIntervalMillis: settings.value(MANAGEMENT_KEYS.sampleMillis),
    retention: buildRetention(context),
  };
}

/** management.listener.* of RabbitMQ before 3.7.9 is read as what took its place. */
function buildManagementListeners(context: BuildContext): readonly ListenerConfig[] {
  const { settings } = context;
  const old = OLD_MANAGEMENT_LISTENER;
  if (!settings.isAnySet([old.port, old.address])) return buildHttpListeners(context, MANAGEMENT_SERVER, 15672, 15671);
  const keys = settings.value(old.isTls)
    ? { ...MANAGEMENT_SERVER, tlsPort: old.port, tlsAddress: old.address, tls: old.tls }
    : { ...MANAGEMENT_SERVER, tcpPort: old.port, tcpAddress: old.address };
  return buildHttpListeners(context, keys, 15672, 15671);
}

/** `/` and `` are no prefix; others begin with a slash and do not end with one. */
function normalPrefix(prefix: string): string {
  const segments = prefix.split('/').filter(segment => segment !== '');
  return segments.length === 0 ? '' : `/${segments.join('/')}`;
}

const PERIOD_SECONDS = new Map([
  ['minute', 60],
  ['hour', 3600],
  ['day', 86_400],
]);

/** What RabbitMQ keeps unless told otherwise. [RabbitMQ docs: management] */
const DEFAULT_RETENTION: readonly RetentionConfig[] = [
  { section: 'global', seconds: 605, intervalSeconds: 5 },
  { section: 'global', seconds: 3660, intervalSeconds: 60 },
  { section: 'global', seconds: 29_400, intervalSeconds: 600 },
  { section: 'global', seconds: 86_400, intervalSeconds: 1800 },
  { section: 'basic', seconds: 605, intervalSeconds: 5 },
  { section: 'basic', seconds: 3600, intervalSeconds: 60 },
  { section: 'detailed', seconds: 605, intervalSeconds: 5 },
];

function buildRetention(context: BuildContext): readonly RetentionConfig[] {
  const retention: RetentionConfig[] = [];
  for (const { names, value, where } of context.settings.members(MANAGEMENT_KEYS.retention)) {
    const [section = '', period = ''] = names;
    const seconds = PERIOD_SECONDS.get(period) ?? (/^[0-9]{1,8}$/.test(period) ? Number(period) : 0);
    if ((section !== 'global' && section !== 'basic' && section !== 'detailed') || seconds === 0) {
      problem(
        context,
        where,
        'management.sample_retention_policies is followed by global, basic or detailed, and then by minute, hour, day or seconds',
      );
    } else {
      retention.push({ section, seconds, intervalSeconds: value });
    }
  }
  return retention.length === 0 ? DEFAULT_RETENTION : retention;
}

export function buildPrometheus(context: BuildContext): PrometheusConfig {
  const { settings } = context;
  return {
    listeners: buildHttpListeners(context, PROMETHEUS_SERVER, 15692, 15691),
    path: settings.value(PROMETHEUS_KEYS.path),
    perObjectMetrics: settings.value(PROMETHEUS_KEYS.perObject),
    authentication: settings.value(PROMETHEUS_KEYS.authentication),
  };
}
