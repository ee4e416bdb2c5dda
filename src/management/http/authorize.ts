import type { AccessControl } from '../../core/access/access-control.ts';
import type { ApiUser } from './api-user.ts';
import { isAdministrator, isManagementUser, isMonitor, isPolicymaker } from './api-user.ts';
import { notAuthorised } from './reply.ts';
import type { Route } from './route.ts';

/**
 * Refuses a user who has not what the route asks for. `vhost` is the one of the path, or null; `vhostExists` whether there is such a one:
 * who may ask at all learns that it is missing by a 404.
 * @throws HttpError 401, with RabbitMQ's texts
 */
export function authorize(route: Route, user: ApiUser, access: AccessControl, vhost: string | null, vhostExists: boolean): void {
  if (route.tag === 'anybody') return;
  if (!isManagementUser(user)) throw notAuthorised('Not management user');
  if (route.tag === 'administrator' && !isAdministrator(user)) throw notAuthorised('Not administrator user');
  if (route.tag === 'monitoring' && !isMonitor(user)) throw notAuthorised('Not monitor user');
  const isOpen = vhost === null || !vhostExists || route.vhost === 'none' || isMember(user, access, vhost);
  if (route.tag === 'policymaker') {
    if (!isPolicymaker(user) || !isOpen) throw notAuthorised('User not authorised to access object');
    return;
  }
  if (isOpen || (route.vhost === 'observer' && isMonitor(user))) return;
  throw notAuthorised('User not authorised to access virtual host');
}

/** Whether lists show the user what is in the virtual host. [RabbitMQ: list_login_vhosts] */
export function isMember(user: ApiUser, access: AccessControl, vhost: string): boolean {
  return user.isLocal || isAdministrator(user) || access.mayAccessVhost(user.name, vhost);
}

/** Whether the virtual host itself is in the user's lists. [RabbitMQ: list_visible_vhosts] */
export function isObserver(user: ApiUser, access: AccessControl, vhost: string): boolean {
  return isMonitor(user) || isMember(user, access, vhost);
}
