import type { TopicPermission } from '../../../core/access/topic-permissions.ts';
import type { ApiCall } from '../api-call.ts';
import { requireKeys, textOf } from '../json-body.ts';
import { list, type Listing } from '../listing.ts';
import { createdOrThere, type JsonObject, noContent, notFound, type Reply } from '../reply.ts';
import { target, withPatterns } from './permissions.ts';
import { userOf } from './users.ts';

const listing: Listing<TopicPermission> = {
  keys: { vhost: each => each.vhost, user: each => each.user, exchange: each => each.exchange },
  view: topicPermissionView,
};

export function listTopicPermissions(call: ApiCall): Promise<Reply> {
  return list(call, call.core.access.topicPermissions(), listing);
}

export function listTopicPermissionsOfVhost(call: ApiCall): Promise<Reply> {
  return list(call, call.core.access.topicPermissions({ vhost: call.vhost().name }), listing);
}

export function listTopicPermissionsOfUser(call: ApiCall): Promise<Reply> {
  return list(call, call.core.access.topicPermissions({ user: userOf(call).name }), listing);
}

/** All of one user in one virtual host. */
export function getTopicPermissions(call: ApiCall): Promise<Reply> {
  const filter = { user: call.parameter('user'), vhost: call.parameter('vhost') };
  const permissions = call.core.access.topicPermissions(filter);
  if (permissions.length === 0) throw notFound();
  return list(call, permissions, listing);
}

export function putTopicPermission(call: ApiCall): Reply {
  const { user, vhost } = target(call);
  requireKeys(call.body, ['exchange', 'write', 'read']);
  const { access } = call.core;
  const exchange = textOf(call.body, 'exchange');
  const isNew = access.topicPermissions({ user, vhost }).length === 0;
  withPatterns(() =>
    access.putTopicPermission({ user, vhost, exchange, write: textOf(call.body, 'write'), read: textOf(call.body, 'read') }),
  );
  return createdOrThere(isNew);
}

export function deleteTopicPermissions(call: ApiCall): Reply {
  return remove(call, null);
}

export function deleteTopicPermission(call: ApiCall): Reply {
  return remove(call, call.parameter('exchange'));
}

/** One exchange more or less is nothing that is missing, as long as the user has permissions of this kind in the virtual host. */
function remove(call: ApiCall, exchange: string | null): Reply {
  const { access } = call.core;
  const filter = { user: call.parameter('user'), vhost: call.parameter('vhost') };
  if (access.topicPermissions(filter).length === 0) throw notFound();
  access.deleteTopicPermissions(filter.user, filter.vhost, exchange);
  return noContent;
}

function topicPermissionView({ user, vhost, exchange, write, read }: TopicPermission): JsonObject {
  return { user, vhost, exchange, write, read };
}
