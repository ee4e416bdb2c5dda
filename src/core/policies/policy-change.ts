import type { PolicyDefinition } from '../definitions/definitions.ts';
import type { PolicyRank } from '../definitions/policy-settings.ts';

/** Changes of policies and operator policies as they stand in the metadata journal. */
export type PolicyChange =
  | { readonly kind: 'policy.put'; readonly rank: PolicyRank; readonly policy: PolicyDefinition }
  | { readonly kind: 'policy.delete'; readonly rank: PolicyRank; readonly vhost: string; readonly name: string }
  | { readonly kind: 'vhost-policies.delete'; readonly vhost: string };

const kinds: Readonly<Record<PolicyChange['kind'], true>> = { 'policy.put': true, 'policy.delete': true, 'vhost-policies.delete': true };

/** Whether a change read from the journal is for Policies.apply. */
export function isPolicyChange(change: { readonly kind: string }): change is PolicyChange {
  return Object.hasOwn(kinds, change.kind);
}
