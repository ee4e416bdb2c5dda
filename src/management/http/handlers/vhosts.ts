import { parseTags } from '../../../core/access/user.ts';
import type { Vhost } from '../../../core/vhost.ts';
import type { ApiCall } from '../api-call.ts';
import { booleanOf } from '../json-body.ts';
import { list, single } from '../listing.ts';
import { badRequest, createdOrThere, HttpError, noContent, notFound, type Reply } from '../reply.ts';
import { noRanges, sampleRangesOf } from '../sample-ranges.ts';
import { vhostStatisticsView } from '../views/vhost-view.ts';

const nameBytesMax = 255;

export function listVhosts(call: ApiCall): Promise<Reply> {
  const ranges = sampleRangesOf(call.query);
  return list(call, call.observedVhosts(), {
    keys: { name: vhost => vhost.name },
    name: vhost => vhost.name,
    view: vhost => vhostStatisticsView(call.services, vhost, ranges),
  });
}

export function getVhost(call: ApiCall): Reply {
  return single(call, vhostStatisticsView(call.services, vhostOf(call), call.query.size === 0 ? noRanges : sampleRangesOf(call.query)));
}

export function putVhost(call: ApiCall): Reply {
  const { body, core } = call;
  const name = call.parameter('vhost');
  if (Buffer.byteLength(name) > nameBytesMax) throw badRequest(`the name of a virtual host is at most ${nameBytesMax} bytes long`);
  const isNew = !core.vhosts.has(name);
  const metadata = typeof body['metadata'] === 'object' && body['metadata'] !== null ? (body['metadata'] as Record<string, unknown>) : {};
  const given = (key: string): unknown => (Object.hasOwn(body, key) ? body[key] : Object.hasOwn(metadata, key) ? metadata[key] : undefined);
  const isProtected = given('protected_from_deletion');
  const vhost = core.addVhost({
    name,
    description: textOrEmpty(given('description'), 'description'),
    tags: tagsOf(given('tags')),
    defaultQueueType: queueTypeOf(call, given('default_queue_type')),
    ...(Object.hasOwn(body, 'tracing') ? { isTracing: booleanOf(body, 'tracing', false) } : {}),
    ...(isProtected === undefined ? {} : { isProtectedFromDeletion: isProtected === true || isProtected === 'true' }),
  });
  if (isNew) grantToCreator(call, vhost);
  return createdOrThere(isNew);
}

/** Who makes a virtual host may use it. [RabbitMQ: rabbit_mgmt_wm_vhost] */
function grantToCreator(call: ApiCall, vhost: Vhost): void {
  if (call.user.isLocal || call.core.access.user(call.user.name) === undefined) return;
  call.core.access.putPermission({ user: call.user.name, vhost: vhost.name, configure: '.*', write: '.*', read: '.*' });
}

export async function deleteVhost(call: ApiCall): Promise<Reply> {
  const vhost = vhostOf(call);
  if (vhost.isProtectedFromDeletion) throw new HttpError(412, 'precondition_failed', `cannot delete protected vhost '${vhost.name}'`);
  call.core.turn.begin();
  const { promise, resolve } = Promise.withResolvers<void>();
  call.core.deleteVhost(vhost.name, resolve);
  await promise;
  return noContent;
}

export function protectVhost(call: ApiCall): Reply {
  return setProtection(call, true);
}

export function unprotectVhost(call: ApiCall): Reply {
  return setProtection(call, false);
}

function setProtection(call: ApiCall, isProtectedFromDeletion: boolean): Reply {
  const { name, description, tags, defaultQueueType } = vhostOf(call);
  call.core.addVhost({ name, description, tags, defaultQueueType, isProtectedFromDeletion });
  return noContent;
}

/** Virtual hosts are always up. */
export function startVhost(call: ApiCall): Reply {
  const node = call.parameter('node');
  if (node !== call.nodeName) throw badRequest(`Request to node ${node} failed with nodedown`);
  const name = call.parameter('vhost');
  if (!call.core.vhosts.has(name)) throw badRequest(`Request to node ${node} failed with {no_such_vhost,<<"${name}">>}`);
  return noContent;
}

function vhostOf(call: ApiCall): Vhost {
  const vhost = call.core.vhosts.get(call.parameter('vhost'));
  if (vhost === undefined) throw notFound();
  return vhost;
}

function textOrEmpty(value: unknown, key: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw badRequest(['not_string', key]);
}

function tagsOf(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return parseTags(value);
  if (Array.isArray(value) && value.every(tag => typeof tag === 'string')) return parseTags(value);
  throw badRequest('tags should be a string or a list of strings');
}

function queueTypeOf(call: ApiCall, value: unknown): string | null {
  if (value === undefined || value === null || value === '' || value === 'undefined') return null;
  if (typeof value === 'string' && call.core.queueTypes.has(value)) return value;
  throw badRequest(`Unsupported default queue type '${typeof value === 'string' ? value : JSON.stringify(value)}'`);
}
