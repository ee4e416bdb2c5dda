import { Secret } from '../../../base/secret.ts';
import { type Area, key, optionalKey } from '../key.ts';
import { boolean, someText, type ValueType, valueType } from '../value-type.ts';

const httpUrl: ValueType<string> = valueType('an address such as http://localhost:4318', value => {
  if (!URL.canParse(value)) return undefined;
  return /^https?:$/.test(new URL(value).protocol) ? value : undefined;
});

const ratio: ValueType<number> = valueType('a number from 0 to 1, such as 0.1', value => {
  if (!/^[0-9](\.[0-9]{1,9})?$/.test(value)) return undefined;
  const number = Number(value);
  return number <= 1 ? number : undefined;
});

/** Names as HTTP has them; values percent-encoded. [W3C baggage, which OTEL_* variables are in the form of] */
const pairsPattern =
  /^\s*[\w!#$&'*+.^`|~-]+\s*=\s*(?:[^%,;\r\n]|%[0-9A-Fa-f]{2})*(?:,\s*[\w!#$&'*+.^`|~-]+\s*=\s*(?:[^%,;\r\n]|%[0-9A-Fa-f]{2})*)*$/;
const pairsLabel = 'name=value, several separated by commas';

function isPairs(value: string): boolean {
  if (!pairsPattern.test(value)) return false;
  try {
    decodeURIComponent(value);
    return true;
  } catch {
    return false;
  }
}

const pairs: ValueType<string> = valueType(pairsLabel, value => (isPairs(value) ? value : undefined));
const secretPairs: ValueType<Secret> = {
  ...valueType<Secret>(pairsLabel, value => (isPairs(value) ? new Secret(value) : undefined)),
  isSecret: true,
};

export const TELEMETRY = {
  endpoint: optionalKey(
    'warren.opentelemetry.endpoint',
    httpUrl,
    'Address of an OpenTelemetry collector that takes OTLP over HTTP, usually on port 4318: spans of messages go there.',
    { defaultText: 'none: no spans are made' },
  ),
  headers: optionalKey('warren.opentelemetry.headers', secretPairs, 'Headers for the collector, such as authorization=Bearer%20TOKEN.'),
  serviceName: key('warren.opentelemetry.service_name', someText, 'warrenmq', 'What spans call this broker.'),
  resourceAttributes: optionalKey(
    'warren.opentelemetry.resource_attributes',
    pairs,
    'Further facts that spans carry, such as deployment.environment.name=production.',
  ),
  samplingRatio: key(
    'warren.opentelemetry.sampling_ratio',
    ratio,
    '0.01',
    'Which part of the messages without a parent is traced; those with a traceparent header are when that says so.',
  ),
  disabled: key('warren.opentelemetry.disabled', boolean, 'false', 'No spans, whatever else is set.'),
};

export const TELEMETRY_AREA: Area = {
  title: 'OpenTelemetry',
  introduction: 'Spans of messages for distributed tracing; off unless an endpoint is set. [Tracing](tracing.md) says what there is.',
  keys: Object.values(TELEMETRY),
};
