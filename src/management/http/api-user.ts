import type { Actor } from '../../core/actor.ts';
import { brokerActor } from '../../core/actor.ts';

/** Who makes a request. */
export interface ApiUser {
  readonly name: string;
  readonly tags: readonly string[];
  /** Comes by the control socket: the operator of this machine, to whom everything is open. */
  readonly isLocal: boolean;
}

export const localUser: ApiUser = { name: 'rmq-cli', tags: ['administrator'], isLocal: true };

export function actorOf(user: ApiUser): Actor {
  return user.isLocal ? { ...brokerActor, user: user.name } : { user: user.name, owner: null, isBroker: false };
}

export function isAdministrator(user: ApiUser): boolean {
  return user.tags.includes('administrator');
}

/** Whether the user sees what belongs to others: connections, virtual hosts, the node. */
export function isMonitor(user: ApiUser): boolean {
  return user.tags.includes('monitoring') || isAdministrator(user);
}

export function isPolicymaker(user: ApiUser): boolean {
  return user.tags.includes('policymaker') || isAdministrator(user);
}

export function isManagementUser(user: ApiUser): boolean {
  return user.tags.includes('management') || isPolicymaker(user) || isMonitor(user);
}
