import type { Json } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import type { GlobalParameterDefinition, ParameterDefinition, PolicyDefinition } from '../definitions/definitions.ts';
import { validationFailed } from '../definitions/policy-check.ts';
import { Policies } from '../policies/policies.ts';
import type { MetadataJournal } from '../ports/metadata-journal.ts';
import { nullJournal } from '../ports/metadata-journal.ts';
import type { VhostLimits } from '../vhost.ts';
import { upstreamProblems, upstreamSetProblems } from './federation.ts';
import type { ParameterChange } from './parameter-change.ts';
import { type Constraint, mandatory, objectOf, optional, proplistProblems, type ValueCheck } from './proplist.ts';
import { scheduledDeliveryComponent, scheduledDeliveryProblems } from './scheduled-delivery.ts';
import { shovelProblems } from './shovel.ts';
import { vhostLimitsComponent, vhostLimitsName, vhostLimitsOf, vhostLimitsProblems } from './vhost-limits.ts';

/** What may be set, and how a value is checked: RabbitMQ's texts of what is wrong with it. */
const components: ReadonlyMap<string, ValueCheck> = new Map<string, ValueCheck>([
  [vhostLimitsComponent, vhostLimitsProblems],
  [scheduledDeliveryComponent, scheduledDeliveryProblems],
  // Kept as RabbitMQ with its plugins keeps them; there is nothing yet that runs them.
  ['shovel', shovelProblems],
  ['federation-upstream', upstreamProblems],
  ['federation-upstream-set', upstreamSetProblems],
]);

/** RabbitMQ's texts of what is wrong with a parameter; none if it may be set. */
export function parameterProblems(component: string, name: string, value: Json): readonly string[] {
  const check = components.get(component);
  return check === undefined ? [`component ${component} not found`] : check(name, value);
}

/** Operator policies are parameters of this component; Policies keeps them. [RabbitMQ: rabbit_policy] */
export const operatorPolicyComponent = 'operator_policy';
/** Policies checks the values. */
const operatorPolicyKeys: readonly Constraint[] = [
  mandatory('priority', () => []),
  mandatory('pattern', () => []),
  optional('apply-to', () => []),
  mandatory('definition', () => []),
];

/** Restricts a list to one vhost, one component or both. */
export interface ParameterFilter {
  readonly vhost?: string;
  readonly component?: string;
}

/**
 * Runtime parameters: per virtual host (component, name, value) and global ones. A state machine over the metadata journal. Policies are
 * parameters in RabbitMQ; here they are kept by Policies, which those of operators are passed on to. [RabbitMQ docs: parameters and policies]
 */
export class Parameters {
  readonly #journal: MetadataJournal;
  readonly #policies: Policies;
  readonly #parameters = new Map<string, ParameterDefinition>();
  readonly #globals = new Map<string, Json>();
  readonly #listeners = new Set<(change: ParameterChange) => void>();

  constructor(journal: MetadataJournal = nullJournal, policies: Policies = new Policies(journal)) {
    this.#journal = journal;
    this.#policies = policies;
  }

  /**
   * Sets a parameter; that the vhost exists is for the caller to know. True if there was none of the name.
   * @throws BrokerError PRECONDITION_FAILED with RabbitMQ's text for an unknown component or a value that does not fit it.
   */
  put(vhost: string, component: string, name: string, value: Json): boolean {
    if (component === 'policy') throw preconditionFailed('policies may not be set using this method');
    if (component === operatorPolicyComponent) return this.#putOperatorPolicy(vhost, name, value);
    const problems = parameterProblems(component, name, value);
    if (problems.length > 0) throw preconditionFailed(validationFailed(problems));
    const isNew = this.get(vhost, component, name) === undefined;
    this.#change({ kind: 'parameter.put', parameter: { vhost, component, name, value: structuredClone(value) } });
    return isNew;
  }

  /** False if there was none. */
  delete(vhost: string, component: string, name: string): boolean {
    if (component === operatorPolicyComponent) return this.#policies.delete('operator_policy', vhost, name);
    if (this.get(vhost, component, name) === undefined) return false;
    this.#change({ kind: 'parameter.delete', vhost, component, name });
    return true;
  }

  get(vhost: string, component: string, name: string): ParameterDefinition | undefined {
    if (component !== operatorPolicyComponent) return this.#parameters.get(keyOf(vhost, component, name));
    const policy = this.#policies.get('operator_policy', vhost, name);
    return policy === undefined ? undefined : parameterOf(policy);
  }

  /** All parameters, vhost limits and operator policies among them. */
  list(filter: ParameterFilter = {}): ParameterDefinition[] {
    return [...this.#parameters.values(), ...this.#policies.list('operator_policy').map(parameterOf)].filter(
      ({ vhost, component }) =>
        (filter.vhost === undefined || vhost === filter.vhost) && (filter.component === undefined || component === filter.component),
    );
  }

  /** Drops all parameters of a vhost that is being deleted. Not for a replay of that deletion: the change made here replays itself. */
  vhostDeleted(vhost: string): void {
    if (this.#own(vhost).length > 0) this.#change({ kind: 'vhost-parameters.delete', vhost });
  }

  // --- vhost limits

  vhostLimits(vhost: string): VhostLimits {
    return vhostLimitsOf(this.get(vhost, vhostLimitsComponent, vhostLimitsName)?.value);
  }

  /**
   * Sets one limit, 'max-connections' or 'max-queues', and leaves the other; a negative value means none.
   * @throws BrokerError PRECONDITION_FAILED
   */
  putVhostLimit(vhost: string, name: string, value: Json): void {
    this.put(vhost, vhostLimitsComponent, vhostLimitsName, { ...this.#limitsValue(vhost), [name]: value });
  }

  /** False if the limit was not set. */
  deleteVhostLimit(vhost: string, name: string): boolean {
    const { [name]: old, ...rest } = this.#limitsValue(vhost);
    if (old === undefined) return false;
    if (Object.keys(rest).length === 0) return this.delete(vhost, vhostLimitsComponent, vhostLimitsName);
    this.put(vhost, vhostLimitsComponent, vhostLimitsName, rest);
    return true;
  }

  #limitsValue(vhost: string): Record<string, Json> {
    const value = this.get(vhost, vhostLimitsComponent, vhostLimitsName)?.value;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  }

  // --- global parameters

  /** True if there was none of the name. */
  putGlobal(name: string, value: Json): boolean {
    const isNew = !this.#globals.has(name);
    this.#change({ kind: 'global-parameter.put', parameter: { name, value: structuredClone(value) } });
    return isNew;
  }

  /** False if there was none. */
  deleteGlobal(name: string): boolean {
    if (!this.#globals.has(name)) return false;
    this.#change({ kind: 'global-parameter.delete', name });
    return true;
  }

  global(name: string): Json | undefined {
    return this.#globals.get(name);
  }

  globals(): GlobalParameterDefinition[] {
    return Array.from(this.#globals, ([name, value]) => ({ name, value }));
  }

  // --- state machine

  /** Calls back after each change made here, not for replayed ones. Returns the way to stop it. */
  onChange(listener: (change: ParameterChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Applies a change that the journal already has. */
  apply(change: ParameterChange): void {
    switch (change.kind) {
      case 'parameter.put': {
        const { vhost, component, name } = change.parameter;
        this.#parameters.set(keyOf(vhost, component, name), change.parameter);
        break;
      }
      case 'parameter.delete':
        this.#parameters.delete(keyOf(change.vhost, change.component, change.name));
        break;
      case 'vhost-parameters.delete':
        for (const { vhost, component, name } of this.#own(change.vhost)) this.#parameters.delete(keyOf(vhost, component, name));
        break;
      case 'global-parameter.put':
        this.#globals.set(change.parameter.name, change.parameter.value);
        break;
      case 'global-parameter.delete':
        this.#globals.delete(change.name);
        break;
    }
  }

  /** The whole state as changes; applied to empty Parameters they give it again. */
  snapshot(): ParameterChange[] {
    return [
      ...[...this.#parameters.values()].map(parameter => ({ kind: 'parameter.put', parameter }) as const),
      ...this.globals().map(parameter => ({ kind: 'global-parameter.put', parameter }) as const),
    ];
  }

  /** What is kept here of a vhost. */
  #own(vhost: string): ParameterDefinition[] {
    return [...this.#parameters.values()].filter(each => each.vhost === vhost);
  }

  #putOperatorPolicy(vhost: string, name: string, value: Json): boolean {
    const problems = proplistProblems(name, operatorPolicyKeys, value);
    if (problems.length > 0) throw preconditionFailed(validationFailed(problems));
    const { pattern, definition, priority, 'apply-to': applyTo } = objectOf(value) as Readonly<Record<string, Json>>;
    return this.#policies.put('operator_policy', vhost, name, { pattern, definition, priority, applyTo });
  }

  #change(change: ParameterChange): void {
    this.#journal.record(change);
    this.apply(change);
    for (const listener of this.#listeners) listener(change);
  }
}

function parameterOf({ vhost, name, pattern, applyTo, definition, priority }: PolicyDefinition): ParameterDefinition {
  const value = { pattern, 'apply-to': applyTo, definition: { ...definition }, priority };
  return { vhost, component: operatorPolicyComponent, name, value };
}

function keyOf(vhost: string, component: string, name: string): string {
  return JSON.stringify([vhost, component, name]);
}
