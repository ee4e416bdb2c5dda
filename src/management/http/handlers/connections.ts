import type { ConnectionInfo } from '../../../core/connection-registry.ts';
import type { ApiCall } from '../api-call.ts';
import { isMonitor, isAdministrator } from '../api-user.ts';
import { list, type Listing, single } from '../listing.ts';
import { type JsonObject, noContent, notAuthorised, notFound, type Reply } from '../reply.ts';
import { sampleRangesOf } from '../sample-ranges.ts';
import { connectionView } from '../views/connection-view.ts';

const keys: Listing<ConnectionInfo>['keys'] = {
  vhost: connection => connection.vhostName,
  name: connection => connection.name,
  user: connection => connection.user,
  recv_oct: connection => connection.receivedBytes,
  send_oct: connection => connection.sentBytes,
};

export function listConnections(call: ApiCall): Promise<Reply> {
  return listOf(call, visibleConnections(call));
}

export function listConnectionsOfVhost(call: ApiCall): Promise<Reply> {
  const vhost = call.vhost();
  return listOf(
    call,
    filtered(visibleConnections(call), connection => connection.vhostName === vhost.name),
  );
}

function listOf(call: ApiCall, connections: Iterable<ConnectionInfo>): Promise<Reply> {
  const ranges = sampleRangesOf(call.query);
  const withStatistics = !call.flag('disable_stats', call.services.settings.management.disableStats);
  return list(call, connections, {
    keys,
    name: connection => connection.name,
    view: connection => connectionView(call.services, connection, ranges, withStatistics),
  });
}

/** The connections of one user; few facts of each. */
export function listConnectionsOfUser(call: ApiCall): Promise<Reply> {
  const username = call.parameter('username');
  const view = (connection: ConnectionInfo): JsonObject => ({
    name: connection.name,
    node: call.nodeName,
    user: connection.user,
    vhost: connection.vhostName,
  });
  return list(
    call,
    filtered(visibleConnections(call), connection => connection.user === username),
    { keys, view },
  );
}

export function getConnection(call: ApiCall): Reply {
  return single(call, connectionView(call.services, connectionOf(call), sampleRangesOf(call.query), true));
}

export function deleteConnection(call: ApiCall): Reply {
  close(call, connectionOf(call));
  return noContent;
}

export function deleteConnectionsOfUser(call: ApiCall): Reply {
  const username = call.parameter('username');
  for (const connection of filtered(visibleConnections(call), each => each.user === username)) close(call, connection);
  return noContent;
}

function close(call: ApiCall, connection: ConnectionInfo): void {
  const reason = call.header('x-reason') ?? 'Closed via management plugin';
  // The reason goes into a short string of the protocol.
  const text = Buffer.from(`CONNECTION_FORCED - ${reason}`).length > 255 ? reason.slice(0, 70) : reason;
  connection.close('CONNECTION_FORCED', text);
}

/** Monitors see all connections, others their own. */
export function visibleConnections(call: ApiCall): Iterable<ConnectionInfo> {
  const { connections } = call.core;
  const open = filtered({ [Symbol.iterator]: () => connections[Symbol.iterator]() }, connection => connection.vhostName !== '');
  return isMonitor(call.user) ? open : filtered(open, connection => connection.user === call.user.name);
}

/** The connection of the path. @throws HttpError 404, 401 for somebody else's */
export function connectionOf(call: ApiCall): ConnectionInfo {
  const name = call.parameter('name');
  for (const connection of call.core.connections) {
    if (connection.name !== name) continue;
    refuseStranger(call, connection);
    return connection;
  }
  throw notFound();
}

/** Others' connections, and what is in them, are for monitors to see and for administrators to change. @throws HttpError 401 */
export function refuseStranger(call: ApiCall, connection: ConnectionInfo): void {
  if (connection.user === call.user.name) return;
  const isAllowed = call.route.method === 'GET' ? isMonitor(call.user) : isAdministrator(call.user);
  if (!isAllowed) throw notAuthorised('User not authorised to access object');
}

function* filtered<Item>(items: Iterable<Item>, isWanted: (item: Item) => boolean): Iterable<Item> {
  for (const item of items) if (isWanted(item)) yield item;
}
