// Virtual hosts: a line for each route.
import * as bodies from '../bodies.ts';
import * as permissions from '../handlers/permissions.ts';
import * as topicPermissions from '../handlers/topic-permissions.ts';
import * as unroutable from '../handlers/unroutable.ts';
import * as vhosts from '../handlers/vhosts.ts';
import type { Route } from '../route.ts';
import { get, route } from './route-line.ts';

export const vhostRoutes: readonly Route[] = [
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
];
