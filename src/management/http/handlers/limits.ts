import type { UserLimits } from '../../../core/access/user.ts';
import type { Json } from '../../../base/field-table.ts';
import { erlangTerm } from '../../../core/definitions/erlang-term.ts';
import type { ApiCall } from '../api-call.ts';
import { requireKeys } from '../json-body.ts';
import { list } from '../listing.ts';
import { badRequest, type JsonObject, noContent, notFound, type Reply } from '../reply.ts';
import { userLimitsView } from '../views/user-view.ts';
import { isMonitor } from '../api-user.ts';
import { isObserver } from '../authorize.ts';

const vhostLimits = 'vhost-limits';

interface Limits {
  readonly owner: string;
  readonly value: JsonObject;
}

export function listVhostLimits(call: ApiCall): Promise<Reply> {
  const visible = [...call.observedVhosts()].map(({ name }) => name);
  return listOf(call, 'vhost', vhostLimitsOf(call, visible));
}

export function listLimitsOfVhost(call: ApiCall): Promise<Reply> {
  return listOf(call, 'vhost', vhostLimitsOf(call, [call.vhost().name]));
}

function* vhostLimitsOf(call: ApiCall, vhosts: readonly string[]): Iterable<Limits> {
  for (const vhost of vhosts) {
    for (const { value } of call.core.parameters.list({ vhost, component: vhostLimits })) {
      if (isObserver(call.user, call.core.access, vhost)) yield { owner: vhost, value: value as JsonObject };
    }
  }
}

export function putVhostLimit(call: ApiCall): Reply {
  const vhost = call.vhost();
  requireKeys(call.body, ['value']);
  call.core.parameters.putVhostLimit(vhost.name, call.parameter('name'), call.body['value'] as Json);
  return noContent;
}

export function deleteVhostLimit(call: ApiCall): Reply {
  call.core.parameters.deleteVhostLimit(call.vhost().name, call.parameter('name'));
  return noContent;
}

export function listUserLimits(call: ApiCall): Promise<Reply> {
  return listOf(call, 'user', userLimitsOf(call, null));
}

export function listLimitsOfUser(call: ApiCall): Promise<Reply> {
  const user = call.parameter('user');
  if (call.core.access.user(user) === undefined) throw notFound();
  return listOf(call, 'user', userLimitsOf(call, user));
}

/** RabbitMQ shows everyone's to every user of the API; here other users' are for those who may see all of the node. */
function* userLimitsOf(call: ApiCall, only: string | null): Iterable<Limits> {
  const seesAll = isMonitor(call.user);
  for (const { name, limits } of call.core.access.users()) {
    if (!seesAll && name !== call.user.name) continue;
    const value = userLimitsView(limits);
    if ((only === null || only === name) && Object.keys(value).length > 0) yield { owner: name, value };
  }
}

export function putUserLimit(call: ApiCall): Reply {
  const { access } = call.core;
  const name = call.parameter('name');
  const user = access.user(call.parameter('user'));
  if (user === undefined) throw badRequest(['no_such_user', call.parameter('user')]);
  requireKeys(call.body, ['value']);
  const value = call.body['value'] as Json;
  const key = limitKey(name);
  if (key === null) throw badRequest(`Unrecognised terms [{<<"${name}">>,${erlangTerm(value)}}] in user-limits`);
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw badRequest(`${name} should be a number, actually was ${erlangTerm(value)}`);
  access.setUserLimits(user.name, { ...user.limits, [key]: value });
  return noContent;
}

export function deleteUserLimit(call: ApiCall): Reply {
  const { access } = call.core;
  const user = access.user(call.parameter('user'));
  if (user === undefined) throw badRequest(['no_such_user', call.parameter('user')]);
  const key = limitKey(call.parameter('name'));
  if (key !== null && user.limits[key] !== null) access.setUserLimits(user.name, { ...user.limits, [key]: null });
  return noContent;
}

function limitKey(name: string): keyof UserLimits | null {
  if (name === 'max-connections') return 'maxConnections';
  return name === 'max-channels' ? 'maxChannels' : null;
}

function listOf(call: ApiCall, ownerKey: 'vhost' | 'user', limits: Iterable<Limits>): Promise<Reply> {
  return list(call, limits, {
    keys: { [ownerKey]: each => each.owner },
    view: each => ({ [ownerKey]: each.owner, value: each.value }),
  });
}
