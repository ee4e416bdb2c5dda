// Limits: a line for each route.
import * as bodies from '../bodies.ts';
import * as limits from '../handlers/limits.ts';
import type { Route } from '../route.ts';
import { get, route } from './route-line.ts';

export const limitRoutes: readonly Route[] = [
  get('/api/vhost-limits', 'management', 'Limits of virtual hosts', limits.listVhostLimits),
  get('/api/vhost-limits/:vhost', 'management observer', 'Limits of a virtual host', limits.listLimitsOfVhost),
  route('PUT', '/api/vhost-limits/:vhost/:name', 'administrator', 'none', 'Limits a virtual host', limits.putVhostLimit, bodies.limitBody),
  route('DELETE', '/api/vhost-limits/:vhost/:name', 'administrator', 'none', 'Takes a limit away', limits.deleteVhostLimit),
  get('/api/user-limits', 'management', 'Limits of users', limits.listUserLimits),
  get('/api/user-limits/:user', 'management', 'Limits of a user', limits.listLimitsOfUser),
  route('PUT', '/api/user-limits/:user/:name', 'administrator', 'none', 'Limits a user', limits.putUserLimit, bodies.limitBody),
  route('DELETE', '/api/user-limits/:user/:name', 'administrator', 'none', 'Takes a limit away', limits.deleteUserLimit),
];
