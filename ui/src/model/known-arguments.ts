import type { ArgumentType } from '../components/fields.tsx';

/** Names that are well known, with the types of their values. [RabbitMQ docs: queues, optional arguments] */
export const queueArguments: Readonly<Record<string, ArgumentType>> = {
  'x-message-ttl': 'number',
  'x-expires': 'number',
  'x-max-length': 'number',
  'x-max-length-bytes': 'number',
  'x-overflow': 'string',
  'x-dead-letter-exchange': 'string',
  'x-dead-letter-routing-key': 'string',
  'x-dead-letter-strategy': 'string',
  'x-single-active-consumer': 'boolean',
  'x-max-priority': 'number',
  'x-delivery-limit': 'number',
  'x-consumer-timeout': 'number',
  'x-max-age': 'string',
  'x-stream-max-segment-size-bytes': 'number',
};

export const exchangeArguments: Readonly<Record<string, ArgumentType>> = {
  'alternate-exchange': 'string',
  'x-delayed-type': 'string',
  'hash-header': 'string',
  'hash-property': 'string',
};

export const policyKeys: Readonly<Record<string, ArgumentType>> = {
  'message-ttl': 'number',
  expires: 'number',
  'max-length': 'number',
  'max-length-bytes': 'number',
  overflow: 'string',
  'dead-letter-exchange': 'string',
  'dead-letter-routing-key': 'string',
  'dead-letter-strategy': 'string',
  'alternate-exchange': 'string',
  'delivery-limit': 'number',
  'consumer-timeout': 'number',
  'max-age': 'string',
};
