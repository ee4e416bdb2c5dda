// Which settings a policy may have, and their values. [RabbitMQ: rabbit_policies and the validators of its plugins]
import type { Json } from '../../base/field-table.ts';
import { erlangProplist, erlangTerm } from './erlang-term.ts';

interface Setting {
  readonly accepts: (value: Json) => boolean;
  /** What the value is not, when it does not fit: '10 is not a valid overflow value'. */
  readonly noun: string;
  readonly isForOperators?: true;
  /** Of no effect here; accepted because files in use have it. */
  readonly isObsolete?: true;
}

const isText = (value: Json): boolean => typeof value === 'string';
const isInteger = (value: Json): value is number => typeof value === 'number' && Number.isSafeInteger(value);
const isCount = (value: Json): boolean => isInteger(value) && value >= 0;
const isPositive = (value: Json): boolean => isInteger(value) && value >= 1;
const anything = (): boolean => true;
const oneOf =
  (...values: readonly Json[]) =>
  (value: Json): boolean =>
    values.includes(value);

const settings: ReadonlyMap<string, Setting> = new Map<string, Setting>([
  ['alternate-exchange', { accepts: isText, noun: 'alternate exchange name' }],
  ['dead-letter-exchange', { accepts: isText, noun: 'dead letter exchange name' }],
  ['dead-letter-routing-key', { accepts: isText, noun: 'dead letter routing key' }],
  ['dead-letter-strategy', { accepts: oneOf('at-most-once', 'at-least-once'), noun: 'dead letter strategy' }],
  ['message-ttl', { accepts: isCount, noun: 'message TTL', isForOperators: true }],
  ['expires', { accepts: isPositive, noun: 'queue expiry', isForOperators: true }],
  ['max-length', { accepts: isCount, noun: 'maximum length', isForOperators: true }],
  ['max-length-bytes', { accepts: isCount, noun: 'maximum length in bytes', isForOperators: true }],
  ['max-in-memory-length', { accepts: isCount, noun: 'maximum memory in bytes', isForOperators: true }],
  ['max-in-memory-bytes', { accepts: isCount, noun: 'maximum memory in bytes', isForOperators: true }],
  ['overflow', { accepts: oneOf('drop-head', 'reject-publish', 'reject-publish-dlx'), noun: 'overflow value', isForOperators: true }],
  ['delivery-limit', { accepts: value => isInteger(value) && value >= -1, noun: 'delivery limit', isForOperators: true }],
  ['queue-mode', { accepts: oneOf('default', 'lazy'), noun: 'queue-mode value' }],
  ['queue-version', { accepts: oneOf(1, 2), noun: 'queue-version value', isForOperators: true }],
  ['queue-master-locator', { accepts: oneOf('min-masters', 'client-local', 'random'), noun: 'queue master locator value' }],
  ['queue-leader-locator', { accepts: oneOf('client-local', 'balanced', 'random', 'least-leaders'), noun: 'queue leader locator value' }],
  ['initial-cluster-size', { accepts: isCount, noun: 'cluster size' }],
  ['target-group-size', { accepts: isPositive, noun: 'target group size', isForOperators: true }],
  ['max-age', { accepts: value => typeof value === 'string' && /^\d+[YMDhms]$/.test(value), noun: 'max age' }],
  ['stream-max-segment-size-bytes', { accepts: isCount, noun: 'segment size' }],
  ['max-segment-size', { accepts: isCount, noun: 'segment size' }],
  [
    'stream-filter-size-bytes',
    { accepts: value => isInteger(value) && value >= 16 && value <= 255, noun: 'filter size. Valid range: 16-255' },
  ],
  ['consumer-timeout', { accepts: isCount, noun: 'consumer timeout' }],
  ['consumer-disconnected-timeout', { accepts: isCount, noun: 'consumer disconnected timeout' }],
  ['delayed-retry-type', { accepts: oneOf('disabled', 'all', 'failed', 'returned'), noun: 'delayed retry type' }],
  ['delayed-retry-min', { accepts: isCount, noun: 'delayed retry minimum' }],
  ['delayed-retry-max', { accepts: isCount, noun: 'delayed retry maximum' }],
  ['retry-delays', { accepts: isText, noun: 'list of retry delays' }],
  ['federation-upstream', { accepts: isText, noun: 'federation upstream name' }],
  ['federation-upstream-set', { accepts: isText, noun: 'federation upstream set name' }],
  ['federation-upstream-pattern', { accepts: isText, noun: 'federation upstream pattern' }],
  ['shards-per-node', { accepts: isCount, noun: 'number of shards per node' }],
  ['routing-key', { accepts: isText, noun: 'routing key' }],
  ['ha-mode', { accepts: oneOf('all', 'exactly', 'nodes'), noun: 'ha-mode value', isObsolete: true }],
  ['ha-params', { accepts: anything, noun: 'ha-params value', isObsolete: true }],
  ['ha-sync-mode', { accepts: anything, noun: 'ha-sync-mode value', isObsolete: true }],
  ['ha-sync-batch-size', { accepts: anything, noun: 'ha-sync-batch-size value', isObsolete: true }],
  ['ha-promote-on-shutdown', { accepts: anything, noun: 'ha-promote-on-shutdown value', isObsolete: true }],
  ['ha-promote-on-failure', { accepts: anything, noun: 'ha-promote-on-failure value', isObsolete: true }],
]);

export type PolicyRank = 'policy' | 'operator_policy';

/** RabbitMQ's text of what is wrong with a policy's definition, or null. */
export function policySettingsProblem(definition: Readonly<Record<string, Json>>, rank: PolicyRank): string | null {
  const pairs = Object.entries(definition);
  if (pairs.length === 0) return 'no policy provided';
  const isKnown = ([key]: readonly [string, Json]): boolean => {
    const setting = settings.get(key);
    return setting !== undefined && (rank === 'policy' || setting.isForOperators === true);
  };
  for (const [key, value] of pairs.filter(isKnown)) {
    const setting = settings.get(key);
    if (setting !== undefined && !setting.accepts(value)) return `${erlangTerm(value)} is not a valid ${setting.noun}`;
  }
  const unknown = pairs.filter(pair => !isKnown(pair));
  return unknown.length === 0 ? null : `${erlangProplist(unknown)} are not recognised policy settings`;
}

/** The settings in the definition that are accepted and do nothing, such as those of mirrored queues. */
export function obsoleteSettings(definition: Readonly<Record<string, Json>>): string[] {
  return Object.keys(definition).filter(key => settings.get(key)?.isObsolete === true);
}
