import { PatternError } from '../../../core/access/pattern.ts';
import type { Permission } from '../../../core/access/permissions.ts';
import type { ApiCall } from '../api-call.ts';
import { requireKeys, textOf } from '../json-body.ts';
import { list, type Listing, single } from '../listing.ts';
import { badRequest, createdOrThere, type JsonObject, noContent, notFound, type Reply } from '../reply.ts';
import { userOf } from './users.ts';

const listing: Listing<Permission> = { keys: { vhost: each => each.vhost, user: each => each.user }, view: permissionView };

export function listPermissions(call: ApiCall): Promise<Reply> {
  return list(call, call.core.access.permissions(), listing);
}

export function listPermissionsOfVhost(call: ApiCall): Promise<Reply> {
  return list(call, call.core.access.permissions({ vhost: call.vhost().name }), listing);
}

export function listPermissionsOfUser(call: ApiCall): Promise<Reply> {
  return list(call, call.core.access.permissions({ user: userOf(call).name }), listing);
}

export function getPermission(call: ApiCall): Reply {
  return single(call, permissionView(permissionOf(call)));
}

export function putPermission(call: ApiCall): Reply {
  const { user, vhost } = target(call);
  requireKeys(call.body, ['configure', 'write', 'read']);
  const { access } = call.core;
  const isNew = access.permissionOf(user, vhost) === undefined;
  withPatterns(() =>
    access.putPermission({
      user,
      vhost,
      configure: textOf(call.body, 'configure'),
      write: textOf(call.body, 'write'),
      read: textOf(call.body, 'read'),
    }),
  );
  return createdOrThere(isNew);
}

export function deletePermission(call: ApiCall): Reply {
  const { user, vhost } = permissionOf(call);
  call.core.access.deletePermission(user, vhost);
  return noContent;
}

/** User and virtual host of the path, both of which must exist. @throws HttpError 400 */
export function target(call: ApiCall): { readonly user: string; readonly vhost: string } {
  const user = call.parameter('user');
  const vhost = call.parameter('vhost');
  if (call.core.access.user(user) === undefined || !call.core.vhosts.has(vhost)) throw badRequest('vhost_or_user_not_found');
  return { user, vhost };
}

/** Tells what is wrong with a regular expression. */
export function withPatterns(put: () => void): void {
  try {
    put();
  } catch (error) {
    if (error instanceof PatternError) throw badRequest(['invalid_regexp', error.source, error.reason]);
    throw error;
  }
}

function permissionOf(call: ApiCall): Permission {
  const permission = call.core.access.permissionOf(call.parameter('user'), call.parameter('vhost'));
  if (permission === undefined) throw notFound();
  return permission;
}

function permissionView({ user, vhost, configure, write, read }: Permission): JsonObject {
  return { user, vhost, configure, write, read };
}
