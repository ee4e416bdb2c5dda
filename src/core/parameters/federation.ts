// What federation may be told, by parameters: kept for those who move, read by nothing yet. [RabbitMQ docs: federation reference]
import type { Json } from '../../base/field-table.ts';
import { uriProblems } from './amqp-uri.ts';
import { type Constraint, isFlag, isList, isNumber, isOneOf, isText, mandatory, optional, proplistProblems } from './proplist.ts';

/** What an upstream says, and a member of a set of them in its place. */
const shared: readonly Constraint[] = [
  optional('exchange', isText),
  optional('queue', isText),
  optional('consumer-tag', isText),
  optional('prefetch-count', isNumber),
  optional('reconnect-delay', isNumber),
  optional('max-hops', isNumber),
  optional('expires', isNumber),
  optional('message-ttl', isNumber),
  optional('trust-user-id', isFlag),
  optional('ack-mode', isOneOf('no-ack', 'on-publish', 'on-confirm')),
  optional('resource-cleanup-mode', isOneOf('default', 'never')),
  optional('queue-type', isOneOf('classic', 'quorum')),
  optional('bind-nowait', isFlag),
  optional('channel-use-mode', isOneOf('multiple', 'single')),
  optional('ha-policy', isText),
];
const upstream: readonly Constraint[] = [mandatory('uri', uriProblems), ...shared];
const member: readonly Constraint[] = [mandatory('upstream', isText), ...shared];

export function upstreamProblems(name: string, value: Json): string[] {
  return proplistProblems(name, upstream, value);
}

export function upstreamSetProblems(name: string, value: Json): readonly string[] {
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return [];
  const problems = isList(name, value);
  return problems.length > 0 ? problems : (value as Json[]).flatMap(each => proplistProblems(name, member, each));
}
