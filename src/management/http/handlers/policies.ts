import type { Json } from '../../../base/field-table.ts';
import type { PolicyDefinition } from '../../../core/definitions/definitions.ts';
import type { PolicyRank } from '../../../core/definitions/policy-settings.ts';
import type { ApiCall } from '../api-call.ts';
import { requireKeys } from '../json-body.ts';
import { list, single } from '../listing.ts';
import { createdOrThere, HttpError, type JsonObject, noContent, notFound, type Reply } from '../reply.ts';

export function listPolicies(call: ApiCall): Promise<Reply> {
  const policies = [...call.memberVhosts()].flatMap(vhost => call.core.policies.list(rankOf(call), vhost.name));
  return listOf(call, policies);
}

export function listPoliciesOfVhost(call: ApiCall): Promise<Reply> {
  return listOf(call, call.core.policies.list(rankOf(call), call.vhost().name));
}

function listOf(call: ApiCall, policies: readonly PolicyDefinition[]): Promise<Reply> {
  return list(call, policies, {
    keys: { vhost: policy => policy.vhost, name: policy => policy.name, priority: policy => policy.priority },
    view: policyView,
  });
}

export function getPolicy(call: ApiCall): Reply {
  return single(call, policyView(policyOf(call)));
}

export async function putPolicy(call: ApiCall): Promise<Reply> {
  const vhost = call.vhost();
  refuseIfFixed(call);
  requireKeys(call.body, ['pattern', 'definition']);
  const { pattern, definition, priority, 'apply-to': applyTo } = call.body as Record<string, Json | undefined>;
  const isNew = call.core.policies.put(rankOf(call), vhost.name, call.parameter('name'), { pattern, definition, priority, applyTo });
  await call.core.policiesApplied();
  return createdOrThere(isNew);
}

export async function deletePolicy(call: ApiCall): Promise<Reply> {
  const { vhost, name } = policyOf(call);
  refuseIfFixed(call);
  call.core.policies.delete(rankOf(call), vhost, name);
  await call.core.policiesApplied();
  return noContent;
}

/** The same handlers serve both ranks; the path says which. */
function rankOf(call: ApiCall): PolicyRank {
  return call.route.path.startsWith('/api/operator-policies') ? 'operator_policy' : 'policy';
}

/** [rabbitmq.conf: management.restrictions.operator_policy_changes.disabled] */
function refuseIfFixed(call: ApiCall): void {
  if (rankOf(call) === 'operator_policy' && call.services.settings.management.operatorPolicyChangesDisabled) {
    throw new HttpError(405, 'method_not_allowed', 'operator policies cannot be changed over the HTTP API');
  }
}

function policyOf(call: ApiCall): PolicyDefinition {
  const policy = call.core.policies.get(rankOf(call), call.vhost().name, call.parameter('name'));
  if (policy === undefined) throw notFound();
  return policy;
}

function policyView({ vhost, name, pattern, applyTo, definition, priority }: PolicyDefinition): JsonObject {
  return { vhost, name, pattern, 'apply-to': applyTo, definition, priority };
}
