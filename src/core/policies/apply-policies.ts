import type { Target } from '../exchanges/exchange-type.ts';
import { stringArgument } from '../queues/queue-arguments.ts';
import type { Vhost } from '../vhost.ts';
import { effectiveArguments } from './effective-policy.ts';
import type { Policies } from './policies.ts';
import type { PolicyChange } from './policy-change.ts';
import type { PolicyKind } from './policy-keys.ts';

export function policyKind(target: Target): PolicyKind {
  return target.kind === 'queue' ? target.type.policyKind : 'exchanges';
}

/** Finds the policies of a queue or exchange and gives it the settings that they and its arguments amount to. */
export function applyPolicies(policies: Policies, vhost: Vhost, target: Target): void {
  // The default exchange is no thing of its own that could have a policy. [RabbitMQ: rabbit_exchange, route]
  if (target.kind === 'exchange' && target.name === '') return;
  const kind = policyKind(target);
  const before = target.policy;
  const policy = policies.effective(vhost.name, kind, target.name);
  if (policy === before) return;
  target.policy = policy;
  if (JSON.stringify(policy.definition) === JSON.stringify(before.definition)) return;
  const args = effectiveArguments(kind, target.arguments, policy.definition);
  if (target.kind === 'queue') {
    target.applySettings(target.type.settings(args));
    return;
  }
  const alternate = stringArgument(args, 'alternate-exchange');
  if (alternate === target.alternate) return;
  target.alternate = alternate;
  vhost.generation++;
}

/** Applies a change of a policy to the queues and exchanges that are there. */
export function applyPolicyChange(policies: Policies, vhost: Vhost, change: PolicyChange): void {
  for (const exchange of vhost.exchanges.values()) {
    if (policies.concerns(change, exchange.policy, 'exchanges', exchange.name)) applyPolicies(policies, vhost, exchange);
  }
  // An expiry that is over already may delete a queue here.
  for (const queue of vhost.queues.values()) {
    if (policies.concerns(change, queue.policy, queue.type.policyKind, queue.name)) applyPolicies(policies, vhost, queue);
  }
}
