import type { Json } from '../../base/field-table.ts';
import type { Pattern } from '../access/pattern.ts';
import { compilePattern } from '../access/pattern.ts';
import type { PolicyDefinition, PolicyTarget } from '../definitions/definitions.ts';
import type { PolicyKind } from './policy-keys.ts';
import { policyKeys } from './policy-keys.ts';

/** The targets a policy may name, and what each stands for. */
const kindsOf: Readonly<Record<PolicyTarget, readonly PolicyKind[]>> = {
  all: ['exchanges', 'classic_queues', 'quorum_queues', 'streams'],
  exchanges: ['exchanges'],
  queues: ['classic_queues', 'quorum_queues', 'streams'],
  classic_queues: ['classic_queues'],
  quorum_queues: ['quorum_queues'],
  streams: ['streams'],
};

/** A policy ready to be asked. */
class ListedPolicy {
  readonly policy: PolicyDefinition;
  readonly #pattern: Pattern;
  readonly #kinds: readonly PolicyKind[];

  constructor(policy: PolicyDefinition) {
    this.policy = policy;
    this.#pattern = compilePattern(policy.pattern);
    this.#kinds = kindsOf[policy.applyTo].filter(kind => isKnownTo(kind, policy.definition));
  }

  matches(kind: PolicyKind, name: string): boolean {
    return this.#kinds.includes(kind) && this.#pattern.test(name);
  }
}

function isKnownTo(kind: PolicyKind, definition: Readonly<Record<string, Json>>): boolean {
  return Object.keys(definition).every(key => policyKeys.get(key)?.unknownTo.includes(kind) !== true);
}

/** The policies of one rank in one virtual host, in the order in which they are asked. */
export class PolicyList {
  #listed: ListedPolicy[] = [];

  get isEmpty(): boolean {
    return this.#listed.length === 0;
  }

  get(name: string): PolicyDefinition | undefined {
    return this.#find(name)?.policy;
  }

  /** @throws PatternError */
  put(policy: PolicyDefinition): void {
    const rest = this.#listed.filter(each => each.policy.name !== policy.name);
    // Among equal priorities RabbitMQ leaves the choice open; here the names decide, so that a restart changes nothing.
    this.#listed = [...rest, new ListedPolicy(policy)].sort(
      ({ policy: a }, { policy: b }) => b.priority - a.priority || (a.name < b.name ? -1 : 1),
    );
  }

  delete(name: string): void {
    this.#listed = this.#listed.filter(each => each.policy.name !== name);
  }

  /** The one policy that applies; null for none. */
  match(kind: PolicyKind, name: string): PolicyDefinition | null {
    for (const listed of this.#listed) if (listed.matches(kind, name)) return listed.policy;
    return null;
  }

  /** Whether the policy called so would apply if no other did. */
  isMatchedBy(policyName: string, kind: PolicyKind, name: string): boolean {
    return this.#find(policyName)?.matches(kind, name) ?? false;
  }

  *[Symbol.iterator](): Generator<PolicyDefinition> {
    for (const listed of this.#listed) yield listed.policy;
  }

  #find(name: string): ListedPolicy | undefined {
    return this.#listed.find(each => each.policy.name === name);
  }
}
