import { type Field, type FieldTable, fieldTypeName, isInteger } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import { defaultQueueSettings, type Overflow, type QueueSettings } from './queue-settings.ts';

/** Checks one argument; returns RabbitMQ's error term when it does not fit, else null. */
type ArgumentCheck = (field: Field, args: FieldTable) => string | null;

const expected = (what: string, field: Field): string => `"expected ${what}, got ${fieldTypeName(field)}"`;

const nonNegative: ArgumentCheck = field => {
  if (!isInteger(field)) return expected('integer', field);
  return Number(field.value) < 0 ? `{value_negative,${String(field.value)}}` : null;
};

const positive: ArgumentCheck = field => {
  if (!isInteger(field)) return expected('integer', field);
  if (Number(field.value) === 0) return '{value_zero,0}';
  return Number(field.value) < 0 ? `{value_negative,${String(field.value)}}` : null;
};

/** Erlang's timers take no more than 2^32-1 milliseconds. [RabbitMQ: rabbit_misc:check_expiry] */
const expiryMillisMax = 4294967295;

const milliseconds: ArgumentCheck = field => {
  if (!isInteger(field)) return expected('integer', field);
  const value = Number(field.value);
  if (value < 0) return `{value_negative,${value}}`;
  return value > expiryMillisMax ? `{value_too_big,${value}}` : null;
};

const longstring: ArgumentCheck = field => (field.type === 'S' ? null : expected('string', field));

const oneOf =
  (values: readonly string[], error: (value: string) => string): ArgumentCheck =>
  field => {
    if (field.type !== 'S') return expected('string', field);
    const value = String(field.value);
    return values.includes(value) ? null : error(value);
  };

const boolean: ArgumentCheck = field => (field.type === 't' ? null : expected('boolean', field));

/** The arguments of queue.declare that mean something, with their checks. Unknown ones are accepted, as RabbitMQ does. */
export const argumentChecks: ReadonlyMap<string, ArgumentCheck> = new Map<string, ArgumentCheck>([
  ['x-expires', field => (isInteger(field) && Number(field.value) === 0 ? '{value_zero,0}' : milliseconds(field, new Map()))],
  ['x-message-ttl', milliseconds],
  ['x-dead-letter-exchange', longstring],
  [
    'x-dead-letter-routing-key',
    (field, args) => {
      if (field.type !== 'S') return expected('string', field);
      return args.has('x-dead-letter-exchange') ? null : 'routing_key_but_no_dlx_defined';
    },
  ],
  ['x-dead-letter-strategy', oneOf(['at-most-once', 'at-least-once'], () => 'invalid_dlx_strategy')],
  ['x-max-length', nonNegative],
  ['x-max-length-bytes', nonNegative],
  ['x-max-in-memory-length', nonNegative],
  ['x-max-in-memory-bytes', nonNegative],
  [
    'x-max-priority',
    field => {
      const error = nonNegative(field, new Map());
      if (error !== null) return error;
      return Number(field.value) > 255 ? `{max_value_exceeded,${String(field.value)}}` : null;
    },
  ],
  ['x-overflow', oneOf(['drop-head', 'reject-publish', 'reject-publish-dlx'], () => 'invalid_overflow')],
  ['x-queue-mode', oneOf(['default', 'lazy'], value => `"unsupported queue mode '${value}'"`)],
  [
    'x-queue-version',
    field =>
      isInteger(field)
        ? Number(field.value) === 1 || Number(field.value) === 2
          ? null
          : '"unsupported queue version"'
        : expected('integer', field),
  ],
  ['x-single-active-consumer', boolean],
  ['x-queue-type', longstring],
  ['x-delivery-limit', field => (isInteger(field) && Number(field.value) === -1 ? null : nonNegative(field, new Map()))],
  ['x-consumer-timeout', positive],
  ['x-queue-master-locator', longstring],
  ['x-queue-leader-locator', oneOf(['client-local', 'balanced', 'random', 'least-leaders'], () => 'invalid_queue_locator_arg')],
  ['x-quorum-initial-group-size', positive],
  ['x-quorum-target-group-size', positive],
  ['x-initial-cluster-size', positive],
  [
    'x-max-age',
    field => (field.type !== 'S' ? expected('string', field) : /^\d+[YMDhms]$/.test(String(field.value)) ? null : 'invalid_max_age'),
  ],
  ['x-stream-max-segment-size-bytes', nonNegative],
  ['x-stream-filter-size-bytes', nonNegative],
]);

/** Arguments that a redeclaration must repeat. [RabbitMQ: rabbit_amqqueue, declare_args] */
export const equivalentArguments: readonly string[] = [
  'x-expires',
  'x-message-ttl',
  'x-dead-letter-exchange',
  'x-dead-letter-routing-key',
  'x-dead-letter-strategy',
  'x-max-length',
  'x-max-length-bytes',
  'x-max-in-memory-length',
  'x-max-in-memory-bytes',
  'x-max-priority',
  'x-overflow',
  'x-queue-mode',
  'x-queue-version',
  'x-single-active-consumer',
  'x-queue-type',
  'x-delivery-limit',
  'x-consumer-timeout',
  'x-quorum-initial-group-size',
  'x-max-age',
  'x-stream-max-segment-size-bytes',
  'x-initial-cluster-size',
  'x-queue-leader-locator',
];

/**
 * Checks the arguments of a declaration.
 * @throws BrokerError PRECONDITION_FAILED with RabbitMQ's text for the first that does not fit.
 */
export function checkArguments(
  vhostName: string,
  queueName: string,
  args: FieldTable,
  unsupported: ReadonlySet<string>,
  internalType: string,
): void {
  for (const [name, field] of args) {
    const check = argumentChecks.get(name);
    if (check === undefined) continue;
    if (unsupported.has(name)) {
      throw preconditionFailed(`invalid arg '${name}' for queue '${queueName}' in vhost '${vhostName}' of queue type ${internalType}`);
    }
    const error = check(field, args);
    if (error !== null) throw preconditionFailed(`invalid arg '${name}' for queue '${queueName}' in vhost '${vhostName}': ${error}`);
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
    deliveryLimit: integerArgument(args, 'x-delivery-limit', -1),
    consumerTimeoutMillis: integerArgument(args, 'x-consumer-timeout', -1),
  };
}
