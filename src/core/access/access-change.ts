import type { Permission } from './permissions.ts';
import type { TopicPermission } from './topic-permissions.ts';
import type { User, UserLimits } from './user.ts';

/** Changes of users and permissions as they stand in the metadata journal. */
export type AccessChange =
  | { readonly kind: 'user.put'; readonly user: User }
  | { readonly kind: 'user.delete'; readonly user: string }
  | { readonly kind: 'user-limits.put'; readonly user: string; readonly limits: UserLimits }
  | { readonly kind: 'permission.put'; readonly permission: Permission }
  | { readonly kind: 'permission.delete'; readonly user: string; readonly vhost: string }
  | { readonly kind: 'topic-permission.put'; readonly permission: TopicPermission }
  | { readonly kind: 'topic-permission.delete'; readonly user: string; readonly vhost: string; readonly exchange: string }
  | { readonly kind: 'vhost-permissions.delete'; readonly vhost: string };

const kinds: Readonly<Record<AccessChange['kind'], true>> = {
  'user.put': true,
  'user.delete': true,
  'user-limits.put': true,
  'permission.put': true,
  'permission.delete': true,
  'topic-permission.put': true,
  'topic-permission.delete': true,
  'vhost-permissions.delete': true,
};

/** Whether a change read from the journal is for AccessControl.apply. */
export function isAccessChange(change: { readonly kind: string }): change is AccessChange {
  return Object.hasOwn(kinds, change.kind);
}
