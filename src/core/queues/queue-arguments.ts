import { type Field, type FieldTable, fieldToJson, fieldTypeName, isInteger } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import { queueTerm } from '../resource-name.ts';
import { parseRetryDelays, type RetryDelays } from '../retries/retry-delays.ts';
import { type DeadLetterStrategy, defaultQueueSettings, type Overflow, type QueueSettings } from './queue-settings.ts';
import { ageMillis } from './stream/stream-age.ts';

/** Longest time to live of messages and queues: ten years. [RabbitMQ: check_expiry] */
export const expiryMillisMax = 315_360_000_000;

/** Checks one argument; returns RabbitMQ's error term when it does not fit, else null. */
type ArgumentCheck = (field: Field, args: FieldTable) => string | null;

const notInteger = (field: Field): string => `"expected integer, got ${fieldTypeName(field)}"`;
const wrongType = (field: Field): string => `{unacceptable_type,${fieldTypeName(field)}}`;

const nonNegative: ArgumentCheck = field => {
  if (!isInteger(field)) return notInteger(field);
  return Number(field.value) < 0 ? `{value_negative,${String(field.value)}}` : null;
};

const positive: ArgumentCheck = (field, args) =>
  isInteger(field) && Number(field.value) === 0 ? '{value_zero,0}' : nonNegative(field, args);

const milliseconds: ArgumentCheck = (field, args) =>
  nonNegative(field, args) ?? (Number(field.value) > expiryMillisMax ? `{value_too_large,${String(field.value)}}` : null);

const lease: ArgumentCheck = (field, args) => positive(field, args) ?? milliseconds(field, args);

const oneOf =
  (values: readonly string[], error: (value: string) => string): ArgumentCheck =>
  field => {
    if (field.type !== 'S') return wrongType(field);
    const value = String(field.value);
    return values.includes(value) ? null : error(value);
  };

const text: ArgumentCheck = field => (field.type === 'S' ? null : wrongType(field));

const routingKey: ArgumentCheck = (field, args) =>
  text(field, args) ?? (args.has('x-dead-letter-exchange') ? null : 'routing_key_but_no_dlx_defined');

const priority: ArgumentCheck = (field, args) =>
  nonNegative(field, args) ?? (Number(field.value) > 255 ? `{max_value_exceeded,${String(field.value)}}` : null);

const version: ArgumentCheck = (field, args) =>
  nonNegative(field, args) ??
  (Number(field.value) === 1 || Number(field.value) === 2 ? null : `"unsupported queue version '${String(field.value)}'"`);

/** -1 says that there is no limit. */
const deliveryLimit: ArgumentCheck = (field, args) => (isInteger(field) && Number(field.value) === -1 ? null : nonNegative(field, args));

const age: ArgumentCheck = field => {
  if (field.type !== 'S') return wrongType(field);
  return ageMillis(String(field.value)) === null ? 'invalid_max_age' : null;
};

const groupHeader: ArgumentCheck = (field, args) => {
  if (field.type !== 'S') return wrongType(field);
  const { length } = String(field.value);
  if (length === 0 || length > 255) return '"expected the name of a header"';
  return args.has('x-max-priority') ? '"message groups have an order, and no priorities"' : null;
};

const groupParkAfter: ArgumentCheck = (field, args) =>
  positive(field, args) ?? (args.has('x-group-header') ? null : '"there are no message groups to park"');

const retryDelays: ArgumentCheck = field => {
  const problem = parseRetryDelays(fieldToJson(field));
  return typeof problem === 'string' ? `"${problem}"` : null;
};

/**
 * The arguments of queue.declare that mean something to some queue type, with their checks, in the order in which RabbitMQ makes them.
 * x-queue-type is checked before all of them. Others are accepted and mean nothing.
 */
const argumentChecks: ReadonlyMap<string, ArgumentCheck> = new Map<string, ArgumentCheck>([
  ['x-expires', lease],
  ['x-message-ttl', milliseconds],
  ['x-dead-letter-exchange', text],
  ['x-dead-letter-routing-key', routingKey],
  ['x-dead-letter-strategy', oneOf(['at-most-once', 'at-least-once'], () => 'invalid_dlx_strategy')],
  ['x-max-length', nonNegative],
  ['x-max-length-bytes', nonNegative],
  ['x-max-in-memory-length', nonNegative],
  ['x-max-in-memory-bytes', nonNegative],
  ['x-max-priority', priority],
  ['x-overflow', oneOf(['drop-head', 'reject-publish', 'reject-publish-dlx'], () => 'invalid_overflow')],
  ['x-queue-mode', oneOf(['default', 'lazy'], value => `"unsupported queue mode '${value}'"`)],
  ['x-queue-version', version],
  ['x-single-active-consumer', field => (field.type === 't' ? null : wrongType(field))],
  ['x-quorum-initial-group-size', positive],
  ['x-quorum-target-group-size', positive],
  ['x-max-age', age],
  ['x-stream-max-segment-size-bytes', nonNegative],
  ['x-stream-filter-size-bytes', nonNegative],
  ['x-initial-cluster-size', positive],
  ['x-queue-leader-locator', oneOf(['client-local', 'balanced', 'random', 'least-leaders'], () => 'invalid_queue_locator_arg')],
  ['x-queue-master-locator', text],
  ['x-delivery-limit', deliveryLimit],
  ['x-consumer-timeout', positive],
  ['x-on-conflict', oneOf(['error', 'keep', 'migrate'], () => 'invalid_on_conflict')],
  ['x-retry-delays', retryDelays],
  ['x-group-header', groupHeader],
  ['x-group-park-after', groupParkAfter],
]);

/** Arguments that a redeclaration must repeat, in the order in which a difference is told. x-queue-type is compared by what it means. */
export const equivalentArguments: readonly string[] = [
  'x-expires',
  'x-message-ttl',
  'x-dead-letter-exchange',
  'x-dead-letter-routing-key',
  'x-max-length',
  'x-max-length-bytes',
  'x-max-priority',
  'x-overflow',
  'x-queue-mode',
  'x-queue-version',
  'x-single-active-consumer',
  'x-queue-type',
  'x-queue-master-locator',
  'x-dead-letter-strategy',
  'x-max-in-memory-length',
  'x-max-in-memory-bytes',
  'x-delivery-limit',
  'x-quorum-initial-group-size',
  'x-quorum-target-group-size',
  'x-max-age',
  'x-stream-max-segment-size-bytes',
  'x-stream-filter-size-bytes',
  'x-initial-cluster-size',
  'x-queue-leader-locator',
  'x-retry-delays',
  'x-group-header',
  'x-group-park-after',
];

/** Every argument that some queue type knows, but those given, and what a declaration of any type may wish for. */
export function allArgumentsBut(...names: string[]): ReadonlySet<string> {
  return new Set([...argumentChecks.keys()].filter(name => name !== 'x-on-conflict' && !names.includes(name)));
}

/**
 * Checks the arguments of a new queue: first the values of those that its type knows, then whether there are others that only other types
 * know. [RabbitMQ: rabbit_amqqueue, check_declare_arguments]
 * @throws BrokerError PRECONDITION_FAILED with RabbitMQ's text for the first that does not fit.
 */
export function checkArguments(
  vhostName: string,
  queueName: string,
  args: FieldTable,
  unsupported: ReadonlySet<string>,
  internalType: string,
): void {
  const term = queueTerm(queueName, vhostName);
  for (const [name, check] of argumentChecks) {
    const field = args.get(name);
    if (field === undefined || unsupported.has(name)) continue;
    const error = check(field, args);
    if (error !== null) throw preconditionFailed(`invalid arg '${name}' for ${term}: ${error}`);
  }
  for (const name of args.keys()) {
    if (unsupported.has(name)) throw preconditionFailed(`invalid arg '${name}' for ${term} of queue type ${internalType}`);
  }
}

/** The integer value of an argument that has passed its check; `otherwise` when it is absent. */
export function integerArgument(args: FieldTable, name: string, otherwise: number): number {
  const field = args.get(name);
  return field === undefined ? otherwise : Number(field.value);
}

export function stringArgument(args: FieldTable, name: string): string | null {
  const value = args.get(name)?.value;
  return typeof value === 'string' ? value : null;
}

function retryDelaysArgument(args: FieldTable): RetryDelays | null {
  const field = args.get('x-retry-delays');
  if (field === undefined) return null;
  const delays = parseRetryDelays(fieldToJson(field));
  return typeof delays === 'string' ? null : delays;
}

/** Settings as the arguments give them. */
export function settingsFromArguments(args: FieldTable): QueueSettings {
  return {
    ...defaultQueueSettings,
    messageTtlMillis: integerArgument(args, 'x-message-ttl', -1),
    expiresMillis: integerArgument(args, 'x-expires', -1),
    lengthMax: integerArgument(args, 'x-max-length', -1),
    lengthBytesMax: integerArgument(args, 'x-max-length-bytes', -1),
    overflow: (stringArgument(args, 'x-overflow') ?? 'drop-head') as Overflow,
    deadLetterExchange: stringArgument(args, 'x-dead-letter-exchange'),
    deadLetterRoutingKey: stringArgument(args, 'x-dead-letter-routing-key'),
    deadLetterStrategy: (stringArgument(args, 'x-dead-letter-strategy') ?? 'at-most-once') as DeadLetterStrategy,
    deliveryLimit: integerArgument(args, 'x-delivery-limit', -1),
    consumerTimeoutMillis: integerArgument(args, 'x-consumer-timeout', -1),
    retryDelays: retryDelaysArgument(args),
    ageMillisMax: ageMillis(stringArgument(args, 'x-max-age') ?? '') ?? -1,
    segmentBytesMax: integerArgument(args, 'x-stream-max-segment-size-bytes', -1),
    filterBytes: integerArgument(args, 'x-stream-filter-size-bytes', -1),
  };
}
