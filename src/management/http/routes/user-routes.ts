// Users and permissions: a line for each route.
import * as bodies from '../bodies.ts';
import * as permissions from '../handlers/permissions.ts';
import * as queues from '../handlers/queues.ts';
import * as topicPermissions from '../handlers/topic-permissions.ts';
import * as users from '../handlers/users.ts';
import type { Route } from '../route.ts';
import { get, route } from './route-line.ts';

export const userRoutes: readonly Route[] = [
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
];
