import type { Target } from '../exchanges/exchange-type.ts';
import { stringArgument } from '../queues/queue-arguments.ts';
import type { Steps } from '../stepped-work.ts';
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

/** What it costs to apply policies, and to ask whether that is needed, in units of stepped work. */
const applyCost = 4;
const askCost = 1;

/**
 * Applies a change of a policy to the queues and exchanges that are there. What comes meanwhile has it from the beginning, and if there is
 * another change meanwhile, that one counts.
 */
export function* applyPolicyChange(policies: Policies, vhost: Vhost, change: PolicyChange): Steps {
  // An expiry that is over already may delete a queue here.
  for (const targets of [vhost.exchanges.values(), vhost.queues.values()]) {
    for (const target of targets) {
      const isConcerned = policies.concerns(change, target.policy, policyKind(target), target.name);
      if (isConcerned) applyPolicies(policies, vhost, target);
      yield isConcerned ? applyCost : askCost;
    }
  }
}
