// The settings a policy may have: their values, what they mean and which of several says wins. A new setting is one line here.
// [RabbitMQ docs: policies, operator policies; RabbitMQ: rabbit_policies and the validators of its plugins]
import type { Json } from '../../base/field-table.ts';
import { parseRetryDelays } from '../retries/retry-delays.ts';

/** What policies tell apart: exchanges, and queues by type. A queue type says which of them it is. */
export type PolicyKind = 'exchanges' | 'classic_queues' | 'quorum_queues' | 'streams';

/** Who wins when a declaration's argument and a policy say different things. `least`: the smaller number, negative meaning no limit. */
export type Precedence = 'least' | 'argument' | 'policy';

/** What becomes of a setting that a policy and an operator policy both have. */
export type OperatorMerge = 'least' | 'greatest' | 'operator';

export interface PolicyKey {
  readonly accepts: (value: Json) => boolean;
  /** What the value is not, when it does not fit: '10 is not a valid overflow value'. */
  readonly noun: string;
  /** The argument of a declaration that says the same; null for settings that no declaration has. */
  readonly argument: string | null;
  readonly precedence: Precedence;
  /** Queue types for which it is different. */
  readonly precedences: Partial<Record<PolicyKind, Precedence>>;
  /** Null: operators may not set it. */
  readonly operatorMerge: OperatorMerge | null;
  /** Queue types that do not know the setting: a policy that has it does not apply to them at all. [RabbitMQ: unsupported_policies] */
  readonly unknownTo: readonly PolicyKind[];
  /** Of no effect here; accepted because definitions in use have it. */
  readonly isObsolete: boolean;
}

const isText = (value: Json): boolean => typeof value === 'string';
const isInteger = (value: Json): value is number => typeof value === 'number' && Number.isSafeInteger(value);
const isCount = (value: Json): boolean => isInteger(value) && value >= 0;
const isPositive = (value: Json): boolean => isInteger(value) && value >= 1;
const isRetryDelays = (value: Json): boolean => typeof parseRetryDelays(value) !== 'string';
const anything = (): boolean => true;
const oneOf =
  (...values: readonly Json[]) =>
  (value: Json): boolean =>
    values.includes(value);

type Facts = Partial<PolicyKey> & Pick<PolicyKey, 'accepts' | 'noun'>;

function key(facts: Facts): PolicyKey {
  return { argument: null, precedence: 'argument', precedences: {}, operatorMerge: null, unknownTo: [], isObsolete: false, ...facts };
}

/** A ceiling: the lowest that anybody has set holds. */
function ceiling(facts: Facts): PolicyKey {
  return key({ precedence: 'least', operatorMerge: 'least', ...facts });
}

/** A setting of mirrored queues, which are no more. */
function obsolete(noun: string, accepts: PolicyKey['accepts'] = anything): PolicyKey {
  return key({ accepts, noun, unknownTo: ['quorum_queues', 'streams'], isObsolete: true });
}

const streams: readonly PolicyKind[] = ['streams'];
const allButStreams: readonly PolicyKind[] = ['classic_queues', 'quorum_queues'];

export const policyKeys: ReadonlyMap<string, PolicyKey> = new Map<string, PolicyKey>([
  ['alternate-exchange', key({ accepts: isText, noun: 'alternate exchange name', argument: 'alternate-exchange' })],
  [
    'dead-letter-exchange',
    key({ accepts: isText, noun: 'dead letter exchange name', argument: 'x-dead-letter-exchange', unknownTo: streams }),
  ],
  [
    'dead-letter-routing-key',
    key({ accepts: isText, noun: 'dead letter routing key', argument: 'x-dead-letter-routing-key', unknownTo: streams }),
  ],
  [
    'dead-letter-strategy',
    key({
      accepts: oneOf('at-most-once', 'at-least-once'),
      noun: 'dead letter strategy',
      argument: 'x-dead-letter-strategy',
      unknownTo: ['classic_queues', 'streams'],
    }),
  ],
  ['message-ttl', ceiling({ accepts: isCount, noun: 'message TTL', argument: 'x-message-ttl', unknownTo: streams })],
  ['expires', ceiling({ accepts: isPositive, noun: 'queue expiry', argument: 'x-expires', unknownTo: streams })],
  ['max-length', ceiling({ accepts: isCount, noun: 'maximum length', argument: 'x-max-length', unknownTo: streams })],
  [
    'max-length-bytes',
    ceiling({
      accepts: isCount,
      noun: 'maximum length in bytes',
      argument: 'x-max-length-bytes',
      precedences: { streams: 'policy' },
    }),
  ],
  ['max-in-memory-length', ceiling({ accepts: isCount, noun: 'maximum memory in bytes', unknownTo: streams })],
  ['max-in-memory-bytes', ceiling({ accepts: isCount, noun: 'maximum memory in bytes', unknownTo: streams })],
  [
    'overflow',
    key({
      accepts: oneOf('drop-head', 'reject-publish', 'reject-publish-dlx'),
      noun: 'overflow value',
      argument: 'x-overflow',
      precedences: { quorum_queues: 'policy' },
      operatorMerge: 'operator',
      unknownTo: streams,
    }),
  ],
  [
    'delivery-limit',
    ceiling({
      accepts: value => isInteger(value) && value >= -1,
      noun: 'delivery limit',
      argument: 'x-delivery-limit',
      unknownTo: streams,
    }),
  ],
  ['queue-mode', key({ accepts: oneOf('default', 'lazy'), noun: 'queue-mode value', unknownTo: ['quorum_queues', 'streams'] })],
  ['queue-version', key({ accepts: oneOf(1, 2), noun: 'queue-version value', operatorMerge: 'operator' })],
  [
    'queue-master-locator',
    key({
      accepts: oneOf('min-masters', 'client-local', 'random'),
      noun: 'queue master locator value',
      unknownTo: ['quorum_queues', 'streams'],
    }),
  ],
  [
    'queue-leader-locator',
    key({ accepts: oneOf('client-local', 'balanced', 'random', 'least-leaders'), noun: 'queue leader locator value' }),
  ],
  ['initial-cluster-size', key({ accepts: isCount, noun: 'cluster size', unknownTo: allButStreams })],
  [
    'target-group-size',
    key({ accepts: isPositive, noun: 'target group size', operatorMerge: 'greatest', unknownTo: ['classic_queues', 'streams'] }),
  ],
  [
    'max-age',
    key({
      accepts: value => typeof value === 'string' && /^\d+[YMDhms]$/.test(value),
      noun: 'max age',
      argument: 'x-max-age',
      precedence: 'policy',
      unknownTo: allButStreams,
    }),
  ],
  [
    'stream-max-segment-size-bytes',
    key({
      accepts: isCount,
      noun: 'segment size',
      argument: 'x-stream-max-segment-size-bytes',
      precedence: 'policy',
      unknownTo: allButStreams,
    }),
  ],
  ['max-segment-size', key({ accepts: isCount, noun: 'segment size' })],
  [
    'stream-filter-size-bytes',
    key({
      accepts: value => isInteger(value) && value >= 16 && value <= 255,
      noun: 'filter size. Valid range: 16-255',
      argument: 'x-stream-filter-size-bytes',
      precedence: 'policy',
    }),
  ],
  ['consumer-timeout', key({ accepts: isCount, noun: 'consumer timeout', argument: 'x-consumer-timeout', precedence: 'least' })],
  ['consumer-disconnected-timeout', key({ accepts: isCount, noun: 'consumer disconnected timeout' })],
  ['delayed-retry-type', key({ accepts: oneOf('disabled', 'all', 'failed', 'returned'), noun: 'delayed retry type' })],
  ['delayed-retry-min', key({ accepts: isCount, noun: 'delayed retry minimum' })],
  ['delayed-retry-max', key({ accepts: isCount, noun: 'delayed retry maximum' })],
  ['retry-delays', key({ accepts: isRetryDelays, noun: 'list of retry delays', argument: 'x-retry-delays', unknownTo: streams })],
  ['federation-upstream', key({ accepts: isText, noun: 'federation upstream name' })],
  ['federation-upstream-set', key({ accepts: isText, noun: 'federation upstream set name' })],
  ['federation-upstream-pattern', key({ accepts: isText, noun: 'federation upstream pattern' })],
  ['shards-per-node', key({ accepts: isCount, noun: 'number of shards per node' })],
  ['routing-key', key({ accepts: isText, noun: 'routing key' })],
  ['ha-mode', obsolete('ha-mode value', oneOf('all', 'exactly', 'nodes'))],
  ['ha-params', obsolete('ha-params value')],
  ['ha-sync-mode', obsolete('ha-sync-mode value')],
  ['ha-sync-batch-size', obsolete('ha-sync-batch-size value')],
  ['ha-promote-on-shutdown', obsolete('ha-promote-on-shutdown value')],
  ['ha-promote-on-failure', obsolete('ha-promote-on-failure value')],
]);
