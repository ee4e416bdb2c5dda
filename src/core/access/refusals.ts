// The texts of refused access, in one place. [RabbitMQ: rabbit_access_control]
import type { BrokerError } from '../broker-error.ts';
import { accessRefused, notAllowed } from '../broker-error.ts';
import type { PermissionKind } from './permissions.ts';
import type { TopicPermissionKind } from './topic-permissions.ts';

export type ResourceKind = 'exchange' | 'queue';

/** The name under which permissions know a resource: the default exchange has one. */
export function resourceName(kind: ResourceKind, name: string): string {
  return kind === 'exchange' && name === '' ? 'amq.default' : name;
}

/** ACCESS_REFUSED: configure access to queue 'q' in vhost '/' refused for user 'u' */
export function resourceRefused(permission: PermissionKind, kind: ResourceKind, name: string, vhost: string, user: string): BrokerError {
  return accessRefused(`${permission} access to ${kind} '${resourceName(kind, name)}' in vhost '${vhost}' refused for user '${user}'`);
}

/** ACCESS_REFUSED: write access to topic 'a.b' in exchange 'amq.topic' in vhost '/' refused for user 'u' */
export function topicRefused(
  permission: TopicPermissionKind,
  routingKey: string,
  exchange: string,
  vhost: string,
  user: string,
): BrokerError {
  return accessRefused(
    `${permission} access to topic '${routingKey}' in exchange '${exchange}' in vhost '${vhost}' refused for user '${user}'`,
  );
}

/** NOT_ALLOWED: access to vhost 'v' refused for user 'u' */
export function vhostRefused(vhost: string, user: string): BrokerError {
  return notAllowed(`access to vhost '${vhost}' refused for user '${user}'`);
}

/** NOT_ALLOWED: access to vhost 'v' refused for user 'u': connection limit (10) is reached */
export function vhostConnectionsRefused(vhost: string, user: string, connectionsMax: number): BrokerError {
  return notAllowed(`access to vhost '${vhost}' refused for user '${user}': connection limit (${connectionsMax}) is reached`);
}

/** NOT_ALLOWED: connection refused for user 'u': user connection limit (10) is reached */
export function userConnectionsRefused(user: string, connectionsMax: number): BrokerError {
  return notAllowed(`connection refused for user '${user}': user connection limit (${connectionsMax}) is reached`);
}

/** NOT_ALLOWED: number of channels opened for user 'u' has reached the maximum allowed user limit of (10) */
export function userChannelsRefused(user: string, channelsMax: number): BrokerError {
  return notAllowed(`number of channels opened for user '${user}' has reached the maximum allowed user limit of (${channelsMax})`);
}
