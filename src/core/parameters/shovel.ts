// What shovels may be told, by parameters: kept for those who move, read by nothing yet. Which keys there are depends on the protocol at either end.
// [RabbitMQ docs: dynamic shovels; RabbitMQ: rabbit_shovel_parameters]
import type { Json } from '../../base/field-table.ts';
import { erlangTerm } from '../definitions/erlang-term.ts';
import { uriProblems } from './amqp-uri.ts';
import {
  type Constraint,
  isFlag,
  isMapOf,
  isNumber,
  isOneOf,
  isProplist,
  isText,
  mandatory,
  objectOf,
  optional,
  proplistProblems,
} from './proplist.ts';

const protocols: readonly string[] = ['amqp10', 'amqp091', 'local'];
const isProtocol = isOneOf(...protocols);
const isAnyMap = isMapOf(() => []);
const isMapOfTexts = isMapOf(isText);
const isPublishProperties = isProplist(
  ...['content_type', 'content_encoding'].map(key => optional(key, isText)),
  ...['delivery_mode', 'priority'].map(key => optional(key, isNumber)),
  ...['correlation_id', 'reply_to', 'expiration', 'message_id'].map(key => optional(key, isText)),
  optional('timestamp', isNumber),
  ...['type', 'user_id', 'app_id', 'cluster_id'].map(key => optional(key, isText)),
);

const common: readonly Constraint[] = [
  optional('internal', isFlag),
  optional('internal_owner', () => []),
  optional('reconnect-delay', isNumber),
  optional('ack-mode', isOneOf('no-ack', 'on-publish', 'on-confirm')),
  optional('src-protocol', isProtocol),
  optional('dest-protocol', isProtocol),
];
const source091: readonly Constraint[] = [
  mandatory('src-uri', uriProblems),
  ...['src-exchange', 'src-exchange-key', 'src-queue'].map(key => optional(key, isText)),
  optional('src-queue-args', isAnyMap),
  optional('src-consumer-args', isAnyMap),
  optional('src-consumer-name', isText),
  optional('prefetch-count', isNumber),
  optional('src-prefetch-count', isNumber),
  optional('delete-after', isEnd),
  optional('src-delete-after', isEnd),
  optional('src-predeclared', isFlag),
];
const source10: readonly Constraint[] = [
  mandatory('src-uri', uriProblems),
  mandatory('src-address', isText),
  optional('src-prefetch-count', isNumber),
  optional('src-delete-after', isEnd),
  optional('src-consumer-name', isText),
];
const destination091: readonly Constraint[] = [
  mandatory('dest-uri', uriProblems),
  ...['dest-exchange', 'dest-exchange-key', 'dest-queue'].map(key => optional(key, isText)),
  optional('dest-queue-args', isAnyMap),
  ...['add-forward-headers', 'add-timestamp-header', 'dest-add-forward-headers', 'dest-add-timestamp-header'].map(key =>
    optional(key, isFlag),
  ),
  optional('publish-properties', isPublishProperties),
  optional('dest-publish-properties', isPublishProperties),
  optional('dest-predeclared', isFlag),
];
const destination10: readonly Constraint[] = [
  mandatory('dest-uri', uriProblems),
  mandatory('dest-address', isText),
  ...['dest-add-forward-headers', 'dest-add-timestamp-header'].map(key => optional(key, isFlag)),
  ...['dest-application-properties', 'dest-message-annotations', 'dest-properties'].map(key => optional(key, isMapOfTexts)),
];

export function shovelProblems(name: string, value: Json): string[] {
  const shovel = objectOf(value);
  if (shovel === null) return proplistProblems(name, [], value);
  const isOldSource = shovel['src-protocol'] !== 'amqp10';
  const isOldDestination = shovel['dest-protocol'] !== 'amqp10';
  const has = (key: string): boolean => Object.hasOwn(shovel, key);
  const problems: string[] = [];
  if (isOldSource) {
    if (has('src-exchange') && has('src-queue')) problems.push("Cannot specify 'src-exchange' and 'src-queue'");
    else if (!has('src-exchange') && !has('src-queue')) problems.push("Must specify 'src-exchange' or 'src-queue'");
    const end = shovel['src-delete-after'] ?? shovel['delete-after'];
    if (Number.isInteger(end) && shovel['ack-mode'] === 'no-ack') problems.push("Cannot specify 'no-ack' and numerical 'delete-after'");
  }
  if (isOldDestination && has('dest-exchange') && has('dest-queue')) problems.push("Cannot specify 'dest-exchange' and 'dest-queue'");
  const constraints = [...common, ...(isOldSource ? source091 : source10), ...(isOldDestination ? destination091 : destination10)];
  return [...problems, ...proplistProblems(name, constraints, value)];
}

/** After how many messages a shovel ends. */
function isEnd(name: string, value: Json): string[] {
  if (value === 'never' || value === 'queue-length' || (Number.isInteger(value) && (value as number) >= 0)) return [];
  return [`${name} should be a number greater than or equal to 0, "never" or "queue-length", actually was ${erlangTerm(value)}`];
}
