// The node and the cluster: a line for each route.
import * as bodies from '../bodies.ts';
import * as findings from '../handlers/findings.ts';
import * as misc from '../handlers/misc.ts';
import * as node from '../handlers/node.ts';
import * as session from '../handlers/session.ts';
import * as users from '../handlers/users.ts';
import * as nodeControl from '../handlers/node-control.ts';
import { eventsPath } from '../handlers/events.ts';
import type { Route } from '../route.ts';
import { get, route } from './route-line.ts';

export const nodeRoutes: readonly Route[] = [
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
  route(
    'DELETE',
    '/api/auth/attempts/:node',
    'administrator',
    'none',
    'Sets the counts of logins over HTTP to zero',
    node.deleteAuthAttempts,
  ),
  get('/api/auth/attempts/:node/source', 'monitoring', 'Logins by source: not counted', node.getAuthAttemptsBySource),
  route('DELETE', '/api/auth/attempts/:node/source', 'administrator', 'none', 'Sets the counts of logins to zero', node.deleteAuthAttempts),
  get('/api/auth/hash_password/:password', 'management', 'The hash of a password, for definitions', users.hashOfPassword),
  route('POST', '/api/auth/check', 'administrator', 'none', 'Whether a password is right', users.checkCredentials, bodies.loginBody),
  route('DELETE', '/api/reset', 'administrator', 'none', 'Forgets statistics', node.resetStatistics),
  route('DELETE', '/api/reset/:node', 'administrator', 'none', 'Forgets statistics of a node', node.resetNodeStatistics),
  route('POST', '/api/rebalance/queues', 'administrator', 'none', 'Does nothing: there is one node', misc.rebalanceQueues),
  get('/api/whoami', 'management', 'Who makes this request', users.whoami),
  route('POST', '/api/login', 'anybody', 'none', 'Begins a session of the web UI', session.logIn, bodies.loginBody),
  route('DELETE', '/api/login', 'anybody', 'none', 'Ends a session of the web UI', session.logOut),
  get(eventsPath, 'management', 'What GET answers for each `watch`, told anew when it changes', call => call.services.events.open(call)),

  get('/api/findings', 'management', 'What the broker noticed, in words', findings.listFindings),
];
