import type { Json } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import type { PolicyDefinition, PolicyTarget } from '../definitions/definitions.ts';
import type { PolicyParts } from '../definitions/policy-check.ts';
import { policyProblems, validationFailed } from '../definitions/policy-check.ts';
import type { PolicyRank } from '../definitions/policy-settings.ts';
import { obsoleteSettings } from '../definitions/policy-settings.ts';
import type { Logger } from '../ports/logger.ts';
import { silentLogger } from '../ports/logger.ts';
import type { MetadataJournal } from '../ports/metadata-journal.ts';
import { nullJournal } from '../ports/metadata-journal.ts';
import type { EffectivePolicy } from './effective-policy.ts';
import { effectivePolicy, noPolicy } from './effective-policy.ts';
import type { PolicyChange } from './policy-change.ts';
import type { PolicyKind } from './policy-keys.ts';
import { PolicyList } from './policy-list.ts';

/** The policies of one virtual host. */
class VhostPolicies {
  readonly policy = new PolicyList();
  readonly operator_policy = new PolicyList();
}

/**
 * Policies and operator policies of all virtual hosts. A state machine over the metadata journal: each mutation records a change and
 * applies it, and replaying the changes gives the same state. Whoever holds queues and exchanges listens and asks anew what applies to them.
 */
export class Policies {
  readonly #journal: MetadataJournal;
  readonly #logger: Logger;
  readonly #vhosts = new Map<string, VhostPolicies>();
  readonly #listeners = new Set<(change: PolicyChange) => void>();

  constructor(journal: MetadataJournal = nullJournal, logger: Logger = silentLogger) {
    this.#journal = journal;
    this.#logger = logger;
  }

  /**
   * Creates or replaces a policy; that the vhost exists is for the caller to know. True if there was none of the name.
   * @throws BrokerError PRECONDITION_FAILED with RabbitMQ's text ("Validation failed ...") when something does not fit.
   */
  put(rank: PolicyRank, vhost: string, name: string, parts: PolicyParts): boolean {
    const problems = policyProblems(name, parts, rank);
    if (problems.length > 0) throw preconditionFailed(validationFailed(problems));
    const policy: PolicyDefinition = {
      vhost,
      name,
      pattern: parts.pattern as string,
      applyTo: (parts.applyTo ?? 'all') as PolicyTarget,
      definition: structuredClone(parts.definition as Record<string, Json>),
      priority: (parts.priority ?? 0) as number,
    };
    for (const key of obsoleteSettings(policy.definition))
      this.#logger.warning('default', `policy '${name}' in vhost '${vhost}': setting '${key}' has no effect`);
    const isNew = this.get(rank, vhost, name) === undefined;
    this.#change({ kind: 'policy.put', rank, policy });
    return isNew;
  }

  /** False if there was none. */
  delete(rank: PolicyRank, vhost: string, name: string): boolean {
    if (this.get(rank, vhost, name) === undefined) return false;
    this.#change({ kind: 'policy.delete', rank, vhost, name });
    return true;
  }

  /** Drops all policies of a vhost that is being deleted. Not for a replay of that deletion: the change made here replays itself. */
  vhostDeleted(vhost: string): void {
    if (this.#vhosts.has(vhost)) this.#change({ kind: 'vhost-policies.delete', vhost });
  }

  get(rank: PolicyRank, vhost: string, name: string): PolicyDefinition | undefined {
    return this.#vhosts.get(vhost)?.[rank].get(name);
  }

  /** All policies of the rank, or those of one vhost; higher priorities first. */
  list(rank: PolicyRank, vhost?: string): PolicyDefinition[] {
    if (vhost !== undefined) return [...(this.#vhosts.get(vhost)?.[rank] ?? [])];
    return [...this.#vhosts.values()].flatMap(each => [...each[rank]]);
  }

  /** What applies to the queue or exchange: at most one policy and one operator policy, those of the highest priority that match. */
  effective(vhost: string, kind: PolicyKind, name: string): EffectivePolicy {
    const policies = this.#vhosts.get(vhost);
    if (policies === undefined) return noPolicy;
    return effectivePolicy(policies.policy.match(kind, name), policies.operator_policy.match(kind, name));
  }

  /** Whether the change may matter to a queue or exchange that has `current`: saves asking for all that it cannot concern. */
  concerns(change: PolicyChange, current: EffectivePolicy, kind: PolicyKind, name: string): boolean {
    if (change.kind === 'vhost-policies.delete') return true;
    const policyName = change.kind === 'policy.put' ? change.policy.name : change.name;
    if ((change.rank === 'policy' ? current.policy : current.operatorPolicy) === policyName) return true;
    if (change.kind === 'policy.delete') return false;
    return this.#vhosts.get(change.policy.vhost)?.[change.rank].isMatchedBy(policyName, kind, name) ?? false;
  }

  /** Calls back after each change made here, not for replayed ones. Returns the way to stop it. */
  onChange(listener: (change: PolicyChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Applies a change that the journal already has. Queues and exchanges are not told. */
  apply(change: PolicyChange): void {
    switch (change.kind) {
      case 'policy.put': {
        const { vhost } = change.policy;
        let policies = this.#vhosts.get(vhost);
        if (policies === undefined) this.#vhosts.set(vhost, (policies = new VhostPolicies()));
        policies[change.rank].put(change.policy);
        break;
      }
      case 'policy.delete': {
        const policies = this.#vhosts.get(change.vhost);
        policies?.[change.rank].delete(change.name);
        if (policies?.policy.isEmpty && policies.operator_policy.isEmpty) this.#vhosts.delete(change.vhost);
        break;
      }
      case 'vhost-policies.delete':
        this.#vhosts.delete(change.vhost);
        break;
    }
  }

  /** The whole state as changes; applied to empty Policies they give it again. */
  snapshot(): PolicyChange[] {
    const ranks: readonly PolicyRank[] = ['policy', 'operator_policy'];
    return ranks.flatMap(rank => this.list(rank).map(policy => ({ kind: 'policy.put', rank, policy }) as const));
  }

  #change(change: PolicyChange): void {
    this.#journal.record(change);
    this.apply(change);
    for (const listener of this.#listeners) listener(change);
  }
}
