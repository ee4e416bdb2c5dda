// Everything the HTTP API serves: one line a route, with what a user needs for it. A route that is not here answers 404.
import * as bodies from './bodies.ts';
import * as bindings from './handlers/bindings.ts';
import * as channels from './handlers/channels.ts';
import * as connections from './handlers/connections.ts';
import * as consumers from './handlers/consumers.ts';
import * as delayed from './handlers/delayed.ts';
import * as definitions from './handlers/definitions.ts';
import { eventsPath } from './handlers/events.ts';
import * as exchanges from './handlers/exchanges.ts';
import * as findings from './handlers/findings.ts';
import * as groups from './handlers/groups.ts';
import * as health from './handlers/health.ts';
import * as limits from './handlers/limits.ts';
import * as messages from './handlers/messages.ts';
import * as misc from './handlers/misc.ts';
import * as node from './handlers/node.ts';
import * as nodeControl from './handlers/node-control.ts';
import * as parameters from './handlers/parameters.ts';
import * as permissions from './handlers/permissions.ts';
import * as policies from './handlers/policies.ts';
import * as queues from './handlers/queues.ts';
import * as retained from './handlers/retained.ts';
import * as session from './handlers/session.ts';
import * as topicPermissions from './handlers/topic-permissions.ts';
import * as unroutable from './handlers/unroutable.ts';
import * as users from './handlers/users.ts';
import * as vhosts from './handlers/vhosts.ts';
import { describeApi } from './openapi.ts';
import { ok } from './reply.ts';
import type { BodyDescription, Method, Route, Tag, VhostRule } from './route.ts';

type Handler = Route['handle'];

/** `needs` is the tag, and behind a space what the user must be to the virtual host of the path. */
type Needs = Tag | `${Tag} ${Exclude<VhostRule, 'none'>}`;

function route(
  method: Method,
  path: string,
  needs: Needs,
  permission: string,
  summary: string,
  handle: Handler,
  body: BodyDescription | null = null,
): Route {
  const [tag, vhost = 'none'] = needs.split(' ') as [Tag, VhostRule?];
  return { method, path, tag, vhost, permission, summary, body, takesLargeBody: body === bodies.definitionsBody, handle };
}

const get = (path: string, needs: Needs, summary: string, handle: Handler): Route => route('GET', path, needs, 'none', summary, handle);

const bindingPath = '/api/bindings/:vhost/e/:source/q/:destination';
const exchangeBindingPath = '/api/bindings/:vhost/e/:source/e/:destination';
const bindingPermission = 'write to the destination, read from the source';

export const routes: readonly Route[] = [
  // The node and the cluster
  get('/api/overview', 'management', 'Totals, rates and facts of the broker', node.getOverview),
  get('/api/nodes', 'monitoring', 'The nodes of the cluster', node.listNodes),
  get('/api/nodes/:node', 'monitoring', 'One node', node.getNode),
  get('/api/nodes/:node/memory', 'monitoring', 'Where the memory of a node is', node.getNodeMemory),
  get('/api/nodes/:node/memory/relative', 'monitoring', 'The same in percent', node.getRelativeMemory),
  get('/api/nodes/:node/memory/ets', 'monitoring', "Erlang's tables: none here", node.getEts),
  get('/api/nodes/:node/memory/ets/relative', 'monitoring', "Erlang's tables: none here", node.getEts),
  get('/api/nodes/:node/memory/ets/:filter', 'monitoring', "Erlang's tables: none here", node.getEts),
  get('/api/nodes/:node/memory/ets/:filter/relative', 'monitoring', "Erlang's tables: none here", node.getEts),
  get('/api/nodes/:node/environment', 'administrator', 'The configuration in effect, without secrets', nodeControl.getEnvironment),
  get('/api/nodes/:node/log-levels', 'monitoring', 'Levels of the log, of its outputs and of categories', nodeControl.getLogLevels),
  route(
    'PUT',
    '/api/nodes/:node/log-levels',
    'administrator',
    'none',
    'Sets the level of the log, or of one category',
    nodeControl.putLogLevel,
    bodies.logLevelBody,
  ),
  route(
    'PUT',
    '/api/nodes/:node/memory-watermark',
    'administrator',
    'none',
    'Moves the memory watermark until the next start',
    nodeControl.putMemoryWatermark,
    bodies.memoryWatermarkBody,
  ),
  route(
    'PUT',
    '/api/nodes/:node/disk-free-limit',
    'administrator',
    'none',
    'Moves the limit of free disk space until the next start',
    nodeControl.putDiskFreeLimit,
    bodies.diskFreeLimitBody,
  ),
  route(
    'POST',
    '/api/nodes/:node/actions',
    'administrator',
    'none',
    'Stops and starts serving clients, resets, opens log files anew',
    nodeControl.actOnNode,
    bodies.nodeActionBody,
  ),
  get('/api/cluster-name', 'management', 'The name of the cluster', node.getClusterName),
  route('PUT', '/api/cluster-name', 'administrator', 'none', 'Names the cluster', node.putClusterName, bodies.nameBody),
  get('/api/feature-flags', 'administrator', 'Feature flags; all are on', misc.listFeatureFlags),
  route('PUT', '/api/feature-flags/:name/enable', 'administrator', 'none', 'Does nothing: all are on', misc.enableFeatureFlag),
  get('/api/deprecated-features', 'administrator', 'Deprecated features: none', misc.listNothing),
  get('/api/deprecated-features/used', 'administrator', 'Deprecated features in use: none', misc.listNothing),
  get('/api/extensions', 'management', "Extensions of RabbitMQ's UI", misc.listExtensions),
  get('/api/auth', 'anybody', 'How to log in', misc.getAuthMethods),
  get('/api/auth/attempts/:node', 'monitoring', 'Logins by protocol', node.getAuthAttempts),
  route('DELETE', '/api/auth/attempts/:node', 'monitoring', 'none', 'Sets the counts of logins over HTTP to zero', node.deleteAuthAttempts),
  get('/api/auth/attempts/:node/source', 'monitoring', 'Logins by source: not counted', node.getAuthAttemptsBySource),
  route('DELETE', '/api/auth/attempts/:node/source', 'monitoring', 'none', 'Sets the counts of logins to zero', node.deleteAuthAttempts),
  get('/api/auth/hash_password/:password', 'management', 'The hash of a password, for definitions', users.hashOfPassword),
  route('POST', '/api/auth/check', 'administrator', 'none', 'Whether a password is right', users.checkCredentials, bodies.loginBody),
  route('DELETE', '/api/reset', 'administrator', 'none', 'Forgets statistics', node.resetStatistics),
  route('DELETE', '/api/reset/:node', 'administrator', 'none', 'Forgets statistics of a node', node.resetNodeStatistics),
  route('POST', '/api/rebalance/queues', 'administrator', 'none', 'Does nothing: there is one node', misc.rebalanceQueues),
  get('/api/whoami', 'management', 'Who makes this request', users.whoami),
  route('POST', '/api/login', 'anybody', 'none', 'Begins a session of the web UI', session.logIn, bodies.loginBody),
  route('DELETE', '/api/login', 'anybody', 'none', 'Ends a session of the web UI', session.logOut),
  get(eventsPath, 'management', 'What GET answers for each `watch`, told anew when it changes', call => call.services.events.open(call)),
  get('/api/openapi.json', 'anybody', 'This description', () => ok(describeApi(routes))),

  get('/api/findings', 'management', 'What the broker noticed, in words', findings.listFindings),

  // Definitions
  get('/api/definitions', 'administrator', 'All definitions', definitions.getDefinitions),
  route('POST', '/api/definitions', 'administrator', 'none', 'Imports definitions', definitions.postDefinitions, bodies.definitionsBody),
  get('/api/definitions/:vhost', 'administrator member', 'The definitions of a virtual host', definitions.getVhostDefinitions),
  route(
    'POST',
    '/api/definitions/:vhost',
    'administrator member',
    'none',
    'Imports definitions into a virtual host',
    definitions.postVhostDefinitions,
    bodies.definitionsBody,
  ),
  get('/api/all-configuration', 'administrator', 'All definitions, by an old name', definitions.getDefinitions),
  route(
    'POST',
    '/api/all-configuration',
    'administrator',
    'none',
    'Imports definitions, by an old name',
    definitions.postDefinitions,
    bodies.definitionsBody,
  ),

  // Connections, channels, consumers
  get('/api/connections', 'management', 'Open connections', connections.listConnections),
  get('/api/vhosts/:vhost/connections', 'management member', 'Open connections of a virtual host', connections.listConnectionsOfVhost),
  get('/api/connections/:name', 'management', 'One connection', connections.getConnection),
  route(
    'DELETE',
    '/api/connections/:name',
    'management',
    'own connections; administrators: all',
    'Closes a connection; X-Reason tells the client why',
    connections.deleteConnection,
  ),
  get('/api/connections/username/:username', 'management', 'Connections of a user', connections.listConnectionsOfUser),
  route(
    'DELETE',
    '/api/connections/username/:username',
    'administrator',
    'none',
    'Closes all connections of a user',
    connections.deleteConnectionsOfUser,
  ),
  get('/api/connections/:name/channels', 'management', 'Channels of a connection', channels.listChannelsOfConnection),
  get('/api/connections/:name/sessions', 'management', 'AMQP 1.0 sessions of a connection', channels.listSessionsOfConnection),
  get('/api/channels', 'management', 'Open channels', channels.listChannels),
  get('/api/vhosts/:vhost/channels', 'management member', 'Open channels of a virtual host', channels.listChannelsOfVhost),
  get('/api/channels/:name', 'management', 'One channel', channels.getChannel),
  get('/api/consumers', 'management', 'Consumers', consumers.listConsumers),
  get('/api/consumers/:vhost', 'management member', 'Consumers of a virtual host', consumers.listConsumersOfVhost),

  // Exchanges
  get('/api/exchanges', 'management', 'Exchanges', exchanges.listExchanges),
  get('/api/exchanges/:vhost', 'management member', 'Exchanges of a virtual host', exchanges.listExchangesOfVhost),
  get('/api/exchanges/:vhost/:name', 'management member', 'One exchange', exchanges.getExchange),
  route(
    'PUT',
    '/api/exchanges/:vhost/:name',
    'management member',
    'configure the exchange',
    'Declares an exchange',
    exchanges.putExchange,
    bodies.exchangeBody,
  ),
  route(
    'DELETE',
    '/api/exchanges/:vhost/:name',
    'management member',
    'configure the exchange',
    'Deletes an exchange',
    exchanges.deleteExchange,
  ),
  get('/api/exchanges/:vhost/:name/bindings/source', 'management member', 'Bindings from an exchange', exchanges.listSourceBindings),
  get(
    '/api/exchanges/:vhost/:name/bindings/destination',
    'management member',
    'Bindings to an exchange',
    exchanges.listDestinationBindings,
  ),
  route(
    'POST',
    '/api/exchanges/:vhost/:name/publish',
    'management member',
    'write to the exchange',
    'Publishes a message',
    exchanges.publishToExchange,
    bodies.publishBody,
  ),

  route(
    'POST',
    '/api/exchanges/:vhost/:name/explain',
    'management member',
    'none',
    'Tells what a publish would reach, and by which bindings',
    messages.explainPublish,
    bodies.explainBody,
  ),
  route(
    'GET',
    '/api/exchanges/:vhost/:name/delayed',
    'management member',
    'read from the exchange',
    'Messages that the exchange holds for later, in the order of their release',
    delayed.delayedByExchange.list,
  ),
  route(
    'GET',
    '/api/exchanges/:vhost/:name/delayed/:id',
    'management member',
    'read from the exchange',
    'One message that the exchange holds for later',
    delayed.delayedByExchange.get,
  ),
  route(
    'PUT',
    '/api/exchanges/:vhost/:name/delayed/:id',
    'management member',
    'write to the exchange',
    'Holds a message until another time',
    delayed.delayedByExchange.reschedule,
    bodies.rescheduleBody,
  ),
  route(
    'DELETE',
    '/api/exchanges/:vhost/:name/delayed/:id',
    'management member',
    'write to the exchange',
    'Drops a message that the exchange holds for later',
    delayed.delayedByExchange.cancel,
  ),

  // Queues
  route(
    'GET',
    '/api/mqtt/retained/:vhost',
    'management member',
    'read from the queue amq.mqtt.retained',
    'Retained MQTT messages; the query has topic (a filter), offset and count',
    retained.listRetainedMessages,
  ),
  route(
    'DELETE',
    '/api/mqtt/retained/:vhost',
    'management member',
    'write to the queue amq.mqtt.retained',
    'Forgets the retained MQTT message of the topic that the query has',
    retained.deleteRetainedMessage,
  ),
  get('/api/queues', 'management', 'Queues', queues.listQueues),
  get('/api/queues/detailed', 'management', 'Queues with all there is to know', queues.listQueues),
  get('/api/queues/:vhost', 'management member', 'Queues of a virtual host', queues.listQueuesOfVhost),
  get('/api/queues/:vhost/:name', 'management member', 'One queue', queues.getQueue),
  route(
    'PUT',
    '/api/queues/:vhost/:name',
    'management member',
    'configure the queue',
    'Declares a queue',
    queues.putQueue,
    bodies.queueBody,
  ),
  route('DELETE', '/api/queues/:vhost/:name', 'management member', 'configure the queue', 'Deletes a queue', queues.deleteQueue),
  route(
    'POST',
    '/api/queues/:vhost/:name/shape',
    'management member',
    'configure the queue',
    'Gives a queue another type or other arguments, with all that is in it',
    queues.reshapeQueue,
    bodies.shapeBody,
  ),
  get('/api/queues/:vhost/:name/bindings', 'management member', 'Bindings to a queue', queues.listQueueBindings),
  route(
    'DELETE',
    '/api/queues/:vhost/:name/contents',
    'management member',
    'read from the queue',
    'Drops all ready messages',
    queues.purgeQueue,
  ),
  route(
    'POST',
    '/api/queues/:vhost/:name/get',
    'management member',
    'read from the queue',
    'Takes messages, and puts them back if told so',
    queues.getFromQueue,
    bodies.getBody,
  ),
  route(
    'POST',
    '/api/queues/:vhost/:name/actions',
    'management member',
    'none',
    'Does nothing: there are no mirrors',
    queues.actOnQueue,
    bodies.actionBody,
  ),
  route(
    'GET',
    '/api/queues/:vhost/:name/messages',
    'management member',
    'read from the queue',
    'Shows messages without taking them',
    messages.listMessages,
  ),
  route(
    'DELETE',
    '/api/queues/:vhost/:name/messages/:id',
    'management member',
    'read from the queue',
    'Deletes one ready message',
    messages.deleteMessage,
  ),
  route(
    'POST',
    '/api/queues/:vhost/:name/move',
    'management member',
    'read from the queue, write to the destination',
    'Moves messages to another queue or exchange',
    messages.moveFromQueue,
    bodies.moveBody,
  ),
  route(
    'POST',
    '/api/queues/:vhost/:name/redrive',
    'management member',
    'read from the queue, write to the queues that the messages came from',
    'Sends dead letters back to the queues in which they died',
    messages.redriveFromQueue,
    bodies.redriveBody,
  ),
  route(
    'GET',
    '/api/queues/:vhost/:name/delayed',
    'management member',
    'read from the queue',
    'Rejected messages that wait to be tried again, in the order in which they come back',
    delayed.delayedByQueue.list,
  ),
  route(
    'GET',
    '/api/queues/:vhost/:name/delayed/:id',
    'management member',
    'read from the queue',
    'One message that waits to be tried again',
    delayed.delayedByQueue.get,
  ),
  route(
    'PUT',
    '/api/queues/:vhost/:name/delayed/:id',
    'management member',
    'read from the queue',
    'Lets a message that waits be tried again at another time',
    delayed.delayedByQueue.reschedule,
    bodies.rescheduleBody,
  ),
  route(
    'DELETE',
    '/api/queues/:vhost/:name/delayed/:id',
    'management member',
    'read from the queue',
    'Drops a message that waits to be tried again',
    delayed.delayedByQueue.cancel,
  ),
  route(
    'GET',
    '/api/queues/:vhost/:name/groups',
    'management member',
    'read from the queue',
    'Message groups: their keys, what they have, and who works on them',
    groups.listGroups,
  ),
  route(
    'POST',
    '/api/queues/:vhost/:name/groups/park',
    'management member',
    'read from the queue',
    'Stops a message group',
    groups.parkGroup,
    bodies.groupBody,
  ),
  route(
    'POST',
    '/api/queues/:vhost/:name/groups/unpark',
    'management member',
    'read from the queue',
    'Lets parked message groups go on',
    groups.unparkGroups,
    bodies.groupBody,
  ),

  // Bindings
  get('/api/bindings', 'management', 'Bindings', bindings.listBindings),
  get('/api/bindings/:vhost', 'management member', 'Bindings of a virtual host', bindings.listBindingsOfVhost),
  ...[bindingPath, exchangeBindingPath].flatMap(path => [
    get(path, 'management member', 'Bindings between an exchange and a queue or exchange', bindings.listBindingsBetween),
    route('POST', path, 'management member', bindingPermission, 'Binds', bindings.postBinding, bodies.bindingBody),
    get(`${path}/:props`, 'management member', 'One binding, by its properties key', bindings.getBinding),
    route('DELETE', `${path}/:props`, 'management member', bindingPermission, 'Unbinds', bindings.deleteBinding),
  ]),

  // Virtual hosts
  get('/api/vhosts', 'management', 'Virtual hosts', vhosts.listVhosts),
  get('/api/vhosts/:vhost', 'administrator', 'One virtual host', vhosts.getVhost),
  route('PUT', '/api/vhosts/:vhost', 'administrator', 'none', 'Makes or changes a virtual host', vhosts.putVhost, bodies.vhostBody),
  route('DELETE', '/api/vhosts/:vhost', 'administrator', 'none', 'Deletes a virtual host with all it holds', vhosts.deleteVhost),
  route(
    'POST',
    '/api/vhosts/:vhost/deletion/protection',
    'administrator',
    'none',
    'Protects a virtual host from deletion',
    vhosts.protectVhost,
  ),
  route('DELETE', '/api/vhosts/:vhost/deletion/protection', 'administrator', 'none', 'Takes the protection away', vhosts.unprotectVhost),
  route('POST', '/api/vhosts/:vhost/start/:node', 'administrator', 'none', 'Does nothing: virtual hosts are always up', vhosts.startVhost),
  get('/api/vhosts/:vhost/permissions', 'administrator', 'Permissions in a virtual host', permissions.listPermissionsOfVhost),
  get(
    '/api/vhosts/:vhost/topic-permissions',
    'administrator',
    'Topic permissions in a virtual host',
    topicPermissions.listTopicPermissionsOfVhost,
  ),

  route(
    'GET',
    '/api/vhosts/:vhost/unroutable',
    'management member',
    'read from the exchange of each message',
    'The last messages that reached no queue, newest first',
    unroutable.listUnroutable,
  ),
  route('DELETE', '/api/vhosts/:vhost/unroutable', 'administrator member', 'none', 'Forgets them', unroutable.clearUnroutable),

  // Users and permissions
  get('/api/users', 'administrator', 'Users', users.listUsers),
  get('/api/users/without-permissions', 'administrator', 'Users that can enter no virtual host', users.listUsersWithoutPermissions),
  route('POST', '/api/users/bulk-delete', 'administrator', 'none', 'Deletes users', users.deleteUsers, bodies.usersBody),
  get('/api/users/:user', 'administrator', 'One user', users.getUser),
  route('PUT', '/api/users/:user', 'administrator', 'none', 'Makes or changes a user', users.putUser, bodies.userBody),
  route('DELETE', '/api/users/:user', 'administrator', 'none', 'Deletes a user', users.deleteUser),
  get('/api/users/:user/queues', 'administrator', 'Exclusive queues of the connections of a user', queues.listQueuesOfUser),
  get('/api/users/:user/permissions', 'administrator', 'Permissions of a user', permissions.listPermissionsOfUser),
  get('/api/users/:user/topic-permissions', 'administrator', 'Topic permissions of a user', topicPermissions.listTopicPermissionsOfUser),
  get('/api/permissions', 'administrator', 'Permissions', permissions.listPermissions),
  get('/api/permissions/:vhost/:user', 'administrator', 'Permission of a user in a virtual host', permissions.getPermission),
  route('PUT', '/api/permissions/:vhost/:user', 'administrator', 'none', 'Permits', permissions.putPermission, bodies.permissionBody),
  route('DELETE', '/api/permissions/:vhost/:user', 'administrator', 'none', 'Takes a permission away', permissions.deletePermission),
  get('/api/topic-permissions', 'administrator', 'Topic permissions', topicPermissions.listTopicPermissions),
  get(
    '/api/topic-permissions/:vhost/:user',
    'administrator',
    'Topic permissions of a user in a virtual host',
    topicPermissions.getTopicPermissions,
  ),
  route(
    'PUT',
    '/api/topic-permissions/:vhost/:user',
    'administrator',
    'none',
    'Permits routing keys',
    topicPermissions.putTopicPermission,
    bodies.topicPermissionBody,
  ),
  route(
    'DELETE',
    '/api/topic-permissions/:vhost/:user',
    'administrator',
    'none',
    'Takes topic permissions away',
    topicPermissions.deleteTopicPermissions,
  ),
  route(
    'DELETE',
    '/api/topic-permissions/:vhost/:user/:exchange',
    'administrator',
    'none',
    'Takes a topic permission away',
    topicPermissions.deleteTopicPermission,
  ),

  // Limits
  get('/api/vhost-limits', 'management', 'Limits of virtual hosts', limits.listVhostLimits),
  get('/api/vhost-limits/:vhost', 'management observer', 'Limits of a virtual host', limits.listLimitsOfVhost),
  route('PUT', '/api/vhost-limits/:vhost/:name', 'administrator', 'none', 'Limits a virtual host', limits.putVhostLimit, bodies.limitBody),
  route('DELETE', '/api/vhost-limits/:vhost/:name', 'administrator', 'none', 'Takes a limit away', limits.deleteVhostLimit),
  get('/api/user-limits', 'management', 'Limits of users', limits.listUserLimits),
  get('/api/user-limits/:user', 'management', 'Limits of a user', limits.listLimitsOfUser),
  route('PUT', '/api/user-limits/:user/:name', 'administrator', 'none', 'Limits a user', limits.putUserLimit, bodies.limitBody),
  route('DELETE', '/api/user-limits/:user/:name', 'administrator', 'none', 'Takes a limit away', limits.deleteUserLimit),

  // Parameters and policies
  get('/api/parameters', 'policymaker', 'Parameters', parameters.listParameters),
  get('/api/parameters/:component', 'policymaker', 'Parameters of a component', parameters.listParametersOfComponent),
  get(
    '/api/parameters/:component/:vhost',
    'policymaker member',
    'Parameters of a component in a virtual host',
    parameters.listParametersOfVhost,
  ),
  get('/api/parameters/:component/:vhost/:name', 'policymaker member', 'One parameter', parameters.getParameter),
  route(
    'PUT',
    '/api/parameters/:component/:vhost/:name',
    'policymaker member',
    'none',
    'Sets a parameter',
    parameters.putParameter,
    bodies.valueBody,
  ),
  route(
    'DELETE',
    '/api/parameters/:component/:vhost/:name',
    'policymaker member',
    'none',
    'Deletes a parameter',
    parameters.deleteParameter,
  ),
  get('/api/global-parameters', 'policymaker', 'Global parameters', parameters.listGlobalParameters),
  get('/api/global-parameters/:name', 'policymaker', 'One global parameter', parameters.getGlobalParameter),
  route(
    'PUT',
    '/api/global-parameters/:name',
    'policymaker',
    'none',
    'Sets a global parameter',
    parameters.putGlobalParameter,
    bodies.valueBody,
  ),
  route('DELETE', '/api/global-parameters/:name', 'policymaker', 'none', 'Deletes a global parameter', parameters.deleteGlobalParameter),
  get('/api/policies', 'management', 'Policies', policies.listPolicies),
  get('/api/policies/:vhost', 'management member', 'Policies of a virtual host', policies.listPoliciesOfVhost),
  get('/api/policies/:vhost/:name', 'policymaker member', 'One policy', policies.getPolicy),
  route(
    'PUT',
    '/api/policies/:vhost/:name',
    'policymaker member',
    'none',
    'Makes or changes a policy',
    policies.putPolicy,
    bodies.policyBody,
  ),
  route('DELETE', '/api/policies/:vhost/:name', 'policymaker member', 'none', 'Deletes a policy', policies.deletePolicy),
  get('/api/operator-policies', 'management', 'Operator policies', policies.listPolicies),
  get('/api/operator-policies/:vhost', 'management member', 'Operator policies of a virtual host', policies.listPoliciesOfVhost),
  get('/api/operator-policies/:vhost/:name', 'policymaker member', 'One operator policy', policies.getPolicy),
  route(
    'PUT',
    '/api/operator-policies/:vhost/:name',
    'administrator',
    'none',
    'Makes or changes an operator policy',
    policies.putPolicy,
    bodies.policyBody,
  ),
  route('DELETE', '/api/operator-policies/:vhost/:name', 'administrator', 'none', 'Deletes an operator policy', policies.deletePolicy),

  // Health
  get('/api/aliveness-test', 'management', 'Whether the broker works', health.checkAlivenessOfDefault),
  get('/api/aliveness-test/:vhost', 'management member', 'Whether a virtual host works', health.checkAliveness),
  get('/api/healthchecks/node', 'management', 'Whether the node works, the old way', health.checkNodeHealth),
  get('/api/healthchecks/node/:node', 'management', 'Whether the node works, the old way', health.checkNodeHealth),
  get('/api/health/checks/alarms', 'management', '503 while an alarm is in effect', health.checkAlarms),
  get('/api/health/checks/local-alarms', 'management', '503 while an alarm is in effect on this node', health.checkAlarms),
  get(
    '/api/health/checks/certificate-expiration/:within/:unit',
    'management',
    '503 when a certificate ends within a time',
    health.checkCertificates,
  ),
  get('/api/health/checks/port-listener/:port', 'management', '503 without a listener on the port', health.checkPort),
  get('/api/health/checks/protocol-listener/:protocols', 'management', '503 without a listener of each protocol', health.checkProtocols),
  get('/api/health/checks/virtual-hosts', 'management', '503 when a virtual host is down', health.checkVhosts),
  get('/api/health/checks/node-is-quorum-critical', 'management', 'Whether quorum queues can do without the node', health.checkQuorum),
  get('/api/health/checks/node-is-mirror-sync-critical', 'management', 'Of the past: there are no mirrors', health.checkQuorum),
  get('/api/health/checks/is-in-service', 'management', '503 while the node is being drained', health.checkInService),
  get(
    '/api/health/checks/below-node-connection-limit',
    'management',
    '503 when no more connections are taken',
    health.checkConnectionLimit,
  ),
  get('/api/health/checks/ready-to-serve-clients', 'management', '503 while clients cannot connect', health.checkReady),

  // What has no meaning here, or none yet
  get('/api/federation-links', 'monitoring', 'Federation links: none', misc.listNothing),
  get('/api/federation-links/:vhost', 'monitoring', 'Federation links of a virtual host: none', misc.listNothingOfVhost),
  get('/api/shovels', 'monitoring', 'Shovels: none', misc.listNothing),
  get('/api/shovels/:vhost', 'monitoring', 'Shovels of a virtual host: none', misc.listNothingOfVhost),
  get('/api/traces', 'administrator', 'Trace logs: none', misc.listNothing),
  get('/api/traces/:vhost', 'administrator', 'Trace logs of a virtual host: none', misc.listNothingOfVhost),
  get('/api/trace-files', 'administrator', 'Files of traces: none', misc.listNothing),
  get('/api/stream/connections', 'management', 'Connections of the stream protocol: none', misc.listNothing),
  get('/api/stream/connections/:vhost', 'management member', 'Connections of the stream protocol: none', misc.listNothingOfVhost),
  get('/api/stream/connections/:vhost/:name', 'management member', 'One connection of the stream protocol', misc.findNothing),
  route(
    'DELETE',
    '/api/stream/connections/:vhost/:name',
    'management member',
    'none',
    'Closes a connection of the stream protocol',
    misc.findNothing,
  ),
  get('/api/stream/connections/:vhost/:name/publishers', 'management member', 'Publishers of the stream protocol', misc.findNothing),
  get('/api/stream/connections/:vhost/:name/consumers', 'management member', 'Consumers of the stream protocol', misc.findNothing),
  get('/api/stream/publishers', 'management', 'Publishers of the stream protocol: none', misc.listNothing),
  get('/api/stream/publishers/:vhost', 'management member', 'Publishers of the stream protocol: none', misc.listNothingOfVhost),
  get('/api/stream/publishers/:vhost/:stream', 'management member', 'Publishers of a stream: none', misc.listNothingOfVhost),
  get('/api/stream/consumers', 'management', 'Consumers of the stream protocol: none', misc.listNothing),
  get('/api/stream/consumers/:vhost', 'management member', 'Consumers of the stream protocol: none', misc.listNothingOfVhost),
];
